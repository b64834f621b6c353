"""Name for what they are the bytes that are no TFLite flatbuffer."""

from collections.abc import Callable, Sequence

from mninfer.errors import ModelFileError

__all__ = ["IDENTIFIER", "refuse_other_formats"]

IDENTIFIER = b"TFL3"
_CONVERT_KERAS = "mnconvert MODEL makes a .tflite of it"
_DOWNLOAD_AGAIN = "download the file again"
_NEEDS_TFLITE = "give the .tflite file that was exported from it"


def refuse_other_formats(data: bytes) -> None:
    """Return if ``data`` carries TFLite's identifier; else raise ModelFileError that says what it is and what to do."""
    if data[4:8] == IDENTIFIER:
        return
    for name in _FORMATS:
        if found := name(data):
            what, hints = found
            raise ModelFileError(what, hints=hints)
    shown = " ".join(f"{byte:02x}" for byte in data[:8])
    raise ModelFileError(
        f"not a TFLite model: the first bytes are {shown}, and no TFL3 stands at the fifth",
        hints=(_DOWNLOAD_AGAIN, "check that this is the .tflite file"),
    )


_Finding = tuple[str, Sequence[str]] | None


def _nothing(data: bytes) -> _Finding:
    if not data:
        return "the model file is empty", (_DOWNLOAD_AGAIN,)
    if not data[:4096].strip(b"\0"):
        return "the model file begins with zeros only", (_DOWNLOAD_AGAIN + "; the disk may have been full",)
    if len(data) < 8:
        return f"the model file is only {len(data)} bytes long, too short for a model", (_DOWNLOAD_AGAIN,)
    return None


def _text(data: bytes) -> _Finding:
    head = data[:2048].lstrip(b"\xef\xbb\xbf \t\r\n")
    low = head.lower()
    if head.startswith(b"version https://git-lfs"):
        return "the model file is a Git LFS pointer, not the model itself", ("git lfs pull",)
    if low.startswith((b"<!doctype html", b"<html")) or b"<html" in low[:1024]:
        return (
            "the model file is an HTML page, saved in place of the download",
            ("download it again from the link of the raw file", "open it in a browser to see what the server said"),
        )
    if low.startswith(b"<?xml"):
        return "the model file is XML, as OpenVINO's .xml or a server's error message", (_NEEDS_TFLITE, _DOWNLOAD_AGAIN)
    if head[:1] in (b"{", b"[") and _is_printable(head):
        if b"modelTopology" in data[: 1 << 16]:
            return "the model file is a TensorFlow.js model", (_NEEDS_TFLITE,)
        return "the model file is JSON, not a .tflite file", (_NEEDS_TFLITE, _DOWNLOAD_AGAIN)
    if _is_printable(head):
        return "the model file is text, not a .tflite file", ("check the order of the arguments", _DOWNLOAD_AGAIN)
    return None


def _is_printable(head: bytes) -> bool:
    try:
        text = head.decode("utf-8", "strict") if len(head) < 2000 else head[:2000].decode("utf-8", "ignore")
    except UnicodeDecodeError:
        return False
    return bool(text) and all(char.isprintable() or char in "\t\r\n\f" for char in text)


def _picture(data: bytes) -> _Finding:
    kinds = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG", b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF",
             b"MM\0*": "TIFF"}  # fmt: skip
    kind = next((kind for magic, kind in kinds.items() if data.startswith(magic)), None)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        kind = "WebP"
    if data[4:12] in (b"ftypavif", b"ftypheic"):
        kind = "AVIF or HEIC"
    if kind == "BMP" and int.from_bytes(data[2:6], "little") != len(data):
        return None
    if data[4:8] == b"ftyp" and kind is None:
        return "the model file is a video", ("the model comes first: mninfer camera MODEL --source VIDEO",)
    if kind is None:
        return None
    return f"the model file is a {kind} picture", ("the model comes first: mninfer classify MODEL IMAGE",)


def _model(data: bytes) -> _Finding:
    """Models of other frameworks that a few bytes tell."""
    if data.startswith(b"\x89HDF\r\n\x1a\n"):
        return "the model file is HDF5, as Keras writes .h5", (_CONVERT_KERAS,)
    if data.startswith(b"\x08\x01\x12"):
        return (
            "the model file is the saved_model.pb of a TensorFlow SavedModel",
            ("mnconvert FOLDER makes a .tflite of the folder it lies in",),
        )
    if data[0] == 8 and 1 <= data[1] <= 20 and data[2] in (0x12, 0x1A, 0x22, 0x3A, 0x42):
        return "the model file is ONNX", (_NEEDS_TFLITE, "onnx2tf turns ONNX into .tflite")
    if data[0] == 10 and b"\x12" in data[:256] and any(op in data[:8192] for op in (b"Placeholder", b"Const", b"NoOp")):
        return "the model file is a frozen TensorFlow graph (.pb)", (_NEEDS_TFLITE,)
    if data[4:8] == b"ORTM":
        return "the model file is ONNX Runtime's .ort", (_NEEDS_TFLITE,)
    if data[:1] == b"\x80" and 2 <= data[1] <= 5:
        return "the model file is a Python pickle, as PyTorch wrote .pt", (_NEEDS_TFLITE,)
    if data[8:10] == b'{"' and int.from_bytes(data[:8], "little") <= len(data):
        return "the model file is safetensors: weights without a graph", (_NEEDS_TFLITE,)
    if data[4:8] in (b"TFL1", b"TFL2") or (data[4:8].isalnum() and int.from_bytes(data[:4], "little") < len(data)):
        mark = data[4:8].decode("ascii", "replace")
        return f"the model file is a flatbuffer of another kind, {mark!r} instead of 'TFL3'", (_NEEDS_TFLITE,)
    return None


def _archive(data: bytes) -> _Finding:
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(data)
    kinds = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"(\xb5/\xfd": "zstd", b"7z\xbc\xaf": "7-Zip",
             b"Rar!": "RAR"}  # fmt: skip
    kind = next((kind for magic, kind in kinds.items() if data.startswith(magic)), None)
    if data[257:262] == b"ustar":
        kind = "tar"
    if kind is None:
        return None
    return f"the model file is a {kind} archive", ("unpack it and give the .tflite file inside",)


def _zip(data: bytes) -> _Finding:
    import io
    import zipfile

    try:
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return "the model file is a zip archive, damaged or truncated", (_DOWNLOAD_AGAIN,)
    if "config.json" in names and any(name.endswith((".h5", ".weights.npz")) for name in names):
        return "the model file is a Keras .keras file", (_CONVERT_KERAS,)
    if any(name.endswith("data.pkl") for name in names):
        return "the model file is a PyTorch .pt file", (_NEEDS_TFLITE,)
    inside = [name for name in names if name.endswith(".tflite")][:3]
    if inside:
        return f"the model file is a zip archive that holds {', '.join(inside)}", ("unpack it and give that file",)
    return "the model file is a zip archive", ("unpack it and give the .tflite file inside",)


def _program(data: bytes) -> _Finding:
    kinds = {b"\x7fELF": "Linux", b"MZ": "Windows", b"\xcf\xfa\xed\xfe": "macOS", b"\xca\xfe\xba\xbe": "macOS or Java"}
    kind = next((kind for magic, kind in kinds.items() if data.startswith(magic)), None)
    if kind is None:
        return None
    return f"the model file is a {kind} program or library", ("check the order of the arguments",)


def _array(data: bytes) -> _Finding:
    if data.startswith(b"\x93NUMPY"):
        return "the model file is a numpy array (.npy)", ("check the order of the arguments",)
    if data.startswith(b"%PDF"):
        return "the model file is a PDF", (_DOWNLOAD_AGAIN,)
    return None


_FORMATS: Sequence[Callable[[bytes], _Finding]] = (_nothing, _text, _picture, _archive, _program, _array, _model)
