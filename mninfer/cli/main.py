"""The way in: parses the command line, runs one command, and turns every outcome into an exit code.

0 done, 1 a known error, 2 usage, 3 verification failed, 130 interrupted, 141 nobody reads the results any more.
A command's module is imported only when that command runs: starting has to be quick.
"""

import importlib
import os
import sys
from collections.abc import Sequence

import click

from mninfer.cli.options import examples
from mninfer.cli.output import flush_results, note, prepare_streams, unwritable_stdout
from mninfer.errors import MnError
from mninfer.version import installed_version

__all__ = ["LazyGroup", "group", "main"]

_COMMANDS = {
    "classify": "Say what is in pictures.",
    "detect": "Find objects in pictures, with their boxes.",
    "segment": "Say which class every pixel belongs to.",
    "camera": "Watch a camera or a video, live.",
    "info": "Say what a model is, and what is known of it.",
    "check": "Prove that a model computes here what it computed where it was made.",
    "annotate": "Put preprocessing, labels and golden vectors into a .tflite file.",
}
_USAGE, _INTERRUPTED, _NO_READER = 2, 130, 141  # 128 + the signal's number, as a shell reports it


class LazyGroup(click.Group):
    """Knows its commands' names and one-line descriptions; imports the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command = importlib.import_module(f"mninfer.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if not name.startswith("-") and name not in _COMMANDS:
            ctx.fail(f'no command "{name}". {_nearest(name)}')
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


def _nearest(name: str) -> str:
    from mninfer.near import near_names

    matches = near_names(name.lower(), _COMMANDS)
    if matches:
        return f'Did you mean "{matches[0]}"?'
    return f"The commands are {', '.join(_COMMANDS)}."


def _print_version(ctx: click.Context, _: click.Parameter, is_asked: bool) -> None:
    if not is_asked or ctx.resilient_parsing:
        return
    version = installed_version()
    click.echo(f"mninfer {version}" if version else "mninfer, from a source tree that is not installed")
    ctx.exit()


@click.group(
    cls=LazyGroup,
    epilog=examples(
        "mninfer classify mobilenet.tflite cat.jpg",
        "mninfer info mobilenet.tflite",
        "mninfer COMMAND --help",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def group() -> None:
    """Run MobileNet-like TFLite models on pictures, folders, videos and cameras."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: this process's) and return the exit code."""
    prepare_streams()
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
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


def _run(argv: list[str]) -> int:
    if "_MNINFER_COMPLETE" in os.environ:  # a shell asks for completions: click's own business
        group.main(args=argv, prog_name="mninfer", complete_var="_MNINFER_COMPLETE")
    if not argv:  # click before 8.2 calls that a success
        note(group.get_help(click.Context(group, info_name="mninfer")))
        return _USAGE
    with group.make_context("mninfer", argv) as context:
        return int(group.invoke(context) or 0)


def _discard_results() -> None:
    """Keep the interpreter from complaining at exit that the pipe is gone."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass  # a captured stdout has no descriptor
