"""Write the tables of benchmarks/README.md from the results of mnbench in benchmarks/results.

usage: python tools/write_benchmarks_page.py [--check]

Each result that mnbench run wrote into that folder is shown in every section that it has something for, with the
command that measured it; so are the bars that tools/check_mnbench.py measured, held or not. --check writes nothing and
fails where the page says something else than the results.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mnbench.catalogue import EngineKind
from mnbench.cell import Work
from mnbench.device_name import device_name
from mnbench.record import Record
from mnbench.record_file import read_record
from mnbench.showing.as_markdown import as_markdown
from mnbench.showing.configurations import kind_of_engine
from mnbench.showing.devices_table import devices_table
from mnbench.showing.layout_2017 import tables_2017
from mnbench.showing.layout_full import tables_of_works
from mnbench.showing.peers_table import peers_tables
from mnbench.showing.runs import runs_table
from mnbench.showing.table import Column, Entry, Line, Table
from mnbench.showing.variants_table import variants_table

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "benchmarks" / "README.md"
LEAST_MODELS = 3  # a run of so many is one of the zoo
BARS = "bars"
CHECK = "mnbench_check.json"

Results = Mapping[str, Record]
Section = Callable[[Results], tuple[Results, Sequence[Table]]]


def read_results(folder: Path) -> dict[str, Record]:
    """The results of mnbench among the files, by name; those of other measurements are left out."""
    paths = [path for path in sorted(folder.glob("*.json")) if is_of_mnbench(path)]
    return {path.name: read_record(path) for path in paths}


def is_of_mnbench(path: Path) -> bool:
    value = json.loads(path.read_text(encoding="utf-8"))
    return isinstance(value, dict) and value.get("kind") == "mnbench"


def read_check(folder: Path) -> dict[str, Any] | None:
    """What tools/check_mnbench.py wrote there; None where it hasn't run."""
    path = folder / CHECK
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def has_kind(record: Record, kind: EngineKind) -> bool:
    return any(kind_of_engine(row.cell.engine) is kind for row in record.rows)


def table_of_2017(results: Results) -> tuple[Results, Sequence[Table]]:
    """Of the runs that measured a training framework, as 2017's did."""
    used = {name: record for name, record in results.items() if has_kind(record, EngineKind.KERAS)}
    return used, tables_2017(tuple(used.values()))


def peers(results: Results) -> tuple[Results, Sequence[Table]]:
    used = {name: record for name, record in results.items() if has_kind(record, EngineKind.PEER)}
    return used, peers_tables(tuple(used.values()))


def photo_to_label(results: Results) -> tuple[Results, Sequence[Table]]:
    works = (Work.PHOTO_TO_LABEL, Work.COLD_START, Work.IMPORT)
    used = {name: record for name, record in results.items() if any(row.cell.work in works for row in record.rows)}
    return used, tables_of_works(tuple(used.values()), works)


def zoo(results: Results) -> tuple[Results, Sequence[Table]]:
    """Of the runs of several networks with random weights."""
    used = {name: record for name, record in with_variants(results) if len(random_models(record)) >= LEAST_MODELS}
    return used, titled("Random weights", variants_table(tuple(used.values())))


def trained(results: Results) -> tuple[Results, Sequence[Table]]:
    """Of the runs of networks that have learned something."""
    used = {name: record for name, record in with_variants(results) if record.models and not random_models(record)}
    return used, titled("Trained weights", variants_table(tuple(used.values())))


def with_variants(results: Results) -> Iterator[tuple[str, Record]]:
    return ((name, record) for name, record in results.items() if variants_table((record,)))


def random_models(record: Record) -> set[str]:
    """The models that were measured with random weights."""
    measured = {row.cell.model for row in record.rows}
    return {model.name for model in record.models if model.name in measured and model.weights.startswith("random")}


def titled(title: str, tables: Sequence[Table]) -> Sequence[Table]:
    return [replace(table, title=title) for table in tables]


def devices(results: Results) -> tuple[Results, Sequence[Table]]:
    used = {name: record for name, record in results.items() if devices_table((record,))}
    return used, devices_table(tuple(used.values()))


# The page's sections, and what measures one that has no result yet.
SECTIONS: dict[str, tuple[Section, str]] = {
    "table of 2017": (table_of_2017, "mnbench run --preset table"),
    "peers": (peers, "mnbench run --preset peers"),
    "photo to label": (photo_to_label, "mnbench run --preset quick"),
    "zoo": (zoo, "mnbench run --preset zoo"),
    "trained": (trained, "mnbench run --preset zoo --models FILE"),
    "devices": (devices, "mnbench run --preset full"),
}


def section(name: str, results: Results) -> str:
    """The tables of a section with their runs; without any, the command that would fill it."""
    make, command = SECTIONS[name]
    used, tables = make(results)
    if not tables:
        return f"No result yet: `{command} -o benchmarks/results/NAME.json` writes one.\n"
    shown = as_markdown((*tables, runs_table(tuple(used.values()))), level=3)
    return f"{shown}\n\nFrom {', '.join(f'[`{file}`](results/{file})' for file in used)}.\n"


def bars_section(check: Mapping[str, Any] | None) -> str:
    """What tools/check_mnbench.py asked and found, with its run; where it found nothing yet, how to ask."""
    if check is None:
        return "No result yet: `python tools/check_mnbench.py` writes one.\n"
    machine = check["machine"]
    run = Record(
        device=device_name(machine),
        command=check["command"],
        plan="",
        rows=(),
        machine={"before": machine},
        started=check.get("started", ""),
    )
    shown = as_markdown((bars_table(check["bars"]), runs_table((run,))), level=3)
    return f"{shown}\n\nFrom [`{CHECK}`](results/{CHECK}).\n"


def bars_table(bars: Sequence[Mapping[str, Any]]) -> Table:
    """A line to each bar."""
    heads = ("Bar", "Model", "Asked for", "Found", "Held")
    return Table(
        title=f"{sum(bar['is_held'] for bar in bars)} of {len(bars)} bars held",
        columns=tuple(Column(head=head, is_text=True) for head in heads),
        lines=tuple(Line(bar_entries(bar)) for bar in bars),
    )


def bar_entries(bar: Mapping[str, Any]) -> tuple[Entry, ...]:
    is_held = bar["is_held"]
    asked = bar.get("asked") or f"{100 * bar['limit']:.0f} %"
    words = (bar["bar"], bar["model"], asked, bar["text"])
    return (*(Entry(text=text) for text in words), Entry(text="yes" if is_held else "NO"))


def begin(name: str) -> str:
    return f"<!-- {name}: written by tools/write_benchmarks_page.py -->\n"


def end(name: str) -> str:
    return f"<!-- end of {name} -->\n"


def filled(text: str, results: Results, check: Mapping[str, Any] | None = None) -> str:
    """The page with each section in its place. Raise SystemExit where the page has no place for one."""
    written = {**{name: section(name, results) for name in SECTIONS}, BARS: bars_section(check)}
    for name, content in written.items():
        before, has_begin, rest = text.partition(begin(name))
        _, has_end, after = rest.partition(end(name))
        if not (has_begin and has_end):
            raise SystemExit(f'benchmarks/README.md has no place for "{name}": {begin(name)}{end(name)}')
        text = f"{before}{begin(name)}\n{content}\n{end(name)}{after}"
    return text


def differing_lines(ours: str, theirs: str) -> Iterator[str]:
    """The first lines that differ, for whoever reads a failing check."""
    pairs = zip(ours.splitlines(), theirs.splitlines(), strict=False)
    differing = [f"  page:    {a}\n  results: {b}" for a, b in pairs if a != b]
    yield from differing[:1]


def main() -> int:
    text = PAGE.read_text(encoding="utf-8")
    written = filled(text, read_results(RESULTS), read_check(RESULTS))
    if "--check" in sys.argv[1:]:
        if written != text:
            print(f"{PAGE.name} is not what the results say: python tools/{Path(__file__).name}", file=sys.stderr)
            print("\n".join(differing_lines(text, written)), file=sys.stderr)
        return int(written != text)
    PAGE.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
