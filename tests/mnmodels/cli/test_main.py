"""What holds for every command of mnmodels, and for its command line as a whole."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from mnmodels.cli.main import group
from support.commands import Outcome, command_line, environment_for

Cli = Callable[..., Outcome]

pytestmark = pytest.mark.smoke

COMMANDS = ("summary", "train", "plot", "finetune", "evaluate", "import", "regroup")


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(cli: Cli, name: str, flag: str) -> None:
    outcome = cli(name, flag)
    assert outcome.code == 0
    assert f"mnmodels {name} " in outcome.out.split("Examples:")[1]
    assert outcome.err == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_is_for(name: str) -> None:
    command = group.get_command(click.Context(group), name)
    assert command is not None
    options = [each for each in command.params if isinstance(each, click.Option)]
    assert not [each.opts for each in options if not each.help and each.name not in {"batch", "seed"}]


def test_every_command_that_is_listed_exists(cli: Cli) -> None:
    context = click.Context(group)
    assert tuple(group.list_commands(context)) == COMMANDS
    for name in COMMANDS:
        command = group.get_command(context, name)
        assert command is not None
        assert command.name == name
    assert all(f"  {name}" in cli("--help").out for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Commands:"),
        (["sumary"], 'no command "sumary". Did you mean "summary"?'),
        (["xyz"], "The commands are summary, train, plot, finetune, evaluate, import, regroup."),
        (["summary"], "Missing argument"),
        (["evaluate", "model.keras"], "Missing argument"),
    ],
)
def test_usage_errors(cli: Cli, arguments: list[str], message: str) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.out == ""


def test_the_version(cli: Cli) -> None:
    assert cli("--version").out.startswith("mnmodels")


def test_python_m_mnmodels_is_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        command_line("summary", tmp_path / "none.keras", package="mnmodels"),
        env=environment_for(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert "none.keras" in done.stderr
    assert "Traceback" not in done.stderr


def test_completion_for_shells_is_clicks_own() -> None:
    done = subprocess.run(
        command_line(package="mnmodels"),
        env=environment_for(_MNMODELS_COMPLETE="bash_source"), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert "_MNMODELS_COMPLETE=bash_complete" in done.stdout
