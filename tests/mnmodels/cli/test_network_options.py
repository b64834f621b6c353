"""How a command line describes a network."""

import click
import pytest
from click.testing import CliRunner

from mnmodels.cli.network_options import network_options

pytestmark = pytest.mark.smoke


@click.command()
@click.argument("file")
@network_options
def command(file: str, network: object) -> None:
    """Print what was described."""
    click.echo(f"{file} {network!r}")


def described(*arguments: str) -> str:
    result = CliRunner().invoke(command, ["x", *arguments])
    assert result.exit_code == 0, result.output
    return result.output.strip()[2:]


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(command, ["x", *arguments])
    assert result.exit_code == 2
    return result.output


def test_nothing_described_is_none() -> None:
    assert described() == "None"


def test_a_description_is_what_build_model_takes() -> None:
    assert described("--arch", "mobilenet_v1", "--alpha", "0.25", "--form", "cifar", "--option", "classes=10") == str(
        {"name": "mobilenet_v1", "alpha": 0.25, "form": "cifar", "classes": 10}
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("input_shape=160,160,3", (160, 160, 3)),
        ("include_top=false", False),
        ("minimalistic=True", True),
        ("pooling=none", None),
        ("pooling=avg", "avg"),
        ("lasso=1e-4", 1e-4),
        ("weights=123", "123"),
        ("expansion = plain", "plain"),
    ],
)
def test_values_have_the_type_that_they_look_like(text: str, value: object) -> None:
    assert described("--option", text) == str({text.partition("=")[0].strip(): value})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--arch", "mobilenet_v3_smal"), 'Did you mean "mobilenet_v3_small"?'),
        (("--form", "imagnet"), 'Did you mean "imagenet"?'),
        (("--alpha", "0"), "a number above 0"),
        (("--option", "clases=10"), 'no option "clases". Did you mean "classes"?'),
        (("--option", "name=mine"), 'no option "name"'),
        (("--option", "classes=ten"), "a whole number from 1"),
        (("--option", "classes"), "is not KEY=VALUE"),
        (("--option", "classes="), "is not KEY=VALUE"),
        (("--option", "classes=1", "--option", "classes=2"), '"classes" is stated twice'),
        (("--option", "input_shape=32,32"), "three whole numbers"),
    ],
)
def test_what_is_wrong_is_a_usage_error_that_says_what_is_right(arguments: tuple[str, ...], said: str) -> None:
    assert said in refused(*arguments)
