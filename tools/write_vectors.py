"""Write tests/vectors: models, contracts, pictures, tensors, verdicts that every reader of the model file shares.

    python tools/write_vectors.py [FOLDER]

docs/formats.md describes the files. The same command gives the same bytes; a test compares them with what is committed.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import write_preprocessing_vectors
from mninfer.errors import MnError
from mninfer.model_file.archive import read_archive
from mninfer.model_file.contract import CONTRACT_NAME
from mninfer.model_file.golden import golden_picture
from mninfer.model_file.read import ModelFile, read_model
from mninfer.preprocessing import PreprocessSource, PreprocessSpec, Resize, preprocess_image
from mninfer.tensors import Quantization, TensorSpec
from vector_files import HALF, foreign_models, own_models, png

__all__ = ["write_vectors"]

FOLDER = Path(__file__).parents[1] / "tests" / "vectors"
SCHEMA = 1


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    write_vectors(parser.parse_args().folder)


def write_vectors(folder: Path) -> None:
    """Write every file; the folder may hold an earlier version of them."""
    models = {**own_models(), **foreign_models()}
    files: dict[str, bytes] = {f"models/{name}.tflite": data for name, data in models.items()}
    pictures = list(golden_pictures(models))
    for picture in pictures:
        pixels = golden_picture(picture["index"], picture["width"], picture["height"])
        files[picture["png"]] = png(pixels)
    for name, data in models.items():
        archive = read_archive(data)
        if archive and not name.startswith("bad"):
            files[f"contracts/{name}.json"] = archive.find(CONTRACT_NAME) or b""
    files = {name: data for name, data in files.items() if data}
    files["verdicts.json"] = pretty({"schema": SCHEMA, "verdicts": list(verdicts(models))})
    files["tensors.json"] = pretty({"schema": SCHEMA, "tensors": list(tensors())})
    listed = [describe(name, data) for name, data in models.items()]
    files["preprocessing.json"] = write_preprocessing_vectors.text().encode()
    files["vectors.json"] = pretty({"schema": SCHEMA, "models": listed, "pictures": pictures})
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def describe(name: str, data: bytes) -> dict[str, Any]:
    """A model's row in the index: what a reader must find in the file, or that it must refuse it."""
    row: dict[str, Any] = {"file": f"models/{name}.tflite", "sha256": sha256(data).hexdigest()}
    try:
        file = read_model(data, where=name)
    except MnError as error:
        return row | {"error": type(error).__name__, "message": error.what}
    return row | {
        "is_ours": file.is_ours,
        "flatbuffer_size": file.flatbuffer_size,
        "task": file.contract.task.value if file.contract else None,
        "preprocess": file.preprocess.to_json() if file.preprocess else None,
        "labels": list(file.labels) if file.labels else None,
        "warnings": list(file.warnings),
        "contract": f"contracts/{name}.json" if file.contract else None,
        "inputs": [tensor_row(file, index) for index in file.graph.inputs],
        "outputs": [tensor_row(file, index) for index in file.graph.outputs],
    }


def tensor_row(file: ModelFile, index: int) -> dict[str, Any]:
    """A tensor as the index lists it."""
    tensor = file.graph.tensors[index]
    return {
        "name": tensor.name,
        "shape": list(tensor.shape),
        "dtype": tensor.dtype,
        "quantization": quantization_row(tensor.quantization),
    }


def quantization_row(quantization: Quantization | None) -> dict[str, Any] | None:
    """Scale and zero point of a whole tensor."""
    if quantization is None:
        return None
    return {"scale": quantization.scales[0], "zero_point": quantization.zero_points[0]}


def golden_pictures(models: dict[str, bytes]) -> Iterator[dict[str, Any]]:
    """The pictures of all golden vectors, once each, and some of odd sizes."""
    wanted = {(0, 1, 1), (1, 2, 3), (4294967295, 5, 4), (7, 61, 40), (2, 17, 90)}
    for name in ("classifier_float", "classifier_int8", "classifier_uint8", "detector", "segmenter", "embedder"):
        contract = read_model(models[name], where=name).contract
        assert contract is not None
        wanted |= {(vector.index, vector.width, vector.height) for vector in contract.golden}
    for index, width, height in sorted(wanted):
        pixels = golden_picture(index, width, height)
        yield {
            "index": index,
            "width": width,
            "height": height,
            "png": f"pictures/{index}_{width}x{height}.png",
            "rgb_sha256": sha256(pixels.tobytes()).hexdigest(),
        }


def tensors() -> Iterator[dict[str, Any]]:
    """Preprocessing, case by case: each way to fit a picture, both interpolations, both orders, all kinds of input."""
    pixel_ends = Quantization((1 / 128,), (128,))
    inputs = {
        "float32": TensorSpec(name="", shape=(1, 24, 20, 3), shape_signature=(1, 24, 20, 3), dtype="float32"),
        "uint8": spec_of("uint8", pixel_ends),
        "int8": spec_of("int8", Quantization((0.015625,), (-5,))),
    }
    spec = PreprocessSpec(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
    bgr = replace(spec, order="bgr", mean=spec.mean[::-1], std=spec.std[::-1])
    specs = [
        (spec, "float32"),
        (bgr, "float32"),
        (replace(HALF, crop_fraction=0.875), "uint8"),
        (replace(spec, resize=Resize.LETTERBOX), "int8"),
        (replace(bgr, resize=Resize.CROP, crop_fraction=1.0, source=PreprocessSource.FILE), "int8"),
    ]
    for index, width, height in ((7, 61, 40), (2, 17, 90), (1, 2, 3)):
        pixels = golden_picture(index, width, height)
        for one, name in specs:
            for interpolation in ("area", "bilinear"):
                stated = replace(one, interpolation=type(one.interpolation)(interpolation))
                yield tensor_case((index, width, height), pixels, stated, inputs[name])


def spec_of(dtype: str, quantization: Quantization) -> TensorSpec:
    """A quantized input of 20 by 24 pixels."""
    return TensorSpec(
        name="", shape=(1, 24, 20, 3), shape_signature=(1, 24, 20, 3), dtype=dtype, quantization=quantization
    )


def tensor_case(picture: tuple[int, int, int], pixels: Any, spec: PreprocessSpec, tensor: TensorSpec) -> dict[str, Any]:
    """One case: what goes in, the hash of what must come out, its first values."""
    array = preprocess_image(pixels, spec, tensor)
    return {
        "picture": dict(zip(("index", "width", "height"), picture, strict=True)),
        "preprocess": spec.to_json(),
        "input": {
            "shape": list(tensor.shape),
            "dtype": tensor.dtype,
            "quantization": quantization_row(tensor.quantization),
        },
        "sha256": sha256(np.ascontiguousarray(array).tobytes()).hexdigest(),
        "first": array.ravel()[:12].tolist(),
    }


def verdicts(models: dict[str, bytes]) -> Iterator[dict[str, Any]]:
    """Ways to damage the models, and what a reader must say. An offset counts from the file's start."""
    for name in sorted(models):
        yield verdict(name, models[name], "as it is", {})
    for name in ("classifier_float", "classifier_uint8", "detector"):
        data = models[name]
        archive = read_archive(data)
        assert archive is not None
        weight = data.index(weights_of(data))
        contract = data.index(b'"schema"', archive.start)
        offsets = {
            "a weight": weight,
            "the metadata's identifier": data.index(b"M001"),
            "the archive's first header": archive.start,
            "the archive's first date": archive.start + 12,
            "the first entry's name": archive.start + 31,
            "a byte of mnkit.json": contract,
            "the directory": data.rindex(b"PK\x01\x02"),
            "the directory's attributes": data.rindex(b"PK\x01\x02") + 38,
            "the end record": len(data) - 22,
            "the last byte": len(data) - 1,
        }
        for what, offset in offsets.items():
            yield verdict(name, data, f"{what} changed", {"xor": {"offset": offset, "value": 1}})
        for what, size in {
            "without its archive": archive.start,
            "cut off in the archive": archive.start + 100,
            "cut off in the flatbuffer": archive.start // 2,
            "one byte short": len(data) - 1,
            "empty": 0,
        }.items():
            yield verdict(name, data, what, {"truncate": size})
        yield verdict(name, data, "a byte appended", {"append": "00"})
        yield verdict(
            name, data, "without a header", {"replace": {"offset": 0, "bytes": "3c21444f43545950452068746d6c3e"}}
        )


def verdict(name: str, data: bytes, what: str, damage: dict[str, Any]) -> dict[str, Any]:
    """One row: the damage, and the error's class or "accepted"."""
    try:
        read_model(apply_damage(data, damage), where=name)
        outcome = "accepted"
    except MnError as error:
        outcome = type(error).__name__
    return {"file": f"models/{name}.tflite", "what": what, "damage": damage, "verdict": outcome}


def apply_damage(data: bytes, damage: dict[str, Any]) -> bytes:
    """The damaged file."""
    changed = bytearray(data)
    if "xor" in damage:
        changed[damage["xor"]["offset"]] ^= damage["xor"]["value"]
    if "truncate" in damage:
        del changed[damage["truncate"] :]
    if "append" in damage:
        changed += bytes.fromhex(damage["append"])
    if "replace" in damage:
        content = bytes.fromhex(damage["replace"]["bytes"])
        changed[damage["replace"]["offset"] : damage["replace"]["offset"] + len(content)] = content
    return bytes(changed)


def weights_of(data: bytes) -> bytes:
    """The first constant of some size: its bytes stand in the file once."""
    graph = read_model(data, where="").graph
    return next(bytes(tensor.data) for tensor in graph.tensors if tensor.data is not None and len(tensor.data) >= 36)


def pretty(value: dict[str, Any]) -> bytes:
    """JSON for people and programs."""
    return (json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


if __name__ == "__main__":
    main()
