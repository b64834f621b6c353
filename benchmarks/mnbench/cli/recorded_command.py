"""The command line that a record keeps: what was typed, without what only its user has; and its options again."""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import click
from click.core import ParameterSource

from mnbench.record import Record

__all__ = ["options_of_record", "recorded_command"]

# What a run that goes on takes over. Where it writes, and over what, is said anew.
_KEPT = (
    "preset", "models", "engines", "devices", "threads", "batch", "variants", "works", "rounds", "pace",
    "is_profiled", "device_name",
)  # fmt: skip


def recorded_command(words: Sequence[str]) -> str:
    """The command line of these arguments, without folders and the names of other machines."""
    return shlex.join(["mnbench", *map(_without_places, words)])


def _without_places(word: str) -> str:
    """``--on=ssh:me@host`` as ``--on=ssh``, ``/home/me/net.h5`` as ``net.h5``."""
    match = re.fullmatch(r"(--[\w-]+=|-o)(.+)", word, re.DOTALL)
    flag, value = (match[1], match[2]) if match else ("", word)
    if value.startswith(("ssh:", "adb:")):
        return flag + value[:3]
    return flag + re.split(r"[\\/]", value.rstrip("\\/"))[-1]


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
