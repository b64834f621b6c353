"""Other people's model files, known by their digests: what is said of one doesn't hold of another by the same name."""

from hashlib import sha256
from pathlib import Path

import pytest

__all__ = ["OTHERS", "read_other"]

_SHA256 = {
    "coco_ssd_mobilenet_v1_1.0_quant_2018_06_29": "61d598093ed03ed41aa47c3a39a28ac01e960d6a810a5419b9a5016a1e9c469b",
    "mobilenet_v1_0.25_128_quant": "cb273c23ee76374b05b9583177e28aa19744858a7679c56a250e83d0333da785",
    "mobilenet_v1_0.25_224_quant_with_metadata": "e480eb15572f86d3d5f1be6e83e35b3c7d509ab2bcec353707d1f614e14edca2",
    "mobilenet_v2_1.0_224_quant": "7aad0c74c5e3c06e5eb3c827e13304fdd68a83da6087d92ee169c24ff9fd4776",
}
OTHERS = tuple(_SHA256)


def read_other(shared: Path, name: str) -> bytes:
    """The bytes of ``models/NAME.tflite``; the test is skipped where that is another file by now."""
    path = shared / "models" / f"{name}.tflite"
    data = path.read_bytes()
    found = sha256(data).hexdigest()
    if found != _SHA256[name]:
        pytest.skip(f"{path.name} is another file than the one that is known: its sha256 is {found}")
    return data
