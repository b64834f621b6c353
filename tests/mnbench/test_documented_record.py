"""docs/formats.md on mnbench's results: its example is what is written, and no field or doubt is left out."""

import re
from enum import StrEnum
from pathlib import Path

import pytest

import mnbench
from mnbench.cell import BatchNorm, Compiler, Device, InstructionSet, Variant, Work
from mnbench.machine import read_conditions, read_facts
from mnbench.process_memory import read_memory
from mnbench.record import Record, Status
from mnbench.record_file import encode_record, read_record
from mnbench.showing.rendering import Format, Layout, rendered

pytestmark = pytest.mark.smoke


@pytest.fixture
def section(repository: Path) -> str:
    text = (repository / "docs" / "formats.md").read_text(encoding="utf-8")
    return text.partition("\n## Results of mnbench\n")[2].partition("\n## ")[0]


@pytest.fixture
def example(section: str) -> str:
    found = re.search(r"<!-- example: mnbench record -->\n```json\n(.*?)```", section, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def record(example: str, tmp_path: Path) -> Record:
    (tmp_path / "result.json").write_text(example, encoding="utf-8")
    return read_record(tmp_path / "result.json")


def test_the_example_is_written_as_it_stands(example: str, record: Record) -> None:
    assert encode_record(record).decode() == example


def test_the_example_has_every_kind_of_thing(record: Record) -> None:
    assert {row.status for row in record.rows} >= {Status.MEASURED, Status.MISSING}
    assert any(row.agreement for row in record.rows)
    assert any(row.doubts for row in record.rows)
    assert any(process.parts_ns for row in record.rows for process in row.processes)
    assert record.models
    assert record.doubts


def test_the_parts_of_the_example_are_its_samples(record: Record) -> None:
    for process in (process for row in record.rows for process in row.processes if process.parts_ns):
        assert tuple(map(sum, zip(*process.parts_ns.values(), strict=True))) == process.samples_ns


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("form", list(Format))
def test_the_example_can_be_shown(record: Record, layout: Layout, form: Format) -> None:
    assert "Raspberry Pi 5" in rendered([record], layout, form)


def test_every_field_is_explained(section: str, example: str, record: Record) -> None:
    words = set(re.findall(r"`([a-z_0-9]+)`", section.replace(example, "")))
    value = record.to_json()
    row, model = value["rows"][0], value["models"][0]
    fields = {*value, *row, *row["cell"], *row["processes"][0], *row["agreement"], *model}
    plain = {"model", "name", "batch", "use_xnnpack"}  # what their names say
    assert fields - plain <= words, sorted(fields - plain - words)


def test_what_is_read_of_a_machine_is_explained(section: str) -> None:
    words = set(re.findall(r"`([a-z_0-9]+)`", section))
    facts = read_facts()
    told = {*facts, *facts["cpu"], *read_conditions(with_gpu=True), *read_memory()}
    assert told <= words, sorted(told - words)


def test_the_example_has_the_facts_that_are_read_today(record: Record) -> None:
    assert set(record.machine["before"]) == set(read_facts())
    conditions = record.rows[0].processes[0].conditions
    assert set(conditions["before"]) == set(read_conditions())
    assert set(read_memory()) <= set(conditions)


def test_every_doubt_is_explained(section: str) -> None:
    """Whichever module writes it: those of other programs' results are written where these are read."""
    sources = [path.read_text(encoding="utf-8") for path in Path(mnbench.__path__[0]).rglob("*.py")]
    codes = {code for source in sources for code in re.findall(r'\bDoubt\(\s*"([a-z-]+)"', source)}
    assert len(codes) >= 15
    table = section.partition("| doubt |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z-]+)`", table)) == codes


@pytest.mark.parametrize("kind", [BatchNorm, Compiler, Device, InstructionSet, Status, Variant, Work])
def test_every_choice_is_named(section: str, kind: type[StrEnum]) -> None:
    assert set(map(str, kind)) <= set(re.findall(r"`([a-z0-9.-]+)`", section))
