"""The model file: checked, read and written with everything that travels inside it. No TensorFlow, no engine.

The names below are the package's public face for mnconvert, mnmodels and mnbench; they are imported when first used.
Two more have modules of their own names, which would hide them here: ``annotate`` and ``image_input``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mninfer.model_file.arithmetic import Arithmetic, arithmetic_of
    from mninfer.model_file.check import check_model
    from mninfer.model_file.contract import Contract, SourceContract, dump_json, load_json
    from mninfer.model_file.describe import ModelDescription, limits_elsewhere
    from mninfer.model_file.golden import GoldenReport, GoldenVector, compare_golden, golden_picture, make_golden
    from mninfer.model_file.labels import format_labels, parse_labels
    from mninfer.model_file.read import ModelFile, read_model
    from mninfer.model_file.write import write_contract

__all__ = [
    "Arithmetic",
    "Contract",
    "GoldenReport",
    "GoldenVector",
    "ModelDescription",
    "ModelFile",
    "SourceContract",
    "arithmetic_of",
    "check_model",
    "compare_golden",
    "dump_json",
    "format_labels",
    "golden_picture",
    "limits_elsewhere",
    "load_json",
    "make_golden",
    "parse_labels",
    "read_model",
    "write_contract",
]

_HOMES = {
    "arithmetic": ("Arithmetic", "arithmetic_of"),
    "check": ("check_model",),
    "contract": ("Contract", "SourceContract", "dump_json", "load_json"),
    "describe": ("ModelDescription", "limits_elsewhere"),
    "golden": ("GoldenReport", "GoldenVector", "compare_golden", "golden_picture", "make_golden"),
    "labels": ("format_labels", "parse_labels"),
    "read": ("ModelFile", "read_model"),
    "write": ("write_contract",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"mninfer.model_file.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
