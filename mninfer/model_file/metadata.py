"""TFLite metadata (the buffer ``TFLITE_METADATA``, metadata_schema.fbs) as typed data, both ways.

Only what an image model's readers act on is typed: names, colour space, normalization, label files, ranges, boxes. The
rest of a foreign file's metadata is checked for soundness by the decoder and left aside.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mninfer.model_file.flatbuffer import Table, decode, encode, load_schema

__all__ = [
    "METADATA_NAME",
    "Content",
    "FileMetadata",
    "LabelFile",
    "LabelKind",
    "TensorMetadata",
    "read_metadata",
    "write_metadata",
]

METADATA_NAME = "TFLITE_METADATA"

# The oldest metadata parser that understands what write_metadata writes. metadata_schema.fbs lists what each version
# since 1.0.0 added (vocabularies, tokenizers, tensor groups, audio, ...); none of it is used here.
MIN_PARSER_VERSION = "1.0.0"


class Content(StrEnum):
    """What a tensor holds, as the metadata says it."""

    IMAGE = "image"
    FEATURE = "feature"
    BOXES = "boxes"
    UNKNOWN = "unknown"


class LabelKind(StrEnum):
    """Whether labels name the places along the last axis (classification) or the values (detected classes)."""

    AXIS = "TENSOR_AXIS_LABELS"
    VALUE = "TENSOR_VALUE_LABELS"


@dataclass(frozen=True, slots=True)
class LabelFile:
    """An associated file with labels: an entry of the archive. ``locale`` is empty for the language of the model."""

    name: str
    kind: LabelKind
    locale: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorMetadata:
    """One input or output. ``is_rgb`` is False where the colour space is another one or not known."""

    name: str = ""
    description: str = ""
    content: Content = Content.UNKNOWN
    is_rgb: bool = False
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    minimum: tuple[float, ...] = ()
    maximum: tuple[float, ...] = ()
    label_files: tuple[LabelFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMetadata:
    """What a file says of itself, and of its inputs and outputs in the order of the graph's."""

    name: str = ""
    description: str = ""
    version: str = ""
    author: str = ""
    license: str = ""
    min_parser_version: str = ""
    inputs: tuple[TensorMetadata, ...] = ()
    outputs: tuple[TensorMetadata, ...] = ()


_TEXTS = ("name", "description", "version", "author", "license", "min_parser_version")


def read_metadata(data: bytes | memoryview) -> FileMetadata:
    """Decode untrusted metadata. Raise ModelFileError where it is damaged."""
    root = decode(bytes(data), load_schema("metadata"))
    subgraphs = root.get("subgraph_metadata") or [{}]
    return FileMetadata(
        **{field: root.get(field, "") for field in _TEXTS},
        inputs=tuple(_read_tensor(tensor) for tensor in subgraphs[0].get("input_tensor_metadata", [])),
        outputs=tuple(_read_tensor(tensor) for tensor in subgraphs[0].get("output_tensor_metadata", [])),
    )


def write_metadata(metadata: FileMetadata) -> bytes:
    """Encode; ``min_parser_version`` is ours, whatever the argument says."""
    root: Table = {field: getattr(metadata, field) for field in _TEXTS if getattr(metadata, field)}
    root["min_parser_version"] = MIN_PARSER_VERSION
    root["subgraph_metadata"] = [
        {
            "input_tensor_metadata": [_write_tensor(tensor) for tensor in metadata.inputs],
            "output_tensor_metadata": [_write_tensor(tensor) for tensor in metadata.outputs],
        }
    ]
    return encode(root, load_schema("metadata"))


_CONTENTS = {
    "FeatureProperties": Content.FEATURE,
    "ImageProperties": Content.IMAGE,
    "BoundingBoxProperties": Content.BOXES,
}


def _read_tensor(table: Table) -> TensorMetadata:
    schema = load_schema("metadata")
    content = table.get("content", {"content_properties_type": 0})
    names = schema.unions["ContentProperties"]
    which = content["content_properties_type"]
    properties = content.get("content_properties", {})
    normalization = _first_options(table.get("process_units", []), "NormalizationOptions")
    stats = table.get("stats", {})
    return TensorMetadata(
        name=table.get("name", ""),
        description=table.get("description", ""),
        content=_CONTENTS.get(names[which] if which < len(names) else "", Content.UNKNOWN),
        is_rgb=properties.get("color_space") == schema.enums["ColorSpaceType"]["RGB"],
        mean=tuple(normalization.get("mean", ())),
        std=tuple(normalization.get("std", ())),
        minimum=tuple(stats.get("min", ())),
        maximum=tuple(stats.get("max", ())),
        label_files=_read_label_files(table.get("associated_files", [])),
    )


def _first_options(units: Sequence[Table], kind: str) -> Table:
    """The first process unit of this kind, an empty table where there is none."""
    which = load_schema("metadata").unions["ProcessUnitOptions"].index(kind)
    return next((unit.get("options", {}) for unit in units if unit["options_type"] == which), {})


def _read_label_files(files: Sequence[Table]) -> tuple[LabelFile, ...]:
    types = load_schema("metadata").enums["AssociatedFileType"]
    kinds = {types[kind.value]: kind for kind in LabelKind}
    return tuple(
        LabelFile(file.get("name", ""), kinds[file["type"]], file.get("locale", ""))
        for file in files
        if file["type"] in kinds
    )


def _write_tensor(tensor: TensorMetadata) -> Table:
    table: Table = {field: getattr(tensor, field) for field in ("name", "description") if getattr(tensor, field)}
    if tensor.content is not Content.UNKNOWN:
        table["content"] = _write_content(tensor)
    if tensor.mean:
        which = load_schema("metadata").unions["ProcessUnitOptions"].index("NormalizationOptions")
        table["process_units"] = [{"options_type": which, "options": {"mean": tensor.mean, "std": tensor.std}}]
    if tensor.minimum:
        table["stats"] = {"min": tensor.minimum, "max": tensor.maximum}
    if tensor.label_files:
        types = load_schema("metadata").enums["AssociatedFileType"]
        table["associated_files"] = [
            {"name": file.name, "description": "Labels, one a line.", "type": types[file.kind.value]}
            | ({"locale": file.locale} if file.locale else {})
            for file in tensor.label_files
        ]
    return table


def _write_content(tensor: TensorMetadata) -> Table:
    schema = load_schema("metadata")
    names = {content: name for name, content in _CONTENTS.items()}
    table: Table = {"content_properties_type": schema.unions["ContentProperties"].index(names[tensor.content])}
    properties: Table = {}
    if tensor.content is Content.IMAGE:
        properties = {"color_space": schema.enums["ColorSpaceType"]["RGB" if tensor.is_rgb else "UNKNOWN"]}
    if tensor.content is Content.BOXES:
        # TFLite_Detection_PostProcess gives top, left, bottom, right in 0..1; readers want left, top, right, bottom.
        properties = {
            "index": (1, 0, 3, 2),
            "type": schema.enums["BoundingBoxType"]["BOUNDARIES"],
            "coordinate_type": 0,
        }
        table["range"] = {"min": 2, "max": 2}  # the axis along which the four edges stand
    return table | {"content_properties": properties}
