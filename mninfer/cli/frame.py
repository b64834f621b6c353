"""What every command line of ours is put in: parses, runs one command, and turns every outcome into an exit code.

0 done, 1 a known error, 2 usage, 3 verification failed, 130 interrupted, 141 nobody reads the results any more.
A command's module is imported only when that command runs: starting has to be quick.
"""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from keyword import iskeyword

import click

from mninfer.cli.options import examples
from mninfer.cli.output import flush_results, note, prepare_streams, unwritable_stdout
from mninfer.errors import MnError
from mninfer.version import installed_version

__all__ = ["CONTEXT_SETTINGS", "CommandGroup", "run_command_line", "version_option"]

# Of a whole command line, be it a group or one command.
CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}

_USAGE, _INTERRUPTED, _NO_READER = 2, 130, 141  # 128 + the signal's number, as a shell reports it


class CommandGroup(click.Group):
    """The commands of the package ``name``: knows what each is about, and imports the one that is asked for.

    A command ``x`` is ``command`` in the module ``name.cli.x``, or ``name.cli.x_`` where x is a word of Python's own.
    """

    def __init__(self, name: str, about: str, *, commands: Mapping[str, str], example_lines: Sequence[str]) -> None:
        super().__init__(
            name,
            help=about,
            epilog=examples(*example_lines),
            context_settings=CONTEXT_SETTINGS,
            params=[version_option()],
        )
        self.about = dict(commands)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.about)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.about:
            return None
        module = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name
        command = importlib.import_module(f"{self.name}.cli.{module}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and name not in self.about:
            ctx.fail(f'no command "{name}". {_nearest(name, self.about)}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.about.items()))


def _nearest(name: str, commands: Mapping[str, str]) -> str:
    from mninfer.near import near_names

    matches = near_names(name.lower(), commands)
    if matches:
        return f'Did you mean "{matches[0]}"?'
    return f"The commands are {', '.join(commands)}."


def version_option() -> click.Option:
    """``--version``: prints and leaves, before anything else is looked at."""
    return click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_print_version,
        help="Print the version.",
    )


def _print_version(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if not is_asked or ctx.resilient_parsing:
        return
    name, version = ctx.command.name, installed_version()
    click.echo(f"{name} {version}" if version else f"{name}, from a source tree that is not installed")
    ctx.exit()


def run_command_line(group: click.Command, argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: this process's) of a group or a command and return the exit code."""
    prepare_streams()
    try:
        code = _run(group, list(sys.argv[1:] if argv is None else argv))
        flush_results()
        return code
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        _discard_results()
        return _NO_READER
    except OSError as error:
        if error.filename is not None:
            raise
        _discard_results()  # click could not print a help or a version; what we print is wrapped
        note(f"Error: {unwritable_stdout(error)}")
        return MnError.exit_code
    except MnError as error:
        note(f"Error: {error}")
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        note("interrupted")
        return _INTERRUPTED


def _run(group: click.Command, argv: list[str]) -> int:
    name = str(group.name)
    complete_var = f"_{name.upper()}_COMPLETE"
    if complete_var in os.environ:
        from mninfer.cli.completion import complete_files_too

        complete_files_too()
        group.main(args=argv, prog_name=name, complete_var=complete_var)
    if not argv:  # click before 8.2 calls that a success
        note(group.get_help(click.Context(group, info_name=name, **group.context_settings)))
        return _USAGE
    with group.make_context(name, argv) as context:
        return int(group.invoke(context) or 0)


def _discard_results() -> None:
    """Keep the interpreter from complaining at exit that the pipe is gone."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass  # a captured stdout has no descriptor
