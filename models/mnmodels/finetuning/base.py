"""The network to start from: a user's Keras file of any era, or one of the zoo with its ImageNet weights."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mninfer.errors import MnError, UnsupportedModelError
from mninfer.preprocessing import PreprocessSpec, StatedPreprocess, parse_preprocess

__all__ = ["Base", "base_from_file", "base_from_zoo"]

ZOO_RESIZE = "crop:0.875"  # what the published weights were evaluated with


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """``load`` gives the network anew each time; ``preprocess`` is what its weights were trained on."""

    name: str
    load: Callable[[], Any]
    size: int
    preprocess: PreprocessSpec
    warnings: tuple[str, ...] = ()
    sha256: str | None = None  # of the file, where it is one


def base_from_file(path: Path, stated: StatedPreprocess, **options: Any) -> Base:
    """A Keras file. Its preprocessing is settled as ``evaluate`` and the converter do.

    Raises:
        PreprocessError: nothing says what it is.
    """
    from mnmodels.evaluation.keras_preprocess import settle_preprocess
    from mnmodels.keras_file import load_keras

    file = load_keras(path, **options)
    in_file = file.contract.preprocess if file.contract else None
    try:
        spec, warning = settle_preprocess(file.model, stated=stated, in_file=in_file)
    except MnError as error:
        raise error.at(str(path)) from error.__cause__
    return Base(
        name=file.name,
        load=lambda: load_keras(path, **options).model,
        size=_square_side(file.model.input_shape, str(path)),
        preprocess=spec,
        warnings=() if warning is None else (warning,),
        sha256=file.sha256,
    )


def base_from_zoo(name: str, size: int, stated: StatedPreprocess, **options: Any) -> Base:
    """A network of the registry with ImageNet weights, which are downloaded on first use. Raise MnError for others."""
    from mnmodels.architectures.registry import ARCHITECTURES, architecture, build_model

    if "weights" not in architecture(name).options():
        published = [each for each, found in ARCHITECTURES.items() if "weights" in found.options()]
        raise MnError(
            f"Keras publishes no ImageNet weights of {name}", hints=(f"one of {', '.join(published)}", "--base FILE")
        )
    preset = parse_preprocess("inception", resize=ZOO_RESIZE)
    shape = (size, size, 3)

    def load() -> Any:
        return build_model(name, **options, input_shape=shape, include_top=False, weights="imagenet")

    return Base(name=name, load=load, size=size, preprocess=preset if stated.is_empty else replace(stated.over(preset)))


def _square_side(shape: Any, where: str) -> int:
    if not (isinstance(shape, tuple) and len(shape) == 4 and shape[3] == 3):
        raise UnsupportedModelError(f"its input {shape} is not one RGB picture", where=where)
    if shape[1] is None or shape[1] != shape[2]:
        raise UnsupportedModelError(f"its input {shape} is not a square of a known size", where=where)
    return int(shape[1])
