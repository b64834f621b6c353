"""A BatchNorm's scale and offset, which went in as inputs so that nothing could fold them, made constants again."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mnconvert.lowering.tensorflow import FEEDS
from mninfer.model_file import decode_model, encode_model

__all__ = ["fix_feeds"]


def fix_feeds(flatbuffer: bytes, feeds: Sequence[npt.NDArray[np.float32]]) -> bytes:
    """The same file with its last inputs as constants; they are told by the number at the end of their names."""
    root = decode_model(flatbuffer)
    subgraph = root["subgraphs"][0]
    kept = []
    for index in subgraph["inputs"]:
        tensor = subgraph["tensors"][index]
        name = tensor["name"].partition(":")[0]
        if FEEDS not in name:
            kept.append(index)
            continue
        root["buffers"].append({"data": feeds[int(name.rpartition("_")[2])].astype("<f4").tobytes()})
        tensor["buffer"] = len(root["buffers"]) - 1
    subgraph["inputs"] = tuple(kept)
    for signature in root.get("signature_defs", []):
        signature["inputs"] = [each for each in signature["inputs"] if each["tensor_index"] in kept]
    return encode_model(root)
