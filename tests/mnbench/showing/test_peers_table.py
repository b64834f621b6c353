"""Other engines beside LiteRT: like with like, and who is faster is told either way."""

from dataclasses import replace

import pytest

from mnbench.cell import Cell, Variant, Work
from mnbench.record import Agreement, Record, Row, Status
from mnbench.showing.peers_table import peers_tables
from mnbench.showing.table import Table
from support.records import gpu_record, missing_row, row_of, workstation_record

pytestmark = pytest.mark.smoke

LITERT = Cell(work=Work.FORWARD, model="m", engine="litert")
PEER = replace(LITERT, engine="openvino")


def tables(*rows: Row) -> tuple[Table, ...]:
    return peers_tables([Record(device="d", command="", plan="", rows=rows)])


def lines(table: Table) -> list[dict[str, str]]:
    heads = [column.head for column in table.columns]
    return [dict(zip(heads, (entry.text for entry in line.entries), strict=True)) for line in table.lines]


@pytest.mark.parametrize(
    ("peer_ms", "said"), [(8.0, "faster"), (12.0, "slower"), (10.05, "can't tell"), (9.97, "can't tell")]
)
def test_who_is_faster(peer_ms: float, said: str) -> None:
    (table,) = tables(row_of(LITERT, 10.0, seed=1), row_of(PEER, peer_ms, seed=1))
    (line,) = lines(table)
    assert line["Than LiteRT"] == said
    assert float(line["Ratio"].split()[0]) == pytest.approx(peer_ms / 10.0, rel=0.02)


@pytest.mark.parametrize("is_peers", [True, False])
def test_an_engine_with_other_outputs_is_neither_slower_nor_faster(is_peers: bool) -> None:
    wrong = Agreement(is_held=False, reference="the float model", sqnr_db=3.1, text="3.1 dB")
    ours = row_of(LITERT, 10.0, agreement=None if is_peers else wrong)
    theirs = row_of(PEER, 5.0, agreement=wrong if is_peers else None)
    (line,) = lines(tables(ours, theirs)[0])
    assert line["Than LiteRT"] == "other outputs"
    assert line["Ratio"].startswith("0.5")


def test_only_like_is_held_against_like() -> None:
    """Another variant, number of threads or batch of LiteRT is no answer."""
    others = [
        replace(LITERT, variant=Variant.INT8),
        replace(LITERT, threads=2),
        replace(LITERT, batch=8),
        replace(LITERT, use_xnnpack=False),
        replace(LITERT, model="n"),
    ]
    assert tables(row_of(PEER, 8.0), *(row_of(cell, 10.0) for cell in others)) == ()


def test_precisions_are_named() -> None:
    (table,) = peers_tables([workstation_record()])
    found = {(line["Engine"], line["Variant"]): line.get("Precision") for line in lines(table)}
    assert found["OpenVINO 1.24.0", "float32, 1 thread"] == "f32"
    assert found["OpenVINO 1.24.0", "int8, 1 thread"] == "", "as is to be expected"
    (table,) = tables(row_of(LITERT, 10.0), row_of(PEER, 9.0, facts={"precision": "bf16"}))
    assert lines(table)[0]["Precision"] == "bf16"


@pytest.mark.parametrize(("factor", "said"), [(0.99, "faster"), (1.01, "slower")])
def test_rounds_that_are_paired_need_no_margin(factor: float, said: str) -> None:
    """Whatever the minute was like, it was like that for both: a per cent is seen where every round shows it."""
    ours = row_of(LITERT, 10.0, drift=0.2)
    theirs = replace(
        ours,
        cell=PEER,
        processes=tuple(
            replace(process, samples_ns=tuple(round(each * factor * (1 + process.round / 1e4)) for each in samples))
            for process in ours.processes
            for samples in [process.samples_ns]
        ),
    )
    (line,) = lines(tables(ours, theirs)[0])
    assert line["Than LiteRT"] == said


def test_of_engines_that_take_the_same_one_in_twenty_is_called_another() -> None:
    """What an interval of 95 % promises; a margin, as between two runs, would hide what rounds in pairs can show."""
    runs = range(400)
    pairs = [[row_of(cell, 10.0, seed=seed, num_samples=1) for cell in (LITERT, PEER)] for seed in runs]
    said = [lines(tables(*pair)[0])[0]["Than LiteRT"] for pair in pairs]
    assert 5 <= sum(word != "can't tell" for word in said) <= 35  # 20 and some four standard deviations


def test_what_an_engine_s_figures_need_said_of_them_stands_below() -> None:
    facts = {"limits": ["one picture to a run", "one thread"]}
    (table,) = tables(row_of(LITERT, 10.0), row_of(PEER, 9.0, facts=facts))
    assert [(note.mark, note.text) for note in table.notes] == [("", "OpenVINO: one picture to a run; one thread.")]
    (table,) = tables(row_of(LITERT, 10.0), row_of(PEER, 9.0, facts={"limits": "none"}))
    assert not table.notes


def test_a_faster_peer_is_in_the_table_of_a_whole_run() -> None:
    (table,) = peers_tables([workstation_record()])
    faster = {(line["Engine"], line["Variant"]) for line in lines(table) if line["Than LiteRT"] == "faster"}
    assert faster == {("OpenVINO 1.24.0", "int8, 1 thread")}


def test_variants_stand_together() -> None:
    (table,) = peers_tables([workstation_record()])
    variants = [line["Variant"] for line in lines(table)]
    assert len(list(dict.fromkeys(variants))) == sum(a != b for a, b in zip(["", *variants], variants, strict=False))


def test_a_peer_that_is_not_there_has_no_ratio_and_a_reason() -> None:
    (table,) = tables(row_of(LITERT, 10.0), missing_row(PEER, "not installed"))
    (line,) = lines(table)
    assert line["ms"] == "missing"
    assert "Ratio" not in line, "a column without a word is left out"
    assert [note.text for note in table.notes] == ["not installed"]


def test_without_a_figure_of_litert_there_is_nothing_to_hold_against() -> None:
    assert tables(missing_row(LITERT, "killed", Status.FAILED), row_of(PEER, 8.0)) == ()
    assert peers_tables([gpu_record()]) == ()
