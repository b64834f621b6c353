"""Each kind of picture: words on nothing but paper, figures where they belong, doubts and gaps shown."""

from dataclasses import replace
from itertools import pairwise, product

import pytest

from mnbench.cell import Cell, Variant, Work
from mnbench.drawing.entries import entries_of
from mnbench.drawing.kinds import Kind, draw
from mnbench.drawing.operators import profile_of
from mnbench.drawing.picture import Box, Colour, Group, Picture, Shape
from mnbench.drawing.sheet import WIDTH
from mnbench.record import Doubt, Record, Row
from mnbench.showing.figures import spell_interval
from mnbench.statistics import part_intervals, row_interval
from mninfer.errors import InputError
from support.drawn import area_of, boxes, marks, overlapping_words, paths, texts, words
from support.profiled import profile, profiled_record, zoo_record
from support.records import MODEL, gpu_record, many_records, pi_record, row_of, workstation_record

pytestmark = pytest.mark.smoke

RECORDS = {
    "workstation": [profiled_record()],
    "gpu": [gpu_record()],
    "pi": [pi_record()],
    "many": list(many_records()),
    "zoo": [zoo_record()],
}
LONG = "MobileNet of a name that nobody would give to a network if it had to stand in a table, 1.0/224"


def drawable() -> list[tuple[Kind, str]]:
    """What each set of records has something to show of."""
    empty = {
        (Kind.THREADS, "gpu"),
        *product((Kind.PARTS,), ("gpu", "pi", "zoo")),
        *product((Kind.OPERATORS,), ("gpu", "pi", "many", "zoo")),
    }
    return [pair for pair in product(Kind, RECORDS) if pair not in empty]


def drawn(kind: Kind, *records: Record) -> Picture:
    return draw(kind, entries_of(records))


def record_with(*rows: Row) -> Record:
    return replace(workstation_record(), rows=rows)


def cell(**changes: object) -> Cell:
    return Cell(**({"work": Work.FORWARD, "model": MODEL, "engine": "litert"} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "name"), drawable())
def test_words_lie_inside_and_on_no_others(kind: Kind, name: str) -> None:
    picture = draw(kind, entries_of(RECORDS[name]))
    assert picture.width == WIDTH
    for each in words(picture):
        area = area_of(each)
        assert area.left >= 0, each.text
        assert area.right <= picture.width, each.text
        assert 0 <= area.top <= area.bottom <= picture.height, each.text
    close = [pair for pair in overlapping_words(picture) if not all(len(text) == 1 for text in pair)]
    assert not close


@pytest.mark.parametrize("kind", Kind)
def test_long_names_are_shortened_and_lie_on_nothing(kind: Kind) -> None:
    record = profiled_record()
    models = tuple(replace(model, title=LONG) for model in record.models)
    records = [replace(each, models=models, device=f"{LONG} {each.device}") for each in (record, many_records()[1])]
    picture = draw(kind, entries_of(records))
    assert all(area_of(each).right <= picture.width for each in words(picture))
    assert not [pair for pair in overlapping_words(picture) if not all(len(text) == 1 for text in pair)]
    shown = {part for text in texts(picture) for part in text.split("…")}
    assert kind is Kind.PARETO or any(part and LONG.startswith(part) for part in shown)


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        (Kind.LATENCY, "says why of each"),
        (Kind.PARETO, "accuracy"),
        (Kind.THREADS, "--threads"),
        (Kind.OPERATORS, "--profile"),
        (Kind.PARTS, "photo-to-label"),
    ],
)
def test_nothing_to_draw_is_an_error_that_says_what_is_missing(kind: Kind, hint: str) -> None:
    record = record_with(*(row for row in workstation_record().rows if not row.processes))
    with pytest.raises(InputError) as caught:
        drawn(kind, record)
    assert hint in str(caught.value)


def test_every_figure_stands_beside_its_bar() -> None:
    shown = texts(drawn(Kind.LATENCY, workstation_record()))
    for row in workstation_record().rows:
        interval = row_interval(row)
        if interval is None:
            assert any(row.reason in text for text in shown)
        else:
            middle, _, error = spell_interval(interval).partition(" ")
            assert middle in shown
            assert error in shown


def bars(picture: Picture, colour: Colour) -> list[Box]:
    return [box for box in boxes(picture) if box.colour is colour and box.height == 11]


def test_bars_are_as_long_as_their_figures() -> None:
    record = record_with(
        *(row_of(cell(engine=engine), ms, drift=0.0) for engine, ms in (("mnn", 10.0), ("litert", 5.0), ("ncnn", 20.0)))
    )
    short, middle, long = bars(drawn(Kind.LATENCY, record), Colour.BLUE)  # the fastest first
    assert short.width * 2 == pytest.approx(middle.width, rel=0.02)
    assert short.width * 4 == pytest.approx(long.width, rel=0.02)


def test_a_wide_span_is_dots_on_a_logarithm_and_the_scale_can_be_said() -> None:
    record = record_with(row_of(cell(), 1.0), row_of(cell(engine="mnn"), 100.0))
    assert not bars(drawn(Kind.LATENCY, record), Colour.BLUE)
    linear = draw(Kind.LATENCY, entries_of([record]), is_log=False)
    assert len(bars(linear, Colour.BLUE)) == 2
    assert "0" in texts(linear)
    with pytest.raises(InputError, match="logarithmic"):
        draw(Kind.PARTS, entries_of([workstation_record()]), is_log=True)


def test_intervals_are_drawn_and_one_process_alone_has_none() -> None:
    several = drawn(Kind.LATENCY, record_with(row_of(cell(), 50.0, drift=0.1)))
    alone = drawn(Kind.LATENCY, record_with(row_of(cell(), 50.0, num_rounds=1)))
    assert [len(paths(each)) for each in (several, alone)] == [3, 0]
    assert "± ?" in texts(alone)


def test_an_end_further_out_than_the_axis_has_no_cap() -> None:
    wide = row_of(cell(), 10.0, num_rounds=2, drift=3.0)
    interval = row_interval(wide)
    assert interval is not None
    assert interval.high > 1000 * interval.middle
    picture = draw(Kind.LATENCY, entries_of([record_with(wide)]), is_log=False)
    assert len(paths(picture)) == 2  # the line, and the cap of its lower end


def test_an_interval_without_bounds_leaves_the_bars_their_length() -> None:
    record = record_with(row_of(cell(), 10.0, num_rounds=2, drift=3.0), row_of(cell(engine="mnn"), 10.0))
    for is_log in (True, False):
        assert draw(Kind.LATENCY, entries_of([record]), is_log=is_log).items


@pytest.mark.parametrize("kind", [Kind.LATENCY, Kind.PARETO, Kind.THREADS])
def test_doubts_are_hollow_lettered_and_spelled_out(kind: Kind) -> None:
    doubt = Doubt("throttled", "the CPU was throttled 3 times")
    rows = [row_of(cell(threads=threads), 10.0 / threads, doubts=[doubt] if threads == 2 else []) for threads in (1, 2)]
    picture = drawn(kind, record_with(*rows))
    hollow = [
        item
        for item in [*boxes(picture), *(mark for mark in marks(picture) if mark.shape is Shape.CIRCLE)]
        if item.is_hollow and item.colour is Colour.BLUE
    ]
    assert len(hollow) == 1
    letters = [each for each in words(picture) if each.colour is Colour.DOUBT]
    assert [each.text for each in letters] == ["a", "a"]  # at the figure, and at the foot
    assert "throttled: the CPU was throttled 3 times" in texts(picture)
    told = [item.told for item in picture.items if isinstance(item, Group) and "throttled" in item.told]
    assert len(told) == 1


def test_what_a_whole_run_makes_one_doubt_is_told() -> None:
    shown = texts(drawn(Kind.LATENCY, pi_record()))
    assert any("the governor is ondemand" in text and "all of Raspberry Pi 5" in text for text in shown)
    assert any("interrupted" in text for text in shown)


def test_published_figures_are_marks_in_a_group_of_their_own() -> None:
    picture = drawn(Kind.LATENCY, workstation_record())
    diamonds = [mark for mark in marks(picture) if mark.shape is Shape.DIAMOND and mark.is_hollow]
    assert len(diamonds) == 1 + 6 + 6 + 3 + 4  # the legend's; 2017 and three devices' V1, V2's int8, 2017 backward
    shown = texts(picture)
    assert shown.count("MobileNet V1 1.0/224, published by others") == 2
    assert "75 – 503" in shown
    assert "GTX 1060, TF 1" not in shown
    assert "GTX 1060, TF 1" in texts(drawn(Kind.LATENCY, gpu_record()))
    unlike = drawn(Kind.LATENCY, record_with(row_of(cell(model="mine"), 3.0)))
    assert "published by others" not in " ".join(texts(unlike))


def test_the_front_is_named_first_and_everything_is_marked() -> None:
    record = zoo_record()
    picture = drawn(Kind.PARETO, record)
    large = [mark for mark in marks(picture) if mark.size == 10.0]
    small = [mark for mark in marks(picture) if mark.size == 5.0]
    assert len(large) == 2 * len(record.models)
    assert len(small) == len(record.rows) - len(large)
    bold = [each.text for each in words(picture) if each.is_bold and "int8" in each.text]
    assert "V3 large 1.0/224 int8" in bold


def test_what_computes_something_else_is_not_on_the_front() -> None:
    """However fast it is: it has its mark, and the line passes by."""
    record = zoo_record()
    wrong = Doubt("mismatch", "its outputs are not those of the reference")
    fast = min(range(len(record.rows)), key=lambda place: record.rows[place].processes[0].samples_ns[0])
    of_a_row = replace(
        record,
        rows=tuple(replace(row, doubts=(wrong,)) if place == fast else row for place, row in enumerate(record.rows)),
    )
    without = replace(record, rows=tuple(row for place, row in enumerate(record.rows) if place != fast))
    corners = [len(_front(drawn(Kind.PARETO, each))) for each in (record, of_a_row, without)]
    assert corners[1] == corners[2] < corners[0]
    of_all = replace(record, rows=tuple(replace(row, doubts=(wrong,)) for row in record.rows))
    assert _front(drawn(Kind.PARETO, of_all)) == ()


def _front(picture: Picture) -> tuple[tuple[float, float], ...]:
    return next((path.points for path in paths(picture) if path.is_dashed and len(path.points) > 2), ())


def test_threads_have_their_gain_and_the_ideal() -> None:
    record = record_with(*(row_of(cell(threads=each), 12.0 / each**0.5, drift=0.0) for each in (1, 2, 4)))
    picture = drawn(Kind.THREADS, record)
    assert "LiteRT, 2.0×" in texts(picture)
    assert len([path for path in paths(picture) if path.is_dashed]) == 1
    (curve,) = [path for path in paths(picture) if path.width == 1.8]
    (x1, y1), (x2, y2), (x4, y4) = curve.points
    assert x2 - x1 == pytest.approx(x4 - x2)
    assert y2 - y1 == pytest.approx(y4 - y2, abs=2)  # a power of the threads is a straight line


def test_parts_follow_each_other_and_end_at_the_whole() -> None:
    picture = drawn(Kind.PARTS, workstation_record())
    row = next(row for row in workstation_record().rows if part_intervals(row))
    pieces = [box for box in boxes(picture) if box.height == 20]
    assert len(pieces) == len(part_intervals(row)) == 4
    for before, after in pairwise(pieces):
        assert before.x + before.width == pytest.approx(after.x, abs=0.6)
    interval = row_interval(row)
    assert interval is not None
    assert spell_interval(interval) in texts(picture)


def test_work_of_other_parts_has_a_panel_of_its_own() -> None:
    parts_ms = {"python": 30.0, "import": 300.0}
    rows = [row for row in workstation_record().rows if part_intervals(row)]
    rows.append(row_of(cell(work=Work.IMPORT, engine="mninfer", threads=None), 330.0, parts_ms=parts_ms))
    shown = texts(drawn(Kind.PARTS, record_with(*rows)))
    assert [text for text in shown if text in ("From photo to label", "Import")] == ["From photo to label", "Import"]
    assert {"decode", "invoke", "python", "import"} <= set(shown)


def test_operators_have_time_share_and_rate() -> None:
    picture = drawn(Kind.OPERATORS, profiled_record())
    shown = texts(picture)
    assert {"0.420", "28.2 %", "10.8 M, 25.8 G/s", "1×112×112×32"} <= set(shown)
    assert "not taken by the delegate" in shown
    assert any("6 operators take 1.49 ms together, the whole model 1.40 ms (1.07" in text for text in shown)
    assert len([box for box in boxes(picture) if box.height == 10 and box.width != 12]) == 6
    strip = [box for box in boxes(picture) if box.height == 18]
    assert sum(box.width + 1 for box in strip) == pytest.approx(WIDTH - 40, abs=1)


def test_what_is_in_doubt_of_operators_is_told_with_them() -> None:
    record = profiled_record()
    place = next(place for place, row in enumerate(record.rows) if profile_of(row))
    row = replace(record.rows[place], doubts=(Doubt("mismatch", "its outputs are others'"),))
    doubtful = replace(record, rows=(row,), doubts=(Doubt("emulated", "the processor is emulated by qemu-user"),))
    picture = drawn(Kind.OPERATORS, doubtful)
    shown = texts(picture)
    assert "a b" in shown
    told = " ".join(shown)
    assert "emulated: the processor is emulated by qemu-user" in told
    assert "mismatch: its outputs are others'" in told
    assert not overlapping_words(picture)


def test_a_damaged_profile_is_named() -> None:
    record = profiled_record()
    place = next(place for place, row in enumerate(record.rows) if profile_of(row))
    assert profile_of(record.rows[place]) == profile()
    facts = {"profile": {**profile().to_json(), "whole_ns": "soon"}}
    row = replace(record.rows[place], processes=(replace(record.rows[place].processes[0], facts=facts),))
    with pytest.raises(InputError, match=r'the profile of mobilenet_v1.*"whole_ns" is \'soon\''):
        drawn(Kind.OPERATORS, record_with(row))


def test_work_without_a_model_says_nothing_of_a_variant() -> None:
    record = workstation_record()
    rows = [row for row in record.rows if row.cell.work in (Work.IMPORT, Work.PHOTO_TO_LABEL)]
    picture = drawn(Kind.LATENCY, record_with(*rows))
    assert len(bars(picture, Colour.GREY)) == 1
    assert not any(str(Variant.FLOAT32) in text for text in texts(picture))
