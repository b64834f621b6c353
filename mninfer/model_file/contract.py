"""``mnkit.json``: what a model of ours says of itself, as typed data, written one way and read strictly.

Reading trusts nothing: sizes, types, counts and numbers are checked, and an unknown schema number is named for what it
is. Checking the digest against the file's bytes is ``read.py``.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mninfer.errors import MnError, ModelFileError
from mninfer.model_file.golden.vector import GoldenVector
from mninfer.preprocessing import PreprocessSpec
from mninfer.spec import Provenance, Task

__all__ = [
    "CONTRACT_NAME",
    "SCHEMA",
    "Contract",
    "SourceContract",
    "check_schema",
    "dump_json",
    "load_json",
    "round_summary",
]

CONTRACT_NAME = "mnkit.json"
SCHEMA = 1
MAX_JSON_BYTES = 64 << 20
MAX_DEPTH = 16
MAX_CONTAINERS = 1 << 18  # an object of 7 bytes of text takes 200 in memory
MAX_VECTORS = 64
MAX_TEXT = 4096
_DIGEST_PREFIX = "sha256:"
_PROVENANCE_TEXTS = ("source_name", "source_sha256", "keras_version", "mnkit_version", "recipe")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """All of ``mnkit.json``. ``digest`` is None until it is written; ``preprocess.source`` is as it was recorded."""

    task: Task
    preprocess: PreprocessSpec | None
    provenance: Provenance
    verification: Mapping[str, Any] | None = None
    golden: tuple[GoldenVector, ...] = ()
    digest: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The value that ``mnkit.json`` holds."""
        return {
            "schema": SCHEMA,
            "task": self.task.value,
            "preprocess": None if self.preprocess is None else self.preprocess.to_json(),
            "provenance": _provenance_to_json(self.provenance),
            "verification": None if self.verification is None else round_summary(self.verification),
            "digest": None if self.digest is None else _DIGEST_PREFIX + self.digest,
            "golden": [vector.to_json() for vector in self.golden],
        }

    @classmethod
    def from_json(cls, value: object) -> "Contract":
        """Read a value that ``load_json`` gave. Raise ModelFileError naming the field that is wrong."""
        fields = _object(value, CONTRACT_NAME)
        check_schema(fields, CONTRACT_NAME)
        _only(fields, ("schema", "task", "preprocess", "provenance", "verification", "digest", "golden"), CONTRACT_NAME)
        golden = fields["golden"]
        if not isinstance(golden, list) or len(golden) > MAX_VECTORS:
            raise _wrong(f"{CONTRACT_NAME}: golden", golden, f"a list of at most {MAX_VECTORS} vectors")
        return cls(
            task=_task(fields["task"]),
            preprocess=_preprocess(fields["preprocess"], CONTRACT_NAME),
            provenance=_provenance_from_json(fields["provenance"]),
            verification=_summary(fields["verification"], f"{CONTRACT_NAME}: verification"),
            golden=tuple(GoldenVector.from_json(vector) for vector in golden),
            digest=_digest(fields["digest"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContract:
    """What a Keras file carries for conversion: the JSON of the ``.h5`` attribute or ``.keras`` member ``mnkit``."""

    labels: tuple[str, ...] | None
    preprocess: PreprocessSpec | None

    def to_json(self) -> dict[str, Any]:
        """The value to write with ``dump_json``."""
        return {
            "schema": SCHEMA,
            "labels": None if self.labels is None else list(self.labels),
            "preprocess": None if self.preprocess is None else self.preprocess.to_json(),
        }

    @classmethod
    def from_json(cls, value: object) -> "SourceContract":
        """Read a value that ``load_json`` gave. Raise ModelFileError naming the field that is wrong."""
        fields = _object(value, "mnkit")
        check_schema(fields, "mnkit")
        _only(fields, ("schema", "labels", "preprocess"), "mnkit")
        labels = fields["labels"]
        if labels is not None and not (isinstance(labels, list) and all(isinstance(label, str) for label in labels)):
            raise _wrong("mnkit: labels", labels, "a list of texts or null")
        return cls(
            labels=None if labels is None else tuple(labels), preprocess=_preprocess(fields["preprocess"], "mnkit")
        )


def dump_json(value: Mapping[str, Any]) -> bytes:
    """The one encoding of a value: keys sorted, two spaces, ASCII, no NaN."""
    return (json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n").encode()


def load_json(data: bytes, name: str = CONTRACT_NAME) -> Any:
    """Parse untrusted JSON: bounded in size and depth, no NaN, no key twice. Raise ModelFileError."""
    if len(data) > MAX_JSON_BYTES:
        raise ModelFileError(f"{name} has {len(data)} bytes; at most {MAX_JSON_BYTES} are read")
    if data.count(b"{") + data.count(b"[") > MAX_CONTAINERS:
        raise ModelFileError(f"{name} holds more than {MAX_CONTAINERS} objects and lists")
    try:
        value = json.loads(data.decode(), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{name} is not JSON that can be read: {error}") from error
    _check_depth(value, name, MAX_DEPTH)
    return value


def check_schema(fields: Mapping[str, Any], name: str) -> None:
    """Raise ModelFileError unless the schema number is the one that this mnkit reads."""
    number = fields.get("schema")
    if type(number) is int and number > SCHEMA:
        raise ModelFileError(
            f"{name} has schema {number}, this mnkit reads schema {SCHEMA}: the file was written by a newer mnkit",
            hints="upgrade mnkit",
        )
    if type(number) is not int or number != SCHEMA:
        raise _wrong(f"{name}: schema", number, str(SCHEMA))


def round_summary(value: Any) -> Any:
    """Numbers to 3 significant digits, all the way down: a report in a file must not drift in its last digits."""
    if isinstance(value, Mapping):
        return {str(key): round_summary(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [round_summary(item) for item in value]
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"a verification summary holds {value!r}: JSON has no such number")
        return float(f"{value:.3g}")
    if isinstance(value, str) and (value.startswith("/") or value[1:3] == ":\\"):
        raise ValueError(f"a verification summary holds the absolute path {value!r}: name the file alone")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return result


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _check_depth(value: Any, name: str, depth: int) -> None:
    if depth == 0:
        raise ModelFileError(f"{name} is nested more than {MAX_DEPTH} deep")
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_depth(item, name, depth - 1)


def _wrong(where: str, value: object, wanted: str) -> ModelFileError:
    return ModelFileError(f"{where} is {_short(value)}, not {wanted}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _object(value: object, where: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(where, value, "an object")
    return value


def _summary(value: object, where: str) -> dict[str, Any] | None:
    """An object that can be written again, or null: what is read goes back into a file (``mninfer annotate``)."""
    if value is None:
        return None
    fields = _object(value, where)
    try:
        round_summary(fields)
    except ValueError as error:
        raise ModelFileError(f"{where}: {error}") from error
    return fields


def _only(fields: Mapping[str, Any], names: tuple[str, ...], where: str) -> None:
    """A missing or unknown field: schema 1 has exactly these."""
    for name in names:
        if name not in fields:
            raise ModelFileError(f"{where} has no field {name!r}")
    unknown = sorted(set(fields) - set(names))
    if unknown:
        raise ModelFileError(f"{where} has a field {unknown[0]!r}, which schema {SCHEMA} does not know")


def _task(value: object) -> Task:
    tasks = [task.value for task in Task]
    if not isinstance(value, str) or value not in tasks:
        raise _wrong(f"{CONTRACT_NAME}: task", value, f"one of {', '.join(tasks)}")
    return Task(value)


def _preprocess(value: object, name: str) -> PreprocessSpec | None:
    if value is None:
        return None
    try:
        return PreprocessSpec.from_json(_object(value, f"{name}: preprocess"))
    except (MnError, ValueError, TypeError, KeyError) as error:
        raise ModelFileError(f"{name}: preprocess: {error}") from error


def _digest(value: object) -> str:
    text = value.removeprefix(_DIGEST_PREFIX) if isinstance(value, str) else ""
    if len(text) != 64 or not set(text) <= set("0123456789abcdef") or value == text:
        raise _wrong(f"{CONTRACT_NAME}: digest", value, f'"{_DIGEST_PREFIX}" and 64 hexadecimal digits')
    return text


def _provenance_to_json(provenance: Provenance) -> dict[str, Any]:
    texts = {name: getattr(provenance, name) for name in _PROVENANCE_TEXTS}
    if _is_path(texts["source_name"]):
        raise ValueError(f"source_name {texts['source_name']!r} is a path: give the file's name alone")
    calibration = provenance.calibration
    return texts | {"calibration": None if calibration is None else round_summary(dict(calibration))}


def _provenance_from_json(value: object) -> Provenance:
    where = f"{CONTRACT_NAME}: provenance"
    fields = _object(value, where)
    _only(fields, (*_PROVENANCE_TEXTS, "calibration"), where)
    for name in _PROVENANCE_TEXTS:
        text = fields[name]
        if text is not None and not (isinstance(text, str) and len(text) <= MAX_TEXT):
            raise _wrong(f"{where}: {name}", text, f"a text of at most {MAX_TEXT} characters or null")
    if _is_path(fields["source_name"]):
        raise _wrong(f"{where}: source_name", fields["source_name"], "a file's name alone")
    return Provenance(
        **{name: fields[name] for name in _PROVENANCE_TEXTS},
        calibration=_summary(fields["calibration"], f"{where}: calibration"),
    )


def _is_path(name: str | None) -> bool:
    return name is not None and ("/" in name or "\\" in name)
