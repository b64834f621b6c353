"""Write mninfer/model_file/schema/{tflite,metadata}.json from the schemas' generated Python readers.

usage: python tools/generate_schema.py TFLITE_SCHEMA.py METADATA_SCHEMA.py OUT_DIR

TFLITE_SCHEMA.py is ``schema_py_generated.py`` of ai-edge-litert, METADATA_SCHEMA.py is mediapipe's
``metadata_schema_py_generated.py``. Both are read as text, never imported. The JSON holds facts only (slots, types,
defaults, enum values), in a form that a reader in any language can walk; docs/formats.md describes it.
"""

import ast
import json
import re
import sys
from pathlib import Path

TFLITE_TABLES = ["Model", "OperatorCode", "SubGraph", "Tensor", "QuantizationParameters", "Buffer", "Metadata",
                 "Operator", "SignatureDef", "TensorMap"]  # fmt: skip
TFLITE_ENUMS = ["TensorType", "BuiltinOperator", "Padding", "ActivationFunctionType", "QuantizationDetails",
                "FullyConnectedOptionsWeightsFormat", "MirrorPadMode"]  # fmt: skip
UNION_OF = {"Details": "QuantizationDetails", "Options": "ProcessUnitOptions"}  # field -> union, where the names differ
SCALARS = {"Bool": "bool", "Int8": "int8", "Uint8": "uint8", "Int16": "int16", "Uint16": "uint16", "Int32": "int32",
           "Uint32": "uint32", "Int64": "int64", "Uint64": "uint64", "Float32": "float32",
           "Float64": "float64"}  # fmt: skip


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def classes(text: str) -> dict[str, str]:
    parts = re.split(r"^class (\w+)\(object\):\n", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def enum_of(body: str) -> dict[str, int] | None:
    values = {k: int(v) for k, v in re.findall(r"^    (\w+) = (-?\d+)$", body, flags=re.M)}
    return values or None


def field_type(name: str, body: str, table: str) -> tuple[str, object]:
    if "obj = Table(bytearray(), 0)" in body:
        return f"union:{UNION_OF.get(name, name)}", None
    is_vector = "self._tab.Vector(o)" in body
    if found := re.search(r"obj = (\w+)\(\)", body):
        kind = found.group(1)
    elif "self._tab.String(" in body:
        kind = "string"
    elif found := re.search(r"flatbuffers\.number_types\.(\w+)Flags,", body):
        kind = SCALARS[found.group(1)]
    else:
        raise SystemExit(f"{table}.{name}: field form not known:\n{body}")
    if is_vector:
        return f"[{kind}]", None
    default = re.findall(r"return (?:bool\()?([^()]+)\)?$", body.rstrip(), flags=re.M)[-1]
    return kind, (ast.literal_eval(default) if kind in SCALARS.values() else None)


def fields_of(table: str, body: str) -> dict[str, list[object]]:
    fields: dict[str, list[object]] = {}
    methods = re.split(r"^    def (\w+)\(self(?:, j)?\):\n", body, flags=re.M)
    for name, code in zip(methods[1::2], methods[2::2], strict=True):
        slot = re.search(r"self\._tab\.Offset\((\d+)\)", code)
        if slot is None or name.endswith(("AsNumpy", "Length", "IsNone")):
            continue
        kind, default = field_type(name, code, table)
        fields[snake(name)] = [int(slot.group(1)), kind] + ([default] if default not in (None, 0, False) else [])
    return fields


def union_names(enums: dict[str, str], name: str) -> list[str]:
    values = enum_of(enums[name]) or {}
    names = ["NONE"] * (max(values.values()) + 1)
    for key, value in values.items():
        names[value] = key
    return names


def closure(found: dict[str, str], roots: list[str]) -> dict[str, dict[str, list[object]]]:
    """The tables reachable from the roots; a type that is no table here (an enum) needs no entry."""
    tables: dict[str, dict[str, list[object]]] = {}
    queue = list(roots)
    while queue:
        name = queue.pop(0)
        if name in tables or name not in found or "_tab" not in found[name]:
            continue
        tables[name] = fields_of(name, found[name])
        queue += [str(kind).strip("[]") for _, kind, *_ in tables[name].values()]
    return tables


def generate_tflite(text: str, operators: dict[str, object]) -> dict[str, object]:
    found = classes(text)
    options = [str(op["options"]) for op in operators.values() if isinstance(op, dict) and op.get("options")]
    tables = {name: fields_of(name, found[name]) for name in [*TFLITE_TABLES, *sorted(set(options))]}
    return {
        "identifier": "TFL3",
        "root": "Model",
        "tables": tables,
        "unions": {name: union_names(found, name) for name in ("BuiltinOptions", "BuiltinOptions2")},
        "enums": {name: enum_of(found[name]) for name in TFLITE_ENUMS if name in found},
    }


def generate_metadata(text: str) -> dict[str, object]:
    found = classes(text)
    unions = {"ContentProperties", "ProcessUnitOptions"}
    members = [name for union in unions for name in union_names(found, union) if name != "NONE"]
    tables = closure(found, ["ModelMetadata", *members])
    enums = [
        "AssociatedFileType",
        "ColorSpaceType",
        "BoundingBoxType",
        "CoordinateType",
        "ScoreTransformationType",
        "FeatureProperties",
    ]
    return {
        "identifier": "M001",
        "root": "ModelMetadata",
        "tables": tables,
        "unions": {name: union_names(found, name) for name in sorted(unions)},
        "enums": {name: values for name in enums if name in found and (values := enum_of(found[name]))},
    }


def dump(value: dict[str, object], path: Path) -> None:
    """One table to a line: small to load, readable in a diff."""
    lines = []
    for key, part in value.items():
        if isinstance(part, dict):
            rows = ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in part.items())
            lines.append(f" {json.dumps(key)}: {{\n{rows}\n }}")
        else:
            lines.append(f" {json.dumps(key)}: {json.dumps(part)}")
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def main() -> int:
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    tflite, metadata, out = map(Path, sys.argv[1:])
    operators = json.loads((out / "operators.json").read_text())["operators"]
    dump(generate_tflite(tflite.read_text(), operators), out / "tflite.json")
    dump(generate_metadata(metadata.read_text()), out / "metadata.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
