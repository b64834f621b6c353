"""Classes and functions that the user names, ``module:Class``: imported as the user asks, never as a file does."""

import importlib
import os
import re
import sys
from collections.abc import Sequence
from typing import Any

from mninfer.errors import MnError
from mninfer.near import near_names

__all__ = ["custom_classes"]

_FORM = re.compile(r"(?:(?P<name>\w+)=)?(?P<module>[\w.]+):(?P<object>\w+)", re.ASCII)


def custom_classes(stated: Sequence[str]) -> dict[str, Any]:
    """By the name that a file has for it: the class' own, or NAME in ``NAME=module:Class``. Raise MnError."""
    found = {}
    for text in stated:
        match = _FORM.fullmatch(text)
        if match is None:
            raise MnError(f'"{text}" names no class', hints="--custom module:Class, such as my_layers:Scale")
        found[match["name"] or match["object"]] = _import(match["module"], match["object"])
    return found


def _import(module_name: str, name: str) -> Any:
    if (here := os.getcwd()) not in sys.path:
        sys.path.append(here)  # a command's path lacks the folder that it is called in, where such a module lies
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise MnError(
            f'the module "{module_name}" cannot be imported: {error}',
            hints="run this where the module lies, or put its folder into PYTHONPATH",
        ) from error
    found = getattr(module, name, None)
    if not callable(found):
        near = [f"did you mean {module_name}:{each}?" for each in near_names(name, dir(module))]
        raise MnError(f'the module "{module_name}" has no class or function "{name}"', hints=near)
    return found
