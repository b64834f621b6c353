"""Write the tables of benchmarks/README.md from the results of mnbench in benchmarks/results.

usage: python tools/write_benchmarks_page.py [--check]

Each result that mnbench run wrote into that folder is shown in every section that it has something for, with the
command that measured it. --check writes nothing and fails where the page says something else than the results.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from mnbench.catalogue import EngineKind
from mnbench.cell import Work
from mnbench.record import Record
from mnbench.record_file import read_record
from mnbench.showing.as_markdown import as_markdown
from mnbench.showing.configurations import kind_of_engine
from mnbench.showing.devices_table import devices_table
from mnbench.showing.layout_2017 import tables_2017
from mnbench.showing.layout_full import tables_of_works
from mnbench.showing.peers_table import peers_tables
from mnbench.showing.runs import runs_table
from mnbench.showing.table import Table
from mnbench.showing.variants_table import variants_table

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "benchmarks" / "README.md"
LEAST_MODELS = 3  # a run of so many is one of the zoo

Results = Mapping[str, Record]
Section = Callable[[Results], tuple[Results, Sequence[Table]]]


def read_results(folder: Path) -> dict[str, Record]:
    """The results of mnbench among the files, by name; those of other measurements are left out."""
    paths = [path for path in sorted(folder.glob("*.json")) if is_of_mnbench(path)]
    return {path.name: read_record(path) for path in paths}


def is_of_mnbench(path: Path) -> bool:
    value = json.loads(path.read_text(encoding="utf-8"))
    return isinstance(value, dict) and value.get("kind") == "mnbench"


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


def variants(results: Results) -> tuple[Results, Sequence[Table]]:
    """Of the runs of several networks of the zoo."""
    used = {
        name: record
        for name, record in results.items()
        if len({row.cell.model for row in record.rows}) >= LEAST_MODELS and variants_table((record,))
    }
    return used, variants_table(tuple(used.values()))


def devices(results: Results) -> tuple[Results, Sequence[Table]]:
    used = {name: record for name, record in results.items() if devices_table((record,))}
    return used, devices_table(tuple(used.values()))


# The page's sections, and what measures one that has no result yet.
SECTIONS: dict[str, tuple[Section, str]] = {
    "table of 2017": (table_of_2017, "mnbench run --preset table"),
    "peers": (peers, "mnbench run --preset peers"),
    "photo to label": (photo_to_label, "mnbench run --preset quick"),
    "variants": (variants, "mnbench run --preset zoo"),
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


def begin(name: str) -> str:
    return f"<!-- {name}: written by tools/write_benchmarks_page.py -->\n"


def end(name: str) -> str:
    return f"<!-- end of {name} -->\n"


def filled(text: str, results: Results) -> str:
    """The page with each section in its place. Raise SystemExit where the page has no place for one."""
    for name in SECTIONS:
        before, has_begin, rest = text.partition(begin(name))
        _, has_end, after = rest.partition(end(name))
        if not (has_begin and has_end):
            raise SystemExit(f'benchmarks/README.md has no place for "{name}": {begin(name)}{end(name)}')
        text = f"{before}{begin(name)}\n{section(name, results)}\n{end(name)}{after}"
    return text


def differing_lines(ours: str, theirs: str) -> Iterator[str]:
    """The first lines that differ, for whoever reads a failing check."""
    pairs = zip(ours.splitlines(), theirs.splitlines(), strict=False)
    differing = [f"  page:    {a}\n  results: {b}" for a, b in pairs if a != b]
    yield from differing[:1]


def main() -> int:
    text = PAGE.read_text(encoding="utf-8")
    written = filled(text, read_results(RESULTS))
    if "--check" in sys.argv[1:]:
        if written != text:
            print(f"{PAGE.name} is not what the results say: python tools/{Path(__file__).name}", file=sys.stderr)
            print("\n".join(differing_lines(text, written)), file=sys.stderr)
        return int(written != text)
    PAGE.write_text(written, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
