"""benchmarks/README.md says what the results say, each with its command."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import write_benchmarks_page as page
from mnbench.record import Record
from mnbench.record_file import write_record
from support.commands import environment_for
from support.records import gpu_record, pi_record, workstation_record

pytestmark = pytest.mark.smoke

EMPTY = "".join(f"## {name}\n\n{page.begin(name)}{page.end(name)}\n" for name in (*page.SECTIONS, page.BARS))
CHECK = {
    "command": "python tools/check_mnbench.py --rounds 15",
    "started": "2026-11-21T20:15:00+00:00",
    "machine": {"cpu": {"model": "Xeon", "cores_usable": 2}},
    "bars": [
        {"bar": "overhead", "model": "v1", "asked": "at most 1 %", "limit": 0.01, "is_held": True, "text": "1.0018"},
        {"bar": "slowdown: again", "model": "v1", "limit": 0.0, "is_held": False, "text": "not known well enough"},
    ],
}


def run_check(repository: Path) -> subprocess.CompletedProcess[str]:
    script = [sys.executable, repository / "tools" / "write_benchmarks_page.py", "--check"]
    return subprocess.run(script, capture_output=True, text=True, check=False, timeout=60, env=environment_for())


def test_the_page_says_what_the_results_say(repository: Path) -> None:
    done = run_check(repository)
    assert done.returncode == 0, done.stderr


def test_a_page_that_says_something_else_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "README.md").write_text(EMPTY, encoding="utf-8")
    monkeypatch.setattr(page, "PAGE", tmp_path / "README.md")
    monkeypatch.setattr(page, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(sys, "argv", ["x"])
    assert page.main() == 0
    write_record(workstation_record(), tmp_path / "results" / "mine.json")
    assert is_noticed_and_written(monkeypatch)
    (tmp_path / "results" / page.CHECK).write_text(json.dumps(CHECK), encoding="utf-8")
    assert is_noticed_and_written(monkeypatch)


def is_noticed_and_written(monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the page fails its check, is written, and holds then."""
    codes = []
    for arguments in (["x", "--check"], ["x"], ["x", "--check"]):
        monkeypatch.setattr(sys, "argv", arguments)
        codes.append(page.main())
    return codes == [1, 0, 0]


def test_each_section_takes_the_results_that_have_something_for_it() -> None:
    results = {"ws.json": workstation_record(), "gpu.json": gpu_record(), "pi.json": pi_record()}
    used = {name: list(make(results)[0]) for name, (make, _) in page.SECTIONS.items()}
    assert used == {
        "table of 2017": ["ws.json", "gpu.json"],
        "peers": ["ws.json"],
        "photo to label": ["ws.json", "pi.json"],
        "zoo": [],
        "trained": [],
        "devices": ["ws.json", "pi.json"],
    }


def with_models(*names: str, weights: str) -> Record:
    """A run of these models, all measured as the first row of the workstation's."""
    record = workstation_record()
    first = next(row for row in record.rows if row.cell.engine == "litert")
    rows = tuple(replace(first, cell=replace(first.cell, model=name)) for name in names)
    models = tuple(replace(record.models[0], name=name, title=name, weights=weights) for name in names)
    return replace(record, rows=rows, models=models)


def test_networks_with_random_weights_and_trained_ones_have_a_section_each() -> None:
    results = {
        "zoo.json": with_models("a", "b", "c", weights="random, seed 0"),
        "two.json": with_models("a", "b", weights="random, seed 0"),
        "mine.json": with_models("kitchen", weights="kitchen.h5"),
    }
    for make, names, title in (
        (page.zoo, ["zoo.json"], "Random weights"),
        (page.trained, ["mine.json"], "Trained weights"),
    ):
        used, (table,) = make(results)
        assert (list(used), table.title) == (names, title)


def test_the_bars_are_shown_held_or_not_with_their_command() -> None:
    text = page.bars_section(CHECK)
    assert "### 1 of 2 bars held" in text
    assert "| overhead | v1 | at most 1 % | 1.0018 | yes |" in text
    assert "| slowdown: again | v1 | 0 % | not known well enough | NO |" in text
    assert "| Xeon, 2 cores | Xeon, 2 cores | 2026-11-21 | python tools/check_mnbench.py --rounds 15 |" in text
    assert "`python tools/check_mnbench.py` writes one" in page.bars_section(None)


def test_the_page_names_the_networks_that_make_measures(repository: Path) -> None:
    text = (repository / "benchmarks" / "README.md").read_text(encoding="utf-8")
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    named = {*re.findall(r"--models (\S+/\S+)", text), *re.findall(r"--evaluate (\S+/\S+)", text)}
    ours = {path.relative_to(repository).as_posix() for path in (repository / "models/pretrained").glob("*.h5")}
    theirs = {f"$(SHARED)/{name.removeprefix('../shared/')}" for name in named - ours}
    assert ours == {name for name in named if name.startswith("models/")}
    assert len(theirs) == 4
    assert not [name for name in theirs if name not in makefile]


def test_a_section_ends_with_its_commands_and_files() -> None:
    text = page.filled(EMPTY, {"ws.json": workstation_record()})
    peers = text.partition(page.begin("peers"))[2].partition(page.end("peers"))[0]
    assert "| OpenVINO 1.24.0 |" in peers
    assert "mnbench run --preset table -o result.json" in peers
    assert peers.rstrip().endswith("From [`ws.json`](results/ws.json).")
    assert page.filled(text, {"ws.json": workstation_record()}) == text


def test_without_a_result_the_command_is_told() -> None:
    assert "`mnbench run --preset peers -o benchmarks/results/NAME.json`" in page.filled(EMPTY, {})


def test_results_of_other_measurements_are_left_out(tmp_path: Path) -> None:
    write_record(gpu_record(), tmp_path / "gpu.json")
    (tmp_path / "other.json").write_text('{"schema": 1, "rows": []}', encoding="utf-8")
    (tmp_path / "list.json").write_text("[]", encoding="utf-8")
    assert list(page.read_results(tmp_path)) == ["gpu.json"]


def test_a_page_without_a_place_for_a_section() -> None:
    with pytest.raises(SystemExit, match='no place for "peers"'):
        page.filled(EMPTY.replace(page.begin("peers"), ""), {})


def test_links_lead_somewhere(repository: Path) -> None:
    text = (repository / "benchmarks" / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", text)
    assert len(links) >= 3
    assert not [link for link in links if not (repository / "benchmarks" / link).exists()]
