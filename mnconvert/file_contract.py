"""Bytes of a flatbuffer -> bytes of our file: metadata, labels, provenance, golden vectors, then the verification."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import mninfer
from mnconvert.config import ConvertConfig
from mnconvert.source import Source
from mninfer.errors import MnError
from mninfer.model_file import Contract, GoldenVector, Graph, make_golden, read_model, write_contract
from mninfer.outputs import read_outputs
from mninfer.spec import Provenance
from mninfer.version import installed_version

__all__ = ["contract_for", "record_verification", "remarks_on_batch", "tried_file"]

_SLASHES = str.maketrans("/\\", "__")  # a name on Linux may hold a backslash; a contract holds no path
_MOST_NAMED = 8  # layers in the provenance; mnconvert's report names them all


def contract_for(
    flatbuffer: bytes,
    source: Source,
    config: ConvertConfig,
    calibration: Mapping[str, Any] | None,
    kept_float: Sequence[str] = (),
) -> Contract:
    """All but the verification; the golden vectors are what the file itself gives here, to one picture at a time.

    ``kept_float`` names the layers that compute in float within an integer file.
    """
    graph = read_model(flatbuffer, where=source.name).graph
    golden = _golden(flatbuffer, graph, source) if config.batch == 1 else ()
    return replace(_contract(graph, source, config, calibration, kept_float), golden=golden)


def tried_file(flatbuffer: bytes, source: Source, config: ConvertConfig) -> bytes:
    """A file that is measured and let go: pictures become its input as they will, nothing was recorded of it yet."""
    graph = read_model(flatbuffer, where=source.name).graph
    return write_contract(flatbuffer, _contract(graph, source, config), source.labels)


def _golden(flatbuffer: bytes, graph: Graph, source: Source) -> tuple[GoldenVector, ...]:
    with mninfer.load(flatbuffer, preprocess=source.preprocess) as model:
        engine = model.engine
        return make_golden(engine.run, graph, source.preprocess, uses_xnnpack=engine.uses_xnnpack)


def _contract(
    graph: Graph,
    source: Source,
    config: ConvertConfig,
    calibration: Mapping[str, Any] | None = None,
    kept_float: Sequence[str] = (),
) -> Contract:
    return Contract(
        task=read_outputs(graph).task,
        preprocess=source.preprocess,
        provenance=Provenance(
            source_name=source.name.translate(_SLASHES),
            source_sha256=source.sha256,
            keras_version=source.keras_version,
            mnkit_version=installed_version(),
            recipe=_recipe(config, kept_float),
            calibration=calibration,
        ),
    )


def remarks_on_batch(config: ConvertConfig) -> list[str]:
    """What a file of several pictures is not for."""
    if config.batch == 1:
        return []
    return [f"the file takes {config.batch} pictures at once: it is for Model.run, and `mninfer check` can't try it"]


def record_verification(flatbuffer: bytes, contract: Contract, source: Source, summary: Mapping[str, Any]) -> bytes:
    """The file as it is written: the same, and what was found of it."""
    data = write_contract(flatbuffer, replace(contract, verification=summary), source.labels)
    try:
        read_model(data, where=source.name)
    except MnError as error:  # a bug of ours: what we wrote does not hold by our own rules
        raise RuntimeError(f"the file that was made can't be read back: {error}") from error
    return data


def _recipe(config: ConvertConfig, kept_float: Sequence[str]) -> str:
    """Such as ``int8, per tensor, uint8 ends``: enough to ask for the same again."""
    parts = [str(config.variant)]
    parts += ["unfused"] if not config.is_fused else []
    parts += ["per tensor"] if config.is_per_tensor else []
    parts += [f"{config.scores}"] if config.scores else []
    parts += [f"for {config.target_runtime}"] if config.target_runtime else []
    if kept_float:
        some = " ".join(kept_float) if len(kept_float) <= _MOST_NAMED else f"{len(kept_float)} layers"
        parts.append(f"{some} in float")
    return ", ".join(parts)
