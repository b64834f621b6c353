"""``mnbench run --resume``: the options of the run that was interrupted, and whether its rows may be gone on with."""

import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from mnbench.catalogue import ENGINES, EngineKind
from mnbench.cli.recorded_command import options_of_record
from mnbench.machine.likeness import changed_packages, changed_runtime, unlike_facts
from mnbench.record import Record
from mninfer.errors import InputError

if TYPE_CHECKING:
    from mnbench.preparing import Bundle

__all__ = ["check_plan", "check_same_run", "how_to_go_on", "with_options_of"]

_PLACES = (".tflite", ".keras", ".h5", ".hdf5", "/")  # how a model ends that was a file, or a folder
_ELSEWHERE = "a run of its own: -o FILE"


def with_options_of(record: Record, context: click.Context) -> dict[str, Any]:
    """The options of ``context``; where one isn't given, that of the run which wrote ``record``.

    Raises:
        InputError: a model of that run was a file or a folder, which isn't here: the record doesn't keep where it lay.
    """
    told = options_of_record(record, context.command)
    given = [name for name in told if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    taken = {name: value for name, value in told.items() if name not in given}
    models = taken.get("models", ())
    absent = [model for model in models if model.endswith(_PLACES) and not Path(model).exists()]
    if absent:
        said = " ".join(f"--models {'FOLDER/' if model in absent else ''}{model}" for model in models)
        raise InputError(f'the run measured "{absent[0]}", which is not here', hints=f"say where it is: {said}")
    return {**context.params, **taken}


def check_plan(record: Record, digest: str, output: str) -> None:
    """Raise InputError where the plan is not the record's."""
    if record.plan != digest:
        raise InputError(
            "the file's run had another plan, so it can't go on with this one",
            where=output,
            hints=("leave the options out: those of then are taken", _ELSEWHERE),
        )


def check_same_run(record: Record, bundles: "Mapping[str, Bundle]", facts: Mapping[str, Any], output: str) -> None:
    """Raise InputError where rows would mix files, machines, or versions of what is measured."""
    before = record.machine.get("before")
    known = before if isinstance(before, Mapping) else {}
    found = [*unlike_facts(known, facts), *changed_packages(known, facts), *_other_files(record, bundles)]
    found += changed_runtime(known, facts) if _has_runtime(record) else ()
    if found:
        raise InputError(
            f"the run can't go on, what it measured has changed: {'; '.join(found)}", where=output, hints=_ELSEWHERE
        )


def _has_runtime(record: Record) -> bool:
    """Whether there are processes of mninfer itself, which takes what is installed; other rows name their engine."""
    kinds = (ENGINES[row.cell.engine].kind for row in record.rows if row.processes and row.cell.engine in ENGINES)
    return EngineKind.RUNTIME in kinds


def _other_files(record: Record, bundles: "Mapping[str, Bundle]") -> Iterator[str]:
    for model in record.models:
        files = bundles[model.name].model.files if model.name in bundles else {}
        for variant, facts in model.files.items():
            if variant in files and files[variant].get("sha256") != facts.get("sha256"):
                yield f"{model.name} {variant} is another file"


def how_to_go_on(options: Mapping[str, Any]) -> str:
    """The command that goes on with a run; where its models' files are stands in it, as no record keeps that."""
    models = options["models"]
    is_elsewhere = any(Path(model).name != model for model in models)
    words = [word for model in models for word in ("--models", model)] if is_elsewhere else []
    return shlex.join(["mnbench", "run", "--resume", "-o", options["output"], *words])
