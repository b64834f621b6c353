"""Files by other programs -> a record. Which program wrote each is told from its content."""

import codecs
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mnbench.cell import Variant
from mnbench.interop.benchmark_model import BenchmarkLog, read_benchmark_model
from mnbench.interop.litert_benchmark import (
    LitertResult,
    is_litert_result,
    read_litert_result,
    rows_of_litert_results,
)
from mnbench.interop.log_rows import rows_of_logs
from mnbench.record import MeasuredModel, Record, Row
from mninfer.errors import InputError, ModelFileError
from mninfer.files import FileTooLargeError, NotRegularFileError, read_regular_file
from mninfer.model_file import load_json
from mninfer.near import near_files

__all__ = ["Naming", "read_results"]

_MAX_BYTES = 16 << 20
_ORIGINS = ("benchmark_model", "litert-benchmark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What the files themselves don't tell: the device, and, where given, the model's name and its variant."""

    device: str
    model: str | None = None
    variant: Variant | None = None


@dataclass(frozen=True, slots=True)
class _Read:
    """One file's content: runs of benchmark_model, or one result of litert-benchmark."""

    where: str
    logs: tuple[BenchmarkLog, ...] = ()
    result: LitertResult | None = None


def read_results(paths: Sequence[str], naming: Naming, *, command: str = "") -> Record:
    """The record of all ``paths``: what was measured alike is one row, each run a process of it.

    Raises:
        InputError: a file can't be read, is of no program that is known, doesn't tell a variant that isn't given, or is
            given twice.
    """
    _refuse_twice(paths)
    files = [_read(path) for path in paths]
    rows = _rows(files, naming)
    are_there = (any(file.logs for file in files), any(file.result for file in files))
    origins = [origin for origin, is_there in zip(_ORIGINS, are_there, strict=True) if is_there]
    return Record(
        device=naming.device,
        command=command,
        plan="",
        rows=rows,
        models=_models(rows),
        origin=" and ".join(origins),
    )


def _refuse_twice(paths: Sequence[str]) -> None:
    """Raise InputError where a run would count as two that agree to the last digit."""
    found: set[str] = set()
    for path in paths:
        place = os.path.realpath(path)
        if place in found:
            raise InputError("the file is given twice", where=path, hints="each run counts once: name its file once")
        found.add(place)


def _rows(files: Sequence[_Read], naming: Naming) -> tuple[Row, ...]:
    named = [(log, *_named(log.graph, naming, file.where)) for file in files for log in file.logs]
    rows = list(rows_of_logs(named))
    results: dict[tuple[str, Variant], list[LitertResult]] = {}
    for file in files:
        if file.result is not None:
            results.setdefault(_named(file.result.graph, naming, file.where), []).append(file.result)
    for (model, variant), alike in results.items():
        rows += rows_of_litert_results(alike, model, variant)
    return tuple(rows)


def _named(path: str, naming: Naming, where: str) -> tuple[str, Variant]:
    """The model's name and variant: as given, else out of a file's name as mnconvert gives it, NAME_int8.tflite."""
    stem = re.split(r"[/\\]", path)[-1].removesuffix(".tflite")
    told = next((variant for variant in Variant if stem.endswith((f"_{variant}", f"-{variant}"))), None)
    variant = naming.variant or told
    if variant is None:
        raise InputError(
            f'nothing tells which variant "{stem or "the model"}" is',
            where=where,
            hints=f"--variant {' or '.join(Variant)}",
        )
    name = naming.model or (stem[: -len(variant) - 1] if told is variant else stem)
    if not name:
        raise InputError("nothing tells which model was measured", where=where, hints="--model NAME")
    return name, variant


def _models(rows: Sequence[Row]) -> tuple[MeasuredModel, ...]:
    names = dict.fromkeys(row.cell.model for row in rows)
    return tuple(MeasuredModel(name=name, title=name, weights="not told", input_shape=()) for name in names)


def _read(path: str) -> _Read:
    text = _text(path)
    try:
        if not text.lstrip().startswith("{"):
            return _Read(path, logs=read_benchmark_model(text))
        value = load_json(text.encode(), "the file")
        if is_litert_result(value):
            return _Read(path, result=read_litert_result(value))
        raise _unknown(value)
    except ModelFileError as error:
        raise InputError(error.what, where=path, hints=error.hints) from error
    except InputError as error:
        raise error.at(path) from None


def _unknown(value: object) -> InputError:
    if isinstance(value, Mapping) and value.get("kind") == "mnbench":
        return InputError("this is a result of mnbench already", hints="mnbench table shows it")
    return InputError(
        "this JSON is no result that is known", hints="litert-benchmark --result_json FILE, or benchmark_model's output"
    )


def _text(path: str) -> str:
    """The file as text; PowerShell's ``>`` writes UTF-16."""
    try:
        data = read_regular_file(path, _MAX_BYTES)
    except (NotRegularFileError, FileTooLargeError) as error:
        raise InputError(f"the result can't be read: {error}", where=path) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        near = near_files(path)
        hints = f'did you mean "{near[0]}"?' if near and not Path(path).exists() else ()
        raise InputError(f"the result can't be read: {reason}", where=path, hints=hints) from error
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")
