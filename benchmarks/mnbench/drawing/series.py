"""Colours and marks by what they stand for: a variant has its colour in every picture, an engine its shape in one."""

from collections.abc import Iterable, Mapping, Sequence

from mnbench.catalogue import ENGINES
from mnbench.cell import Variant, Work
from mnbench.drawing.entries import Entry
from mnbench.drawing.picture import Colour, Shape
from mnbench.drawing.sheet import Key
from mnbench.showing.configurations import title_of_engine

__all__ = [
    "VARIANT_COLOURS",
    "engine_shapes",
    "entry_colour",
    "family_of",
    "family_shapes",
    "shape_keys",
    "variant_keys",
]

# Floats are cool, integers warm.
VARIANT_COLOURS = {
    Variant.FLOAT32: Colour.BLUE,
    Variant.UNFUSED: Colour.SKY,
    Variant.FP16: Colour.GREEN,
    Variant.BF16: Colour.INDIGO,
    Variant.DYNAMIC: Colour.ORANGE,
    Variant.INT8: Colour.RED,
    Variant.INT16X8: Colour.PINK,
}


def entry_colour(entry: Entry) -> Colour:
    """Its variant's; grey for work in which no model runs."""
    return Colour.GREY if entry.cell.work is Work.IMPORT else VARIANT_COLOURS[entry.cell.variant]


def variant_keys(variants: Iterable[Variant], shape: Shape | None = None) -> list[Key]:
    """A legend's keys, in the order of the enumeration."""
    present = set(variants)
    return [Key(text=str(each), colour=VARIANT_COLOURS[each], shape=shape) for each in Variant if each in present]


def engine_shapes(entries: Sequence[Entry]) -> dict[str, Shape]:
    """A shape to each engine, by title, in the catalogue's order; after four they come again."""
    present = {entry.cell.engine for entry in entries}
    ordered = [*(name for name in ENGINES if name in present), *sorted(present - ENGINES.keys())]
    shapes = tuple(Shape)
    return {title_of_engine(name): shapes[place % len(shapes)] for place, name in enumerate(ordered)}


def family_of(entry: Entry) -> str:
    """The model's title up to its numbers: "MobileNet V2" of "MobileNet V2 1.0/224"."""
    words = entry.model.split()
    return " ".join(words[:2]) if len(words) > 1 else entry.model.rpartition("_")[0] or entry.model


def family_shapes(entries: Sequence[Entry]) -> dict[str, Shape]:
    """A shape to each family of models, in the order of meeting them; after four they come again."""
    shapes = tuple(Shape)
    return {name: shapes[place % len(shapes)] for place, name in enumerate(dict.fromkeys(map(family_of, entries)))}


def shape_keys(shapes: Mapping[str, Shape]) -> list[Key]:
    """A legend's keys for shapes by name."""
    return [Key(text=name, colour=Colour.SOFT, shape=shape) for name, shape in shapes.items()]
