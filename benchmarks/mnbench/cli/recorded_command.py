"""The command line that a record keeps: what was typed, without what only its user has; and its options again."""

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from mnbench.record import Record

__all__ = ["options_of_record", "recorded_command"]

# What a run that goes on takes over. Where it writes, and over what, is said anew; the record has its device's name.
_KEPT = (
    "preset", "models", "engines", "devices", "threads", "batch", "variants", "works", "rounds", "pace",
    "is_profiled",
)  # fmt: skip
_PLACES = ("models", "output", "benchmark_model", "remote_python")


def recorded_command(context: click.Context) -> str:
    """The options that were typed for ``context``'s command, without folders and the names of other machines."""
    words = ["mnbench", str(context.command.name)]
    for option in context.command.params:
        name = str(option.name)
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            values = context.params[name] if option.multiple else [context.params[name]]
            for value in values:
                words += [option.opts[0]] if value is True else [option.opts[0], _spelled(name, value)]
    return shlex.join(words)


def _spelled(name: str, value: object) -> str:
    """``ssh:me@host`` as ``ssh``, ``/home/me/net.h5`` as ``net.h5``; a folder of a model as ``net/``."""
    text = str(value)
    if name == "target":
        return text.partition(":")[0]
    if name in _PLACES:
        last = re.split(r"[\\/]", text.rstrip("\\/"))[-1]
        return f"{last}/" if name == "models" and Path(text).is_dir() else last
    return text.removesuffix(".0") if isinstance(value, float) else text


def options_of_record(record: Record, command: click.Command) -> Mapping[str, Any]:
    """The options of the run that wrote ``record``, so far as its command line names them and they make its plan.

    A record may have been written by anybody: what can't be read is as if it weren't there, and the plan's digest says
    whether what is left makes the same plan.
    """
    try:
        words = shlex.split(record.command)
    except ValueError:  # a quotation that doesn't end
        return {}
    if words[:2] != ["mnbench", "run"]:
        return {}
    with command.make_context("run", words[2:], resilient_parsing=True) as context:
        given = [name for name in _KEPT if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
        return {name: context.params[name] for name in given if context.params.get(name) is not None}
