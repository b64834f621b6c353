"""A file of weights and a network's name -> a Keras model that has them, verified; nothing is written here.

read_weights -> build -> translate -> fit -> assign -> verify
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mninfer.errors import InputError
from mninfer.model_file import SourceContract
from mninfer.preprocessing import PRESETS, PreprocessSource, PreprocessSpec, Resize, StatedPreprocess
from mnmodels.backend import start_keras
from mnmodels.weights.fitting import FitConfig, Weights, fit
from mnmodels.weights.named_arrays import NamedArrays, SourceKind
from mnmodels.weights.network import Network, network_of
from mnmodels.weights.sources import read_weights
from mnmodels.weights.translate import Translated, translate
from mnmodels.weights.verify import check_finite, compare_with_flatbuffer

__all__ = ["ImportConfig", "Imported", "assign", "import_weights"]

_DOUBT = "warning: the file's outputs vary by {:.1g} only from input to input, so that their agreement says little"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportConfig:
    """What to build (``build_model``'s name and options) and what to record with it.

    ``drop_background`` takes class 0 of the file's classifier away; ``without_top`` leaves all of it away.
    """

    network: Mapping[str, Any]
    drop_background: bool = False
    without_top: bool = False
    labels: tuple[str, ...] | None = None
    preprocess: StatedPreprocess = field(default_factory=StatedPreprocess)


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The model, what its file shall carry, and what the user should know.

    ``difference`` is the largest one between its outputs and the source's own; None where the source can't be run.
    """

    model: Any
    contract: SourceContract
    kind: SourceKind
    dialect: str
    num_arrays: int
    num_parameters: int
    notes: tuple[str, ...]
    difference: float | None


def import_weights(path: str | os.PathLike[str], config: ImportConfig) -> Imported:
    """Read weights and give them to a registry network.

    Raises:
        InputError, KerasFileError, ModelFileError: the file can't be used.
        UnsupportedModelError: the weights don't fit the network; lists all that doesn't.
        VerifyError: the model doesn't compute what the source does.
    """
    source = read_weights(path)
    start_keras()
    options = _options(source, config)
    model, translated = _matching(source, options, config)
    has_top = not config.without_top and options.get("include_top") is not False
    left_out: tuple[str, ...] = ()
    if not has_top:
        whole, model = network_of(model), _build(options | {"include_top": False})
        left_out = _lacking(network_of(model), whole)
    fit_config = FitConfig(where=source.where, drop_background=config.drop_background, left_out=left_out)
    weights, notes = fit(translated, network_of(model), fit_config)
    assign(model, weights)
    if translated.dialect.relu_max is None:
        _lift_ceilings(model)
    is_whole = has_top and not config.drop_background
    difference, doubts = _verify(model, source, is_whole=is_whole)
    contract, assumed = _contract(source, config, model, has_classes=has_top)
    return Imported(
        model=model,
        contract=contract,
        kind=source.kind,
        dialect=translated.dialect.about,
        num_arrays=len(translated.weights),
        num_parameters=sum(array.size for array in weights.values()),
        notes=(*translated.notes, *notes, *doubts, *assumed),
        difference=difference,
    )


def _lacking(network: Network, whole: Network) -> tuple[str, ...]:
    """The layers of the whole network that this one hasn't: the classifier, which is two layers in V3."""
    return tuple(layer.name for layer in whole.layers if network.layer(layer.name) is None)


def _verify(model: Any, source: NamedArrays, *, is_whole: bool) -> tuple[float | None, list[str]]:
    """The largest difference from the source's own outputs, where these can be had; and what that is worth."""
    check_finite(model, source.where)
    if source.flatbuffer is None or not is_whole:
        return None, []
    comparison = compare_with_flatbuffer(model, source.flatbuffer, source.where)
    return comparison.difference, [_DOUBT.format(comparison.spread)] if comparison.says_little else []


def assign(model: Any, weights: Weights) -> None:
    """Set every weight of ``model``; ``weights`` has them all, by ``layer/variable``, in their shapes."""
    for layer in model.layers:
        for variable in layer.weights:
            variable.assign(weights[f"{layer.name}/{variable.name}"])


def _options(source: NamedArrays, config: ImportConfig) -> dict[str, Any]:
    """What is stated, and the size of the picture where the file knows it."""
    options = dict(config.network)
    if options.get("weights") is not None:
        raise InputError("the weights are those of the file, and of no other one", hints='leave out "weights"')
    if source.input_shape is not None and len(source.input_shape) == 3:
        options.setdefault("input_shape", source.input_shape)
    return options


def _build(options: Mapping[str, Any]) -> Any:
    from mnmodels.architectures.registry import build_model

    return build_model(**options)


def _matching(source: NamedArrays, options: Mapping[str, Any], config: ImportConfig) -> tuple[Any, Translated]:
    """The network with its classifier, of as many classes as the file has where nothing else was stated."""
    whole = dict(options) | {"include_top": True, "pooling": None}
    if "pooling" not in options:
        del whole["pooling"]
    model = _build(whole)
    network = network_of(model)
    translated = translate(source, network)
    classes = _classes(translated, network)
    if classes is not None and "classes" not in options:
        classes -= config.drop_background
        if classes != model.output_shape[-1] and classes > 0:
            model = _build(whole | {"classes": classes})
    return model, translated


def _classes(translated: Translated, network: Network) -> int | None:
    """How many classes the file's classifier has."""
    kernel = translated.weights.get(f"{network.head.name}/kernel") if network.head else None
    return kernel.shape[-1] if kernel is not None and kernel.ndim else None


def _lift_ceilings(model: Any) -> None:
    for layer in model.layers:
        if type(layer).__name__ == "ReLU":
            layer.max_value = None


def _contract(
    source: NamedArrays, config: ImportConfig, model: Any, *, has_classes: bool
) -> tuple[SourceContract, list[str]]:
    """Labels and preprocessing: stated before the file's before what such networks are made for."""
    carried = source.contract or SourceContract(labels=None, preprocess=None)
    base, notes = carried.preprocess, []
    if base is None:
        base = _usual_preprocess(model)
        if config.preprocess.preprocess is None:
            notes.append(f"preprocessing assumed, as such networks are made for: {_text(base)}; --preprocess states it")
    spec = base if config.preprocess.is_empty else config.preprocess.over(base)
    labels = config.labels
    if labels is not None:
        _check_labels(labels, model.output_shape[-1] if has_classes else None)
    if labels is None and carried.labels is not None and len(carried.labels) == model.output_shape[-1]:
        labels = carried.labels
    if labels is None and has_classes:
        notes.append("no labels: --labels FILE puts them into the model")
    return SourceContract(labels=labels, preprocess=spec), notes


def _check_labels(labels: tuple[str, ...], classes: int | None) -> None:
    if len(labels) == classes:
        return
    if classes is None:
        raise InputError("labels for a network without its classifier", hints="leave --labels or --without-top away")
    hints = {
        1: "the first label seems to be the background, and the network has no such class: take that line out",
        -1: "the network's class 0 seems to be the background: --drop-background, or a first line “background”",
    }
    raise InputError(
        f"{len(labels):,} labels for {classes:,} classes",
        hints=hints.get(len(labels) - classes, "give the label file that belongs to these weights: --labels FILE"),
    )


def _usual_preprocess(model: Any) -> PreprocessSpec:
    """Inception's; photos are cropped to 0.875 as TF-slim and Keras evaluate, small pictures taken whole."""
    inception = replace(PRESETS["inception"], source=PreprocessSource.ASSUMED)
    if model.input_shape[1] is not None and model.input_shape[1] <= 64:
        return inception
    return replace(inception, resize=Resize.CROP, crop_fraction=0.875)


def _text(spec: PreprocessSpec) -> str:
    fraction = f" to {spec.crop_fraction:g}" if spec.resize is Resize.CROP else ""
    return f"(pixel - {spec.mean[0]:g}) / {spec.std[0]:g}, {spec.order.upper()}, {spec.resize}{fraction}"
