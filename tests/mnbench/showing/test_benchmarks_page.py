"""benchmarks/README.md says what the results say, each with its command."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import write_benchmarks_page as page
from mnbench.record_file import write_record
from support.commands import environment_for
from support.records import gpu_record, pi_record, workstation_record

pytestmark = pytest.mark.smoke

EMPTY = "".join(f"## {name}\n\n{page.begin(name)}{page.end(name)}\n" for name in page.SECTIONS)


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
    monkeypatch.setattr(sys, "argv", ["x", "--check"])
    assert page.main() == 1
    monkeypatch.setattr(sys, "argv", ["x"])
    assert page.main() == 0
    monkeypatch.setattr(sys, "argv", ["x", "--check"])
    assert page.main() == 0


def test_each_section_takes_the_results_that_have_something_for_it() -> None:
    results = {"ws.json": workstation_record(), "gpu.json": gpu_record(), "pi.json": pi_record()}
    used = {name: list(make(results)[0]) for name, (make, _) in page.SECTIONS.items()}
    assert used == {
        "table of 2017": ["ws.json", "gpu.json"],
        "peers": ["ws.json"],
        "photo to label": ["ws.json", "pi.json"],
        "variants": [],
        "devices": ["ws.json", "pi.json"],
    }


def test_a_run_of_several_networks_is_one_of_the_zoo() -> None:
    record = workstation_record()
    first = record.rows[0]
    third = replace(record, rows=(*record.rows, replace(first, cell=replace(first.cell, model="a third"))))
    used, tables = page.variants({"zoo.json": third})
    assert list(used) == ["zoo.json"]
    assert len(tables) == 1


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
