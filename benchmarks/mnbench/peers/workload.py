"""A peer as a workload: its input made of the job's, its outputs dequantized, by the flatbuffer's own numbers.

Runs in the peer's environment: the standard library, numpy, mninfer, and the peer.
"""

import json
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, cast

import numpy as np

from mnbench.job import Job
from mnbench.peers.engines.protocol import EngineRequest, PeerEngine
from mnbench.peers.peer import Peer, peer_named
from mnbench.peers.prepared import PreparedFile, record_path
from mnbench.workloads.inputs import quantize, read_input
from mnbench.workloads.protocol import Array
from mninfer.errors import InputError, UnsupportedModelError, VariantError
from mninfer.postprocessing import dequantize

__all__ = ["PeerWorkload", "open_workload"]


# What a variant is to be computed in, of those that peers run.
_PRECISIONS = {"int8": "int8", "int16x8": "int16x8", "dynamic": "dynamic"}


def open_workload(job: Job) -> "PeerWorkload":
    """Give the job's file, which ``peers.convert`` made, to the peer that the cell names.

    Raises:
        InputError: the job has no such file, or no input.
        MissingDependencyError: this Python hasn't the peer.
        EngineError: the peer refuses the file.
        UnsupportedModelError: the file takes no such input; VariantError: the peer can't have that many threads.
    """
    if job.file is None or job.input is None:
        raise InputError(f"the job of {job.cell.key} names no model file, or no input")
    peer = peer_named(job.cell.engine)
    _check_threads(peer, job.cell.threads)
    name = peer.name
    prepared = _read_record(job, name)
    pictures = read_input(job)
    if pictures.shape != prepared.input.shape:
        raise UnsupportedModelError(
            f"the file takes {list(prepared.input.shape)}, the input is {list(pictures.shape)}", where=str(job.file)
        )
    request = EngineRequest(
        file=job.file,
        prepared=prepared,
        array=np.ascontiguousarray(quantize(pictures, prepared.input)),
        pictures=pictures,
        threads=job.cell.threads,
    )
    module = import_module(f"mnbench.peers.engines.{name}_engine")
    return PeerWorkload(name, cast(PeerEngine, module.open_engine(request)), prepared)


class PeerWorkload:
    """One run of the peer is what is timed."""

    def __init__(self, name: str, engine: PeerEngine, prepared: PreparedFile) -> None:
        self._name = name
        self._engine = engine
        self._prepared = prepared
        self.run = engine.run

    def parts_ns(self) -> Mapping[str, int]:
        """No parts: a run is one."""
        return {}

    def outputs(self) -> Sequence[Array]:
        """Every output of the last run, dequantized, in the shape that it has in the flatbuffer."""
        return [
            np.asarray(dequantize(np.asarray(array), tensor.quantization), np.float32).reshape(tensor.shape)
            for array, tensor in zip(self._engine.outputs(), self._prepared.outputs, strict=True)
        ]

    def facts(self) -> Mapping[str, Any]:
        """The engine's own, and in which precision it was asked to compute, where it doesn't tell in which it did."""
        limits = peer_named(self._name).limits
        return {
            "precision": f"{_PRECISIONS.get(self._prepared.variant, 'float32')}, asked for",
            **self._engine.facts(),
            "made_by": dict(self._prepared.made_by),
            "input_dtype": self._prepared.input.dtype,
            **({"limits": list(limits)} if limits else {}),
        }

    def close(self) -> None:
        self._engine.close()


def _check_threads(peer: Peer, threads: int | None) -> None:
    """Raise VariantError rather than measure one thread under the name of several."""
    if peer.most_threads is not None and threads is not None and threads > peer.most_threads:
        raise VariantError(
            f"{peer.title} {peer.limits[0]}, and {threads} were asked for", hints=f"--threads {peer.most_threads}"
        )


def _read_record(job: Job, name: str) -> PreparedFile:
    assert job.file is not None
    path = record_path(job.file)
    try:
        prepared = PreparedFile.from_json(json.loads(path.read_text(encoding="utf-8")), path.name)
    except (OSError, ValueError) as error:
        raise InputError(f"the peer's file has no record that can be read: {error}", where=str(path)) from error
    if prepared.peer != name:
        raise InputError(f"the file was made for {prepared.peer}, not for {name}", where=str(job.file))
    return prepared
