from typing import Any

import click
import pytest
from click.testing import CliRunner

from mnmodels.cli.keras_options import KerasOptions, keras_options

pytestmark = pytest.mark.smoke


def stated(*arguments: str) -> tuple[int, str, KerasOptions | None]:
    found = []

    @click.command()
    @keras_options
    def command(**options: Any) -> None:
        found.append(KerasOptions.take(options))

    result = CliRunner().invoke(command, arguments)
    return result.exit_code, result.output, found[0] if found else None


def test_nothing_is_stated():
    assert stated()[2] == KerasOptions()


def test_everything_is_stated():
    code, _, options = stated(
        "--lambda", "lambda=x/127.5-1", "--lambda", "tf.math.*= x + 3 ", "--custom", "a:B", "--custom", "c:D", "--trust"
    )
    assert code == 0
    assert options == KerasOptions(
        lambdas={"lambda": "x/127.5-1", "tf.math.*": "x + 3"}, custom=("a:B", "c:D"), trust=True
    )


@pytest.mark.parametrize("text", ["lambda", "=x", "lambda=", ""])
def test_what_is_no_pair_is_a_usage_error(text):
    code, output, _ = stated("--lambda", text)
    assert code == 2
    assert "NAME=EXPRESSION" in output


def test_a_name_twice_is_a_usage_error():
    code, output, _ = stated("--lambda", "a=x", "--lambda", "a=x+1")
    assert (code, "is stated twice" in output) == (2, True)
