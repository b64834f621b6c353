"""Data types of tensors: their sizes in memory and the ranges of the quantized ones."""

__all__ = ["BITS", "INTEGER_FORMATS", "QUANTIZED_RANGES", "size_bytes"]

BITS = {
    "bool": 8, "int8": 8, "uint8": 8, "int16": 16, "uint16": 16, "int32": 32, "uint32": 32, "int64": 64, "uint64": 64,
    "float16": 16, "bfloat16": 16, "float32": 32, "float64": 64, "complex64": 64, "complex128": 128,
    "int2": 2, "int4": 4, "uint4": 4, "float8_e4m3fn": 8, "float8_e5m2": 8,
}  # fmt: skip
"""Types whose tensors have a size; strings, resources and variants have none."""

QUANTIZED_RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767), "int4": (-8, 7), "int32": (0, 0),
                    "int64": (0, 0), "int2": (-2, 1), "uint4": (0, 15), "uint16": (0, 65535)}  # fmt: skip
"""Where a zero point may lie. Biases are int32 or int64 and have none."""

INTEGER_FORMATS = {"int8": "b", "uint8": "B", "int16": "h", "int32": "i", "int64": "q"}
"""``struct`` letters of the types that axes, sizes, paddings and indices come in."""


def size_bytes(dtype: str, num_elements: int) -> int:
    """Bytes of a tensor; types of less than a byte are packed."""
    return (BITS[dtype] * num_elements + 7) // 8
