"""Records for pictures that need more than ``records.py`` has: a profile by operator, a zoo whose accuracy is known."""

from dataclasses import replace

from mnbench.cell import Cell, Variant, Work
from mnbench.profiling import OperatorTime, Profile
from mnbench.record import MeasuredModel, Record
from support.records import row_of, workstation_record

__all__ = ["profile", "profiled_record", "zoo_record"]

_OPERATORS = (  # name, output shape, multiply-adds, nanoseconds, whether a delegate takes it
    ("CONV_2D", (1, 112, 112, 32), 10_838_016, 420_000, True),
    ("DEPTHWISE_CONV_2D", (1, 112, 112, 32), 3_612_672, 227_000, True),
    ("PAD+DEPTHWISE_CONV_2D", (1, 56, 56, 64), 1_806_336, 162_000, False),
    ("CONV_2D", (1, 56, 56, 128), 25_690_112, 463_000, True),
    ("MEAN", (1, 1, 1, 1024), 0, 20_000, None),
    ("FULLY_CONNECTED", (1, 1000), 1_024_000, 200_000, True),
)


def profile() -> Profile:
    """Six operators of a whole of 1.4 ms."""
    return Profile(
        engine="ai-edge-litert 2.1.6",
        threads=1,
        num_rounds=30,
        whole_ns=1_400_000,
        operators=tuple(
            OperatorTime(
                index=index,
                name=name,
                tensor=f"layer_{index}/BiasAdd",
                shape=shape,
                dtype="float32",
                macs=macs,
                median_ns=median_ns,
                is_delegated=is_delegated,
            )
            for index, (name, shape, macs, median_ns, is_delegated) in enumerate(_OPERATORS)
        ),
    )


def profiled_record() -> Record:
    """The workstation's, with a profile in the first process of LiteRT's first row."""
    record = workstation_record()
    place = next(place for place, row in enumerate(record.rows) if row.cell.engine == "litert")
    first, *others = record.rows[place].processes
    first = replace(first, facts={**first.facts, "profile": profile().to_json()})
    row = replace(record.rows[place], processes=(first, *others))
    return replace(record, rows=(*record.rows[:place], row, *record.rows[place + 1 :]))


def zoo_record() -> Record:
    """32 models in two variants by one and two threads, as mnbench run --preset zoo makes them."""
    rows, models = [], []
    for family, milliseconds, percent in (("V1", 11.2, 70.9), ("V2", 6.8, 71.8), ("V3 large", 8.1, 75.2)):
        for alpha in (0.25, 0.5, 0.75, 1.0):
            for size in (128, 224):
                name = f"mobilenet_{family.lower().replace(' ', '_')}_{alpha}_{size}"
                top1 = percent - 14 * (1 - alpha) ** 1.4 - (7 if size == 128 else 0)
                models.append(_tested(name, f"MobileNet {family} {alpha}/{size}", size, top1))
                scale = milliseconds * alpha**1.6 * (size / 224) ** 2
                for variant, factor in ((Variant.FLOAT32, 1.0), (Variant.INT8, 0.42)):
                    for threads in (1, 2):
                        cell = Cell(work=Work.FORWARD, model=name, engine="litert", variant=variant, threads=threads)
                        rows.append(row_of(cell, scale * factor / threads**0.8))
    return replace(workstation_record(), rows=tuple(rows), models=tuple(models))


def _tested(name: str, title: str, size: int, top1: float) -> MeasuredModel:
    accuracy = {
        variant: {"top1_percent": top1 - loss, "standard_error": 0.6, "n": 1000}
        for variant, loss in (("float32", 0.0), ("int8", 0.4))
    }
    return MeasuredModel(name=name, title=title, weights="", input_shape=(size, size, 3), accuracy=accuracy)
