"""Options that mean nothing beside others: told, and never passed over in silence."""

from collections.abc import Sequence

import click

__all__ = ["refuse_stated"]


def refuse_stated(names: Sequence[str], why: str) -> None:
    """Raise UsageError where the user has stated an option of these parameters, which ``why`` says is of no use."""
    context = click.get_current_context()
    flags = {parameter.name: parameter.opts[0] for parameter in context.command.params}
    stated = [flags[name] for name in names if context.get_parameter_source(name) is _COMMAND_LINE]
    if stated:
        raise click.UsageError(f"{why}: leave out {', '.join(stated)}", context)


_COMMAND_LINE = click.core.ParameterSource.COMMANDLINE
