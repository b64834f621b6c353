"""Write tests/vectors/preprocessing.json: pictures by formula, preprocessing, and the hash of the tensor they become.

python tools/write_preprocessing_vectors.py

Any implementation in any language must give the same hashes; so must every OpenCV from 4.6 on, on every processor.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mninfer.preprocessing import PRESETS, PreprocessSpec, input_geometry, parse_preprocess, preprocess_image
from mninfer.tensors import Quantization, TensorSpec

OUTPUT = Path(__file__).resolve().parent.parent / "tests" / "vectors" / "preprocessing.json"
FORMULA = "pixel[y, x, c] = (x * (5 + 2 * c) + y * (3 + c) + ((x * y) >> (3 + c)) + ((x ^ y) & 31)) & 255, c = 0 red"
SIZES = [
    (500, 375),
    (375, 500),
    (224, 224),
    (160, 90),
    (37, 203),
    (1, 1),
    (1000, 3),
    (256, 256),
    (640, 480),
    (1003, 701),
]
RESIZES = ["stretch", "crop", "crop:1", "crop:0.5", "letterbox"]
QUANTIZATIONS = {
    "float32": (None, None),
    "uint8": (0.0078125, 128),
    "int8": (0.018658, -14),
    "int16": (0.0001, 0),
    "float16": (None, None),
}
CASES = [("inception", "float32"), ("torch", "float32"), ("caffe", "float32"), ("raw", "uint8"), ("inception", "uint8")]
CASES += [("inception", "int8"), ("torch", "int8"), ("torch", "int16"), ("torch", "float16")]


def formula_picture(width: int, height: int) -> npt.NDArray[np.uint8]:
    """The picture of ``FORMULA``."""
    y, x, c = np.mgrid[:height, :width, :3]
    pixels = x * (5 + 2 * c) + y * (3 + c) + ((x * y) >> (3 + c)) + ((x ^ y) & 31)
    return (pixels & 255).astype(np.uint8)


def tensor_of(dtype: str, shape: tuple[int, ...], scale: float | None, zero_point: int | None) -> TensorSpec:
    quantization = None if scale is None or zero_point is None else Quantization((scale,), (zero_point,))
    return TensorSpec(name="input", shape=shape, shape_signature=shape, dtype=dtype, quantization=quantization)


def sha256(array: npt.NDArray[np.generic]) -> str:
    little = array.astype(array.dtype.newbyteorder("<"))
    return hashlib.sha256(np.ascontiguousarray(little).tobytes()).hexdigest()


def vector(size: tuple[int, int], spec: PreprocessSpec, dtype: str, shape: tuple[int, ...]) -> dict[str, object]:
    scale, zero_point = QUANTIZATIONS[dtype]
    tensor = tensor_of(dtype, shape, scale, zero_point)
    geometry = input_geometry(size, spec, (shape[2], shape[1]))
    region, placed = geometry.region, geometry.placed
    return {
        "picture": list(size),
        "preprocess": spec.to_json(),
        "tensor": {"dtype": dtype, "shape": list(shape), "scale": scale, "zero_point": zero_point},
        "region": [region.left, region.top, region.width, region.height],
        "num_halvings": geometry.num_halvings,
        "placed": [placed.left, placed.top, placed.width, placed.height],
        "sha256": sha256(preprocess_image(formula_picture(*size), spec, tensor)),
    }


def vectors() -> list[dict[str, object]]:
    result = []
    for interpolation in ("area", "bilinear"):
        for resize in RESIZES:
            spec = parse_preprocess("raw", resize=resize, interpolation=interpolation)
            result += [vector(size, spec, "uint8", (1, 224, 224, 3)) for size in SIZES]
    wide = parse_preprocess("inception", resize="crop")
    result += [vector(size, wide, "float32", (1, 96, 160, 3)) for size in SIZES]
    result += [vector((300, 200), PRESETS[preset], dtype, (1, 128, 128, 3)) for preset, dtype in CASES]
    result += [vector((300, 200), PRESETS["inception"], "float32", (1, 64, 64, 1))]
    return result


def text() -> str:
    """The file's content; ``write_vectors.py`` writes it with all the others."""
    lines = ",\n".join(json.dumps(entry) for entry in vectors())
    formula = json.dumps(FORMULA)
    return f'{{"schema": 1, "formula": {formula}, "vectors": [\n{lines}\n]}}\n'


def main() -> None:
    OUTPUT.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
