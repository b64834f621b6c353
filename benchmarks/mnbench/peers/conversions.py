"""The conversions themselves: each runs a peer's own tool as a program, in the environment that it is installed in.

A conversion gets a flatbuffer, the path that the peer's file shall have, and the environments by name. What of a
tool's options is not its default is told with the reason.
"""

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path

from mnbench.last_words import last_words
from mnbench.peers.environments import Installed
from mninfer.errors import MissingDependencyError, UnsupportedModelError
from mninfer.tensors import TensorSpec

__all__ = ["CONVERSIONS", "Conversion", "Environments"]

Environments = Mapping[str, Installed]
Conversion = Callable[[Path, Path, TensorSpec, Environments], None]

_LIMIT_S = 600
# ONNX 18: what all of the peers below read.
_OPSET = "18"


def _to_onnx(source: Path, target: Path, _: TensorSpec, environments: Environments) -> None:
    """Float and integer operators alike: an integer tensor becomes a pair of QuantizeLinear and DequantizeLinear."""
    options = ["--tflite", str(source), "--output", str(target), "--opset", _OPSET]
    _run_tool("tf2onnx", [str(environments["tf2onnx"].python), "-m", "tf2onnx.convert", *options], target)


def _to_unsigned_onnx(source: Path, target: Path, input_: TensorSpec, environments: Environments) -> None:
    """Its activations without a sign where the CPU wants them so (tools/unsigned_activations.py)."""
    _to_onnx(source, target, input_, environments)
    with as_file(files("mnbench.peers") / "tools" / "unsigned_activations.py") as program:
        _run_tool("onnx", [str(environments["tf2onnx"].python), str(program), str(target)], target)


def _to_mnn(source: Path, target: Path, _: TensorSpec, environments: Environments) -> None:
    """Through the converter's native module.

    The program mnnconvert above it installs a package for sending usage data, with the first pip of the PATH, into
    whatever environment that is, and then sends them.
    """
    options = ["-f", "TFLITE", "--modelFile", str(source), "--MNNModel", str(target), "--bizCode", "mnbench"]
    program = "import sys, _tools; _tools.mnnconvert(['mnnconvert', *sys.argv[1:]])"
    _run_tool("mnnconvert", [str(environments["mnn"].python), "-c", program, *options], target)


def _to_ncnn(source: Path, target: Path, input_: TensorSpec, environments: Environments) -> None:
    """By way of ONNX; fp16=0: pnnx would store the weights in half precision."""
    if input_.shape[0] != 1:
        raise UnsupportedModelError(f"ncnn takes one picture to a run, the file {input_.shape[0]}")
    onnx = target.with_name("model.onnx")
    _to_onnx(source, onnx, input_, environments)
    shape = ",".join(str(size) for size in input_.shape)
    param = target.with_suffix(".param")  # NAME.ncnn.bin and NAME.ncnn.param
    rest = {"pnnxparam": "a.param", "pnnxbin": "a.bin", "pnnxpy": "a.py", "pnnxonnx": "a.onnx", "ncnnpy": "b.py"}
    options = [f"{name}={target.with_name(f'rest.{value}')}" for name, value in rest.items()]
    program = _pnnx_program(environments["pnnx"])
    outputs = [f"ncnnparam={param}", f"ncnnbin={target}"]
    _run_tool("pnnx", [str(program), str(onnx), f"inputshape=[{shape}]", "fp16=0", *outputs, *options], target, param)


def _pnnx_program(environment: Installed) -> Path:
    """The program in the package: the script that starts it would import torch."""
    name = "pnnx.exe" if os.name == "nt" else "pnnx"
    packages = "Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages"
    found = sorted(environment.folder.glob(f"{packages}/pnnx/{name}"))
    if not found:
        raise UnsupportedModelError(
            "the package pnnx has no program for this system", hints="mnbench peers remove pnnx, and install it again"
        )
    return found[0]


CONVERSIONS: Mapping[str, Conversion] = {
    "onnxruntime": _to_unsigned_onnx,
    "openvino": _to_unsigned_onnx,
    "mnn": _to_mnn,
    "ncnn": _to_ncnn,
    "opencv": _to_onnx,
}


def _run_tool(tool: str, command: Sequence[str], *targets: Path) -> None:
    """Run it, and hold it to its word: some end with 0 and have written nothing."""
    variables = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={**variables, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"},
            timeout=_LIMIT_S,
            check=False,
        )
    except OSError as error:
        raise MissingDependencyError(
            f"{tool} can't be started: {error.strerror}",
            where=command[0],
            hints="mnbench peers remove takes its environment away, and install makes it again",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UnsupportedModelError(f"{tool} did not end within {_LIMIT_S} s") from error
    if done.returncode != 0:
        raise UnsupportedModelError(f"{tool} ended with {done.returncode}: {last_words(done.stdout)}")
    if missing := [path.name for path in targets if not path.exists()]:
        raise UnsupportedModelError(f"{tool} wrote no {' and no '.join(missing)}: {last_words(done.stdout)}")
