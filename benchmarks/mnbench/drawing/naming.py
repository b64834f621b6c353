"""What a row is called beside others: by what they differ in, and not by what they all have in common."""

from collections.abc import Callable, Sequence

from mnbench.cell import Cell, Device, Variant, Work
from mnbench.drawing.entries import Entry
from mnbench.showing.configurations import limit_of, norm_of, title_of_engine

__all__ = ["WORKS", "full_names", "in_common", "row_names", "told"]

WORKS = {
    Work.FORWARD: "Forward",
    Work.FORWARD_BACKWARD: "Forward and backward",
    Work.PHOTO_TO_LABEL: "From photo to label",
    Work.COLD_START: "Cold start",
    Work.IMPORT: "Import",
}
_VARIANTS = {Variant.UNFUSED: "float32 unfused"}


def _variant(cell: Cell) -> str:
    return "" if cell.work is Work.IMPORT else _VARIANTS.get(cell.variant, str(cell.variant))


def _threads(cell: Cell) -> str:
    return "" if cell.threads is None else "1 thread" if cell.threads == 1 else f"{cell.threads} threads"


# Of every row; the empty text is a row's default.
_GENERAL: tuple[Callable[[Cell], str], ...] = (
    _variant,
    lambda cell: "GPU" if cell.device is Device.GPU else "",
    _threads,
    lambda cell: f"batch {cell.batch}" if cell.batch > 1 else "",
)
# Only among rows of one engine: others don't have it, or have it one way.
_OF_ENGINE: tuple[Callable[[Cell], str], ...] = (
    norm_of,
    lambda cell: "" if cell.compiler is None else {"xla": "XLA"}.get(cell.compiler, str(cell.compiler)),
    limit_of,
    lambda cell: "" if cell.use_xnnpack else "plain kernels",
)
_FEATURES = (lambda cell: title_of_engine(cell.engine), *_GENERAL, *_OF_ENGINE)


def row_names(entries: Sequence[Entry]) -> tuple[str, ...]:
    """A name to each of the entries by what tells them apart, but for device, model and work."""
    cells = [entry.cell for entry in entries]
    shown = [_FEATURES[0], *(each for each in _GENERAL if _differs(each, cells))]
    shown += [each for each in _OF_ENGINE if _differs_within_engines(each, cells)]
    return tuple(" · ".join(filter(None, (each(entry.cell) for each in shown))) for entry in entries)


def full_names(entries: Sequence[Entry]) -> tuple[str, ...]:
    """A name to each of the entries among any others: device and model where there are several."""
    devices = len({entry.device for entry in entries}) > 1
    models = len({entry.model for entry in entries}) > 1
    return tuple(
        " · ".join([*([entry.device] if devices else []), *([entry.model] if models else []), name])
        for entry, name in zip(entries, row_names(entries), strict=True)
    )


def in_common(entries: Sequence[Entry]) -> str:
    """What all of them have, and their names therefore don't tell."""
    cells = [entry.cell for entry in entries]
    shared = [each(cells[0]) for each in _GENERAL if cells and not _differs(each, cells)]
    return " · ".join(filter(None, shared))


def told(entry: Entry) -> str:
    """The whole of it, for where a pointer rests."""
    parts = (entry.device, entry.model, WORKS[entry.cell.work], *(each(entry.cell) for each in _FEATURES))
    return " · ".join(filter(None, parts))


def _differs(feature: Callable[[Cell], str], cells: Sequence[Cell]) -> bool:
    """Whether it tells some from others; a row to which it doesn't apply counts for nothing."""
    texts = {feature(cell) for cell in cells}
    return len(texts - {""} if feature in (_threads, _variant) else texts) > 1


def _differs_within_engines(feature: Callable[[Cell], str], cells: Sequence[Cell]) -> bool:
    by_engine: dict[str, set[str]] = {}
    for cell in cells:
        by_engine.setdefault(cell.engine, set()).add(feature(cell))
    return any(len(texts) > 1 for texts in by_engine.values())
