"""What came out of a run on one device: every sample of every process, the machine, and the reasons to distrust them.

Typed data and its JSON (docs/formats.md), schema 1. Nothing is computed here: medians and intervals are made of the
samples when they are shown (``statistics.py``), so that a record of today serves the questions of tomorrow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mnbench.cell import Cell
from mnbench.fields import Fields
from mninfer.errors import InputError

__all__ = ["SCHEMA", "Agreement", "Doubt", "MeasuredModel", "Process", "Record", "Row", "Status"]

SCHEMA = 1


class Status(StrEnum):
    """How a row ended."""

    MEASURED = "measured"
    FAILED = "failed"  # the engine refused, crashed or took too long
    MISSING = "missing"  # not installed, not in this machine, or nothing that the engine does
    PENDING = "pending"  # not run yet: the run was interrupted


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason to distrust: a word for machines, a sentence for people."""

    code: str
    text: str

    def to_json(self) -> dict[str, Any]:
        return {"code": self.code, "text": self.text}

    @classmethod
    def from_json(cls, value: object) -> "Doubt":
        fields = Fields(value, "doubt")
        return cls(fields.text("code"), fields.text("text"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """One fresh process's samples: nanoseconds of each run, or of some that are spread evenly, warm-up apart.

    ``parts_ns`` are as many for each part of a run that has parts. ``open_ns`` is the time until the engine was ready.
    ``facts``: what the engine said of itself (workloads/protocol.py). ``conditions``: the machine's state ``before``
    and ``after`` (machine/), ``num_runs`` and ``sampled_ns`` (sampling.py), the memory ``resident_bytes`` and
    ``peak_bytes``, ``energy_joules`` where it is told.
    """

    round: int
    samples_ns: tuple[int, ...]
    warm_up_ns: tuple[int, ...] = ()
    is_stable: bool = True
    parts_ns: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    open_ns: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "round": self.round,
            "samples_ns": list(self.samples_ns),
            "warm_up_ns": list(self.warm_up_ns),
            "is_stable": self.is_stable,
            "parts_ns": {name: list(values) for name, values in self.parts_ns.items()},
            "open_ns": self.open_ns,
            "facts": dict(self.facts),
            "conditions": dict(self.conditions),
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> "Process":
        fields = Fields(value, where)
        samples = fields.counts("samples_ns")
        if not samples:
            raise fields.wrong("samples_ns", "a list with a sample")
        parts = Fields(fields.mapping("parts_ns"), f"{where}: parts_ns")
        return cls(
            round=fields.count("round"),
            samples_ns=samples,
            warm_up_ns=fields.counts("warm_up_ns"),
            is_stable=fields.flag("is_stable"),
            parts_ns={name: parts.counts(name) for name in fields.mapping("parts_ns")},
            open_ns=fields.count("open_ns"),
            facts=fields.mapping("facts"),
            conditions=fields.mapping("conditions"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A row's outputs held against the reference engine's, for the same model and input.

    ``sqnr_db`` is None where both are equal to the last bit (or nothing could be compared, which ``text`` says).
    """

    is_held: bool
    reference: str
    sqnr_db: float | None
    text: str

    def to_json(self) -> dict[str, Any]:
        return {"is_held": self.is_held, "reference": self.reference, "sqnr_db": self.sqnr_db, "text": self.text}

    @classmethod
    def from_json(cls, value: object, where: str) -> "Agreement":
        fields = Fields(value, where)
        return cls(
            is_held=fields.flag("is_held"),
            reference=fields.text("reference"),
            sqnr_db=fields.optional("sqnr_db", fields.number),
            text=fields.text("text"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One cell and what came of it. ``reason`` says why it is not measured; ``size_bytes`` is its file's."""

    cell: Cell
    status: Status
    reason: str = ""
    processes: tuple[Process, ...] = ()
    size_bytes: int | None = None
    agreement: Agreement | None = None
    doubts: tuple[Doubt, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "cell": self.cell.to_json(),
            "status": str(self.status),
            "reason": self.reason,
            "size_bytes": self.size_bytes,
            "agreement": None if self.agreement is None else self.agreement.to_json(),
            "doubts": [doubt.to_json() for doubt in self.doubts],
            "processes": [process.to_json() for process in self.processes],
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> "Row":
        fields = Fields(value, where)
        agreement = fields.optional("agreement", fields.mapping)
        processes = fields.list("processes")
        row = cls(
            cell=Cell.from_json(fields.mapping("cell")),
            status=fields.choice("status", Status),
            reason=fields.text("reason"),
            processes=tuple(Process.from_json(each, f"{where}: processes[{i}]") for i, each in enumerate(processes)),
            size_bytes=fields.optional("size_bytes", fields.count),
            agreement=None if agreement is None else Agreement.from_json(agreement, f"{where}: agreement"),
            doubts=tuple(Doubt.from_json(each) for each in fields.list("doubts")),
        )
        if row.status is Status.MEASURED and not row.processes:
            raise InputError(f"{where} is measured, and has no process")
        return row


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredModel:
    """A model of a run: ``files`` says of each variant its sha256 and size; ``weights`` are "random, seed 0" or a name.

    ``accuracy`` is what is known of each variant's top-1, with n and a standard error, from a stated source.
    """

    name: str
    title: str
    weights: str
    input_shape: tuple[int, ...]
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    accuracy: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "title": self.title,
            "weights": self.weights,
            "input_shape": list(self.input_shape),
            "files": {name: dict(facts) for name, facts in self.files.items()},
            "accuracy": {name: dict(facts) for name, facts in self.accuracy.items()},
        }

    @classmethod
    def from_json(cls, value: object, where: str) -> "MeasuredModel":
        fields = Fields(value, where)
        files, accuracy = Fields(fields.mapping("files"), where), Fields(fields.mapping("accuracy"), where)
        return cls(
            name=fields.text("name"),
            title=fields.text("title"),
            weights=fields.text("weights"),
            input_shape=fields.counts("input_shape"),
            files={name: files.mapping(name) for name in fields.mapping("files")},
            accuracy={name: accuracy.mapping(name) for name in fields.mapping("accuracy")},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One run on one device. ``device`` is what a table calls it; ``machine`` its facts ``before`` and ``after``.

    ``plan`` is the digest of the plan, by which --resume knows its own; ``origin`` says who measured: mnbench, or a
    program whose results were read.
    """

    device: str
    command: str
    plan: str
    rows: tuple[Row, ...]
    models: tuple[MeasuredModel, ...] = ()
    machine: Mapping[str, Any] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()
    is_complete: bool = True
    origin: str = "mnbench"
    started: str = ""
    elapsed_s: float = 0.0
    _by_key: Mapping[str, Row] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        by_key = {row.cell.key: row for row in reversed(self.rows)}  # of a key that stands twice the first
        object.__setattr__(self, "_by_key", by_key)

    def row(self, key: str) -> Row | None:
        """The row of the cell with that key."""
        return self._by_key.get(key)

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "kind": "mnbench",
            "origin": self.origin,
            "device": self.device,
            "command": self.command,
            "plan": self.plan,
            "started": self.started,
            "elapsed_s": self.elapsed_s,
            "is_complete": self.is_complete,
            "machine": dict(self.machine),
            "models": [model.to_json() for model in self.models],
            "doubts": [doubt.to_json() for doubt in self.doubts],
            "rows": [row.to_json() for row in self.rows],
        }

    @classmethod
    def from_json(cls, value: object) -> "Record":
        """Raise InputError naming what is wrong."""
        fields = Fields(value, "the record")
        _check_schema(fields)
        rows = tuple(Row.from_json(each, f"rows[{i}]") for i, each in enumerate(fields.list("rows")))
        _check_keys(rows)
        return cls(
            device=fields.text("device"),
            command=fields.text("command"),
            plan=fields.text("plan"),
            rows=rows,
            models=tuple(MeasuredModel.from_json(each, f"models[{i}]") for i, each in enumerate(fields.list("models"))),
            machine=fields.mapping("machine"),
            doubts=tuple(Doubt.from_json(each) for each in fields.list("doubts")),
            is_complete=fields.flag("is_complete"),
            origin=fields.text("origin"),
            started=fields.text("started"),
            elapsed_s=fields.number("elapsed_s"),
        )


def _check_keys(rows: tuple[Row, ...]) -> None:
    """Two rows of one cell could not be told apart, and each reader would take another."""
    places: dict[str, int] = {}
    for place, row in enumerate(rows):
        first = places.setdefault(row.cell.key, place)
        if first != place:
            raise InputError(f'rows[{place}] is "{row.cell.key}", as rows[{first}] is already')


def _check_schema(fields: Fields) -> None:
    if "kind" not in fields or fields.raw("kind") != "mnbench":
        raise InputError("this is no result of mnbench", hints="mnbench import reads other programs' results")
    schema = fields.count("schema")
    if schema != SCHEMA:
        newer = schema > SCHEMA
        raise InputError(
            f"the record has schema {schema}, this mnbench reads {SCHEMA}",
            hints="upgrade mnkit: a newer one wrote it" if newer else (),
        )
