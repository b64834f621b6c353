"""A configuration and its weights to a model: translate, build, match, and only then allocate."""

from collections.abc import Mapping, Sequence
from typing import Any

from mninfer.errors import KerasFileError
from mnmodels.keras_file.build import build
from mnmodels.keras_file.custom_classes import custom_classes
from mnmodels.keras_file.deferred import building, check_num_parameters, forget_built, give_values
from mnmodels.keras_file.description import Era
from mnmodels.keras_file.era_config import era_of, read_config
from mnmodels.keras_file.findings import Findings
from mnmodels.keras_file.hdf5 import Hdf5
from mnmodels.keras_file.keras_3_weights import is_keras_3, match_keras_3
from mnmodels.keras_file.legacy_weights import legacy_groups, match_legacy
from mnmodels.keras_file.weight_targets import FoundWeights, Target, targets_of_plan

__all__ = ["match_weights", "model_from_config"]


def model_from_config(
    config: Any,
    file: Hdf5,
    *,
    version: str | None,
    backend: str | None,
    lambdas: Mapping[str, str],
    custom: Sequence[str],
) -> tuple[Any, tuple[str, ...]]:
    """The model, and what was changed of it. Keras must have been started."""
    era = era_of(version, backend, config)
    findings = Findings()
    plan = read_config(config, era, findings, lambdas=lambdas, custom=custom_classes(custom))
    findings.refuse_offenders()
    with building():
        built = build(plan)
    check_num_parameters(built.model)
    try:
        found = match_weights(targets_of_plan(plan, built), file, era)
    except KerasFileError:
        forget_built()
        raise
    give_values(found.values)
    for layer in built.layers.values():
        if hasattr(layer, "finalize_state"):  # Normalization keeps its weights a second time, ready for use
            layer.finalize_state()
    return built.model, findings.changes()


def match_weights(targets: tuple[Target, ...], file: Hdf5, era: Era) -> FoundWeights:
    """Values for all variables, from either layout. Raise KerasFileError that lists what does not fit."""
    found = FoundWeights()
    root = "model_weights" if any(path.startswith("model_weights/") for path in file.arrays) else ""
    groups = legacy_groups(file, root)
    if groups is not None:
        match_legacy(targets, groups, era, found)
    elif is_keras_3(file):
        match_keras_3(targets, file, found)
    elif targets:
        raise KerasFileError("the file has no weights in any layout of Keras", hints="save the model again, whole")
    found.check(targets)
    return found
