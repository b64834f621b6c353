"""JSON from a file, parsed and brought to plain values, all of it bounded."""

import json
from typing import Any

import numpy as np

from mninfer.errors import KerasFileError

__all__ = ["parse_json", "plain", "shown"]

MAX_JSON_BYTES = 8 << 20  # the largest network of keras.applications has 2 MB
MAX_DEPTH = 100
MAX_NUMBER = 1 << 53
MAX_ITEMS = 100_000
MAX_CHARACTERS = 1000


def parse_json(text: str | bytes, name: str) -> Any:
    """Untrusted JSON: bounded in size and depth, no NaN, no key twice. Raise KerasFileError."""
    if len(text) > MAX_JSON_BYTES:
        raise KerasFileError(f"{name} has {len(text):,} bytes; at most {MAX_JSON_BYTES:,} are read")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise KerasFileError(f"{name} is not JSON that can be read: {str(error)[:200]}") from error
    _check_depth(value, name)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _check_depth(value: Any, name: str) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for item in level
            if item and isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise KerasFileError(f"{name} is nested more than {MAX_DEPTH} deep")


def plain(value: Any) -> Any:
    """An option's value: numbers, texts, lists of such; tuples, shapes and arrays in any of Keras' spellings.

    Raise ValueError for anything else, which no option of a layer on our list has.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        if abs(value) > MAX_NUMBER:
            raise ValueError(f"the number {value:.3g}" if isinstance(value, float) else "a number beyond all sizes")
        return value
    if isinstance(value, str):
        if len(value) > MAX_CHARACTERS:
            raise ValueError(f"a text of {len(value)} characters")
        return value
    if isinstance(value, list):
        if len(value) > MAX_ITEMS:
            raise ValueError(f"a list of {len(value)} items")
        return [plain(item) for item in value]
    return _spelled_out(value)


def _spelled_out(value: dict[str, Any]) -> Any:
    """Objects that stand for a tuple, a shape or an array."""
    if value.get("type") == "ndarray":  # Keras 2
        return plain(value.get("value"))
    match value.get("class_name"):
        case "__tuple__" | "TensorShape":
            return plain(value.get("items"))
        case "__tensor__" | "__numpy__":  # Keras 3
            return _array(value.get("config"))
    raise ValueError(f"an object {shown(value)}")


def _array(config: Any) -> Any:
    if not isinstance(config, dict) or config.get("dtype") not in {"float32", "float64", "float16", "int32", "int64"}:
        raise ValueError(f"an array {shown(config)}")
    return np.asarray(plain(config.get("value")), config["dtype"])


def shown(value: Any) -> str:
    """A value for a message, short."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
