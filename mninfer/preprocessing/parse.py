"""The texts of ``--preprocess``, ``--resize`` and ``--interpolation`` -> typed choices, or a PreprocessError."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from mninfer.errors import PreprocessError
from mninfer.preprocessing.spec import PRESETS, Interpolation, PreprocessSpec, Resize

__all__ = ["parse_interpolation", "parse_preprocess", "parse_resize"]

DEFAULT_CROP = 0.875  # the central crop that ImageNet models are evaluated with
EXAMPLE = "mean=127.5,std=127.5 or mean=123.675/116.28/103.53,std=58.395/57.12/57.375,order=rgb"

Choice = TypeVar("Choice", bound=StrEnum)


def parse_preprocess(text: str, *, resize: str = "stretch", interpolation: str = "area") -> PreprocessSpec:
    """Read ``inception|torch|caffe|raw`` or ``mean=M,std=S[,order=rgb|bgr]``.

    M and S are one number, or three separated by "/" in the order the model sees them. A mean needs its std; otherwise
    mean is 0 and std 1 where they are left out. The order is rgb.
    """
    how, fraction = parse_resize(resize)
    values = _read_preset(text) if "=" not in text else _read_values(text)
    return PreprocessSpec(
        mean=values.mean,
        std=values.std,
        order=values.order,
        resize=how,
        crop_fraction=fraction,
        interpolation=parse_interpolation(interpolation),
    )


def parse_resize(text: str) -> tuple[Resize, float]:
    """Read ``stretch``, ``letterbox``, ``crop`` (0.875) or ``crop:F``; the fraction is 1 where nothing is cropped."""
    name, colon, fraction = text.strip().lower().partition(":")
    how = _choose("resize", name, Resize)
    if how is not Resize.CROP:
        if colon:
            raise PreprocessError(f'resize "{text}": only "crop" takes a fraction', hints=f"--resize {how}")
        return how, 1.0
    if not colon:
        return how, DEFAULT_CROP
    value = _number("crop fraction", fraction)
    if not 0 < value <= 1:
        raise PreprocessError(
            f'crop fraction "{fraction}" is not above 0 and at most 1', hints=f"--resize crop:{DEFAULT_CROP}"
        )
    return how, value


def parse_interpolation(text: str) -> Interpolation:
    """Read ``area`` or ``bilinear``."""
    return _choose("interpolation", text.strip().lower(), Interpolation)


def _read_preset(text: str) -> PreprocessSpec:
    name = text.strip().lower()
    if name not in PRESETS:
        raise PreprocessError(
            f'unknown preprocessing "{text}"', hints=[*_near(name, PRESETS, PRESETS), f"numbers of your own: {EXAMPLE}"]
        )
    return PRESETS[name]


def _read_values(text: str) -> PreprocessSpec:
    known = ("mean", "std", "order")
    found: dict[str, str] = {}
    for item in text.split(","):
        key, equals, value = (part.strip().lower() for part in item.partition("="))
        if not equals:
            raise PreprocessError(f'preprocessing "{text}": "{item.strip()}" has no "="', hints=f"write {EXAMPLE}")
        if key not in known:
            raise PreprocessError(f'preprocessing "{text}": unknown key "{key}"', hints=_near(key, known, known))
        if key in found:
            raise PreprocessError(f'preprocessing "{text}": "{key}" is given twice')
        found[key] = value
    if found.get("order", "rgb") not in ("rgb", "bgr"):
        raise PreprocessError(
            f'preprocessing "{text}": unknown order "{found["order"]}"', hints="order=rgb or order=bgr"
        )
    mean = _channels("mean", found.get("mean", "0"))
    if "mean" in found and "std" not in found:
        raise PreprocessError(
            f'preprocessing "{text}": std is missing', hints=[f"write {EXAMPLE}", "std=1, if nothing is divided"]
        )
    return PreprocessSpec(
        mean=mean,
        std=_channels("std", found.get("std", "1")),
        order=found.get("order", "rgb"),
    )


def _channels(name: str, text: str) -> tuple[float, float, float]:
    values = [_number(name, part) for part in text.split("/")]
    if len(values) == 1:
        values *= 3
    if len(values) != 3:
        raise PreprocessError(f'{name} "{text}" has {len(values)} values', hints=f"one or three: {EXAMPLE}")
    return values[0], values[1], values[2]


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise PreprocessError(f'{name} "{text}" is not a number', hints=f"for instance {EXAMPLE}") from None


def _choose(what: str, text: str, kind: type[Choice]) -> Choice:
    choices = [str(choice) for choice in kind]
    if text not in choices:
        raise PreprocessError(f'unknown {what} "{text}"', hints=_near(text, choices, choices))
    return kind(text)


def _near(text: str, candidates: Iterable[str], choices: Iterable[str]) -> list[str]:
    """What was probably meant, then all there is."""
    from mninfer.near import near_names

    return [*(f'did you mean "{match}"?' for match in near_names(text, candidates)), "one of " + ", ".join(choices)]
