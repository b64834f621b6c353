"""A recipe: how a network is trained, as data. Read from TOML, checked whole, changed by dotted names."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from mninfer.errors import RecipeError
from mninfer.files import read_regular_file
from mninfer.near import near_files, near_names

__all__ = [
    "AugmentSpec",
    "DataSpec",
    "OptimizerSpec",
    "Recipe",
    "ScheduleSpec",
    "TrainSpec",
    "load_recipe",
    "read_recipe",
    "recipe_names",
    "with_changes",
]

SCHEMA = 1
MAX_RECIPE_BYTES = 1 << 20
RECIPES = Path(__file__).parent.parent / "recipes"
OPTIMIZERS = ("sgd", "rmsprop", "adamw")
SCHEDULES = ("constant", "cosine", "step")
PRECISIONS = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSpec:
    """``name`` is what ``open_data`` takes; ``validation`` is the share of the training pictures that is held back."""

    name: str = "cifar10"
    size: int = 32
    preprocess: str = "inception"
    resize: str = "stretch"
    interpolation: str = "area"
    validation: float = 0.0

    def __post_init__(self) -> None:
        _between("data.size", self.size, 16, 1024)
        _between("data.validation", self.validation, 0.0, 0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentSpec:
    """What is done to a training picture. Zero, or false, leaves it out.

    ``pad``: pixels of reflected border before a random crop. ``area``: least share of the picture that a random crop of
    random shape keeps (ImageNet). ``cutout``: side of a grey square. ``mixup``, ``cutmix``: alpha of the Beta
    distribution; with both, each batch takes one of them.
    """

    flip: bool = True
    pad: int = 0
    area: float = 0.0
    colour: float = 0.0
    cutout: int = 0
    mixup: float = 0.0
    cutmix: float = 0.0

    def __post_init__(self) -> None:
        _between("augment.pad", self.pad, 0, 64)
        _between("augment.area", self.area, 0.0, 1.0)
        _between("augment.colour", self.colour, 0.0, 1.0)
        _between("augment.cutout", self.cutout, 0, 512)
        _between("augment.mixup", self.mixup, 0.0, 10.0)
        _between("augment.cutmix", self.cutmix, 0.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizerSpec:
    """``weight_decay`` is decoupled: each step takes learning rate × decay × weight off the kernels.

    Depthwise kernels are left alone, as in the papers (one has nine weights), but for ``decay_depthwise``.
    """

    name: str = "sgd"
    learning_rate: float = 0.1
    momentum: float = 0.9
    nesterov: bool = True
    rho: float = 0.9
    epsilon: float = 1e-7
    weight_decay: float = 0.0
    decay_depthwise: bool = False
    clip_norm: float = 0.0

    def __post_init__(self) -> None:
        _one_of("optimizer.name", self.name, OPTIMIZERS)
        _between("optimizer.learning_rate", self.learning_rate, 0.0, 100.0)
        _between("optimizer.momentum", self.momentum, 0.0, 0.9999)
        _between("optimizer.rho", self.rho, 0.0, 0.9999)
        _between("optimizer.epsilon", self.epsilon, 1e-12, 10.0)
        _between("optimizer.weight_decay", self.weight_decay, 0.0, 1.0)
        _between("optimizer.clip_norm", self.clip_norm, 0.0, 1e6)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSpec:
    """The learning rate over time. ``milestones`` (epochs) and ``factor`` belong to ``step``; ``final`` to ``cosine``.

    With ``every`` above 0 a step schedule multiplies by ``factor`` each ``every`` epochs instead.
    """

    name: str = "cosine"
    warmup_epochs: float = 0.0
    final: float = 0.0
    milestones: tuple[int, ...] = ()
    every: float = 0.0
    factor: float = 0.1

    def __post_init__(self) -> None:
        _one_of("schedule.name", self.name, SCHEDULES)
        _between("schedule.warmup_epochs", self.warmup_epochs, 0.0, 1000.0)
        _between("schedule.final", self.final, 0.0, 1.0)
        _between("schedule.every", self.every, 0.0, 1000.0)
        _between("schedule.factor", self.factor, 0.0, 1.0)
        if self.name == "step" and not self.milestones and not self.every:
            raise RecipeError(
                'schedule "step" has neither milestones nor every', hints="milestones = [60, 120] or every = 2.5"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainSpec:
    """``ema`` is the decay of the averaged weights that are evaluated and saved; 0 is none."""

    epochs: int = 40
    batch: int = 128
    seed: int = 1
    label_smoothing: float = 0.0
    ema: float = 0.0
    precision: str = "float32"

    def __post_init__(self) -> None:
        _between("train.epochs", self.epochs, 1, 100_000)
        _between("train.batch", self.batch, 1, 65_536)
        _between("train.seed", self.seed, 0, 2**31 - 1)
        _between("train.label_smoothing", self.label_smoothing, 0.0, 0.9)
        _between("train.ema", self.ema, 0.0, 0.999_999)
        _one_of("train.precision", self.precision, PRECISIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """One way to train one network. ``model`` is what ``build_model`` takes, less the number of classes."""

    title: str
    model: Mapping[str, Any]
    data: DataSpec = field(default_factory=DataSpec)
    augment: AugmentSpec = field(default_factory=AugmentSpec)
    optimizer: OptimizerSpec = field(default_factory=OptimizerSpec)
    schedule: ScheduleSpec = field(default_factory=ScheduleSpec)
    train: TrainSpec = field(default_factory=TrainSpec)

    def __post_init__(self) -> None:
        if not isinstance(self.model.get("name"), str):
            raise RecipeError("the recipe names no network: no model.name", hints='name = "mobilenet_v1"')
        for fixed in ("classes", "input_shape", "weights"):
            if fixed in self.model:
                raise RecipeError(f'"model.{fixed}" is not the recipe\'s to say: it follows from the data')

    def to_json(self) -> dict[str, Any]:
        """The recipe as plain data, every default spelled out; ``from_json`` reads it."""
        return {"schema": SCHEMA, **asdict(self), "model": dict(self.model)}

    @classmethod
    def from_json(cls, value: object, *, where: str = "recipe") -> "Recipe":
        """Read plain data. Raise RecipeError that names the key that is wrong."""
        table = dict(_table(value, where))
        if table.pop("schema", None) != SCHEMA:
            raise RecipeError(f"a recipe says schema = {SCHEMA}", where=where)
        try:
            recipe = _read(cls, table, where="")
        except RecipeError as error:
            raise error.at(where) from None
        assert isinstance(recipe, cls)
        return recipe


def recipe_names() -> tuple[str, ...]:
    """The recipes that are shipped.

    >>> "cifar10_mobilenet_v1_025" in recipe_names()
    True
    """
    return tuple(sorted(path.stem for path in RECIPES.glob("*.toml")))


def load_recipe(name: str) -> Recipe:
    """The shipped recipe of that name, or the one in the file of that name."""
    path = Path(name)
    if path.suffix == ".toml":
        return read_recipe(path)
    if name not in recipe_names():
        raise RecipeError(
            f'no recipe "{name}"',
            hints=near_names(name, recipe_names())
            or f"one of {', '.join(recipe_names())}, or a path that ends in .toml",
        )
    return read_recipe(RECIPES / f"{name}.toml")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe's TOML file."""
    try:
        table = tomllib.loads(read_regular_file(path, MAX_RECIPE_BYTES).decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"not a TOML file that can be read: {error}", where=str(path)) from error
    except (OSError, ValueError) as error:
        raise RecipeError(f"the recipe can't be read: {error}", where=str(path), hints=near_files(str(path))) from error
    return Recipe.from_json(table, where=str(path))


def with_changes(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """The recipe with dotted names set anew.

    >>> with_changes(load_recipe("cifar10_mobilenet_v1_025"), {"train.epochs": 2}).train.epochs
    2
    """
    table = recipe.to_json()
    for dotted, value in changes.items():
        section, _, key = dotted.partition(".")
        if not key or not isinstance(table.get(section), dict):
            raise RecipeError(
                f'"{dotted}" is not a place in a recipe',
                hints=near_names(section, [name for name in table if isinstance(table[name], dict)])
                or "section.key, such as optimizer.learning_rate",
            )
        table[section][key] = value
    return Recipe.from_json(table)


def _read(kind: Any, table: Mapping[str, Any], *, where: str) -> Any:
    """Build a dataclass from a table, its sections with it."""
    hints = get_type_hints(kind)
    known = {each.name for each in fields(kind)}
    values = {}
    for key, value in table.items():
        place = f"{where}{key}"
        if key not in known:
            raise RecipeError(
                f'a recipe has no "{place}"', hints=near_names(key, known) or f"one of {', '.join(known)}"
            )
        values[key] = _read_value(hints[key], value, place)
    missing = {"title", "model"} & known - set(values)
    if missing:
        raise RecipeError(f"the recipe has no {' and no '.join(sorted(missing))}")
    return kind(**values)


def _read_value(kind: Any, value: Any, place: str) -> Any:
    if is_dataclass(kind):
        return _read(kind, _table(value, place), where=f"{place}.")
    if get_origin(kind) is tuple:
        if not isinstance(value, list | tuple):
            raise RecipeError(f"{place} is {value!r}; it wants a list")
        return tuple(_read_value(get_args(kind)[0], item, place) for item in value)
    if kind in (str, bool, int):
        if type(value) is not kind:
            raise RecipeError(f"{place} is {value!r}; it wants {_NAMES[kind]}")
        return value
    if kind is float:
        if type(value) not in (int, float):
            raise RecipeError(f"{place} is {value!r}; it wants a number")
        return float(value)
    return dict(_table(value, place))


_NAMES = {str: "a text", bool: "true or false", int: "a whole number"}


def _table(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise RecipeError(f"{place} is {value!r}; it wants a table")
    return value


def _between(place: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # nan is not
        raise RecipeError(f"{place} is {value!r}; it must be from {least:g} to {most:g}")


def _one_of(place: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise RecipeError(f'{place} is "{value}"', hints=near_names(value, known) or f"one of {', '.join(known)}")
