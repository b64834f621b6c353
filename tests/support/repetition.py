"""Every variant of a network as the digest of its file: ``python -m support.repetition MODEL`` prints them as JSON."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from mnconvert import Conversion, ConvertConfig, convert_all

__all__ = ["CONFIGS", "digests"]

CONFIGS: dict[str, dict[str, Any]] = {
    "none": {"variant": "none"},
    "unfused": {"variant": "none", "is_fused": False},
    "fp16": {"variant": "fp16"},
    "dynamic": {"variant": "dynamic"},
    "int8": {"variant": "int8"},
    "int8 per tensor": {"variant": "int8", "is_per_tensor": True},
    "int16x8": {"variant": "int16x8"},
}


def digests(path: Path) -> dict[str, str]:
    """sha256 by variant, whether the file passed or not: a failure has to repeat, too."""
    found = {}
    results = convert_all(path, [ConvertConfig(**each) for each in CONFIGS.values()])
    for name, result in zip(CONFIGS, results, strict=True):
        conversion = result if isinstance(result, Conversion) else result.conversion
        assert conversion is not None, f"{name}: {getattr(result, 'error', None)}"
        found[name] = hashlib.sha256(conversion.data).hexdigest()
    return found


if __name__ == "__main__":
    print(json.dumps(digests(Path(sys.argv[1]))))
