"""The page: whole, self-contained, escaped, with pictures, tables, doubts in words and the machine."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from mnbench.doubts import doubts_of_run
from mnbench.drawing.page import render_page
from mnbench.record import Doubt, Record
from support.profiled import profiled_record, zoo_record
from support.records import gpu_record, many_records, missing_row, pi_record, workstation_record

pytestmark = pytest.mark.smoke

VOID = {"meta", "br"}


class Reader(HTMLParser):
    """Checks that elements close in order and ask for nothing; collects text, names, and places to go to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        assert not {"src", "onload", "onclick", "xlink:href"} & {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += f"{data} "


def read(*records: Record, title: str | None = None) -> Reader:
    reader = Reader()
    reader.feed(render_page(records, title=title))
    reader.close()
    assert not reader.open
    return reader


def test_it_has_each_picture_that_there_is_something_for() -> None:
    reader = read(profiled_record())
    for title in ("Latency", "Accuracy against latency", "More threads", "What a run is made of", "Operators"):
        assert title in reader.text
    assert reader.names.count("svg") == 5
    assert read(gpu_record()).names.count("svg") == 2


def test_its_contents_lead_somewhere() -> None:
    reader = read(*many_records())
    assert reader.links
    assert all(link.startswith("#") for link in reader.links)
    assert {link[1:] for link in reader.links} == set(reader.ids)
    assert len(set(reader.ids)) == len(reader.ids)


def test_it_asks_for_nothing_from_anywhere() -> None:
    text = render_page(many_records())
    assert "<script" not in text
    assert "@import" not in text
    assert not re.search(r"url\(|https?:", text)


def test_doubts_come_before_any_figure_in_words_and_numbers() -> None:
    reader = read(pi_record())
    top, _, _ = reader.text.partition("Milliseconds")
    for text in (
        "Reasons to distrust",
        "governor:  the governor is ondemand, not performance: the frequency follows the load (all of Raspberry Pi 5)",
        "interrupted: ",
        "throttled, 6 of 13 figures:  the CPU was throttled 3 times",
        "mismatch, 1 of 13 figures:",
    ):
        assert text in top
    sound = replace(workstation_record(), rows=tuple(row for row in workstation_record().rows if not row.doubts))
    assert "No reason to distrust any of it was found" in read(sound).text


def test_doubts_that_differ_in_their_numbers_are_told_once() -> None:
    record = workstation_record()
    rows = tuple(
        replace(row, doubts=(Doubt("load-by-others", f"other programs took {place} % of the cores"),))
        for place, row in enumerate(record.rows)
        if row.processes
    )
    reader = read(replace(record, rows=rows))
    assert "load-by-others, 39 of 39 figures:  other programs took 0–38 % of the cores" in reader.text


def test_a_picture_of_many_screens_is_folded() -> None:
    assert read(profiled_record()).names.count("details") == 1
    record = zoo_record()
    rows = tuple(
        replace(row, cell=replace(row.cell, engine=engine)) for engine in ("litert", "mnn") for row in record.rows
    )
    assert read(replace(record, rows=rows)).names.count("details") == 2


def test_an_interrupted_run_says_so_before_any_figure() -> None:
    record = workstation_record()
    doubts = doubts_of_run(record.machine, record.rows, is_complete=False)
    text = read(replace(record, is_complete=False, doubts=doubts)).text
    assert "the run was interrupted: its rows have" in text.partition("Milliseconds")[0]


def test_tables_rows_and_machine_are_there() -> None:
    reader = read(workstation_record())
    for text in (
        "Forward-Backward",
        "Instruction set",
        "All that is known of each of the 42 rows",
        "The machine",
        "Intel(R) Xeon 8488C",
        "mnbench run --preset table -o result.json",
        "39 figures from 195 processes in 1 run; 3 more could not be measured",
    ):
        assert text in reader.text


def test_it_has_light_and_dark() -> None:
    text = render_page([workstation_record()])
    light, dark = re.findall(r"--plot-blue: (#[0-9a-f]{6});", text)
    assert light != dark
    assert text.count("prefers-color-scheme: dark") == 2


def test_names_of_strangers_stay_text() -> None:
    nasty = '</title><script>alert("x")</script>\x1b]0;x\x07'
    record = pi_record()
    models = tuple(replace(model, title=nasty, weights=nasty) for model in record.models)
    gap = missing_row(replace(record.rows[0].cell, engine=nasty), nasty)
    rows = (*(replace(row, doubts=(Doubt(nasty, nasty),)) for row in record.rows), gap)
    machine = {"before": {nasty: nasty, "packages": {nasty: nasty}}}
    hostile = replace(record, device=nasty, command=nasty, models=models, rows=rows, machine=machine, origin=nasty)
    text = render_page([hostile, hostile], title=nasty)
    assert "<script" not in text
    assert "\x1b" not in text
    assert "alert" in read(hostile, hostile, title=nasty).text


def test_a_record_without_a_figure_is_a_page_still() -> None:
    rows = tuple(row for row in workstation_record().rows if not row.processes)
    reader = read(replace(workstation_record(), rows=rows, models=(), machine={}))
    assert "0 figures" in reader.text
    assert "svg" not in reader.names


def test_the_same_records_are_the_same_page() -> None:
    assert render_page(many_records()) == render_page(many_records())


def test_a_damaged_profile_hides_no_other() -> None:
    record = profiled_record()
    place = next(place for place, row in enumerate(record.rows) if row.cell.engine == "litert") + 1
    first, *others = record.rows[place].processes
    damaged = replace(record.rows[place], processes=(replace(first, facts={"profile": {"threads": -1}}), *others))
    rows = (*record.rows[:place], damaged, *record.rows[place + 1 :])
    reader = read(replace(record, rows=rows))
    assert reader.names.count("svg") == 5
    assert f"the profile of {damaged.cell.key}" in reader.text
    assert "damaged:" in reader.text
    assert "damaged:" not in read(record).text
