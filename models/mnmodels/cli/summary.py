"""``mnmodels summary``: how large a network is, of the registry, a Keras file or a .tflite."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.chatter import without_chatter
from mninfer.cli.options import examples, parse_size
from mninfer.cli.output import json_line, note, say
from mninfer.errors import MnError
from mnmodels.cli.keras_options import KerasOptions, keras_options
from mnmodels.cli.network_options import network_options
from mnmodels.cli.stated import refuse_stated
from mnmodels.counting.summary import COUNTING_RULE

if TYPE_CHECKING:
    from mnmodels.counting.summary import Summary

__all__ = ["command"]

_FOR_FILES = ("lambdas", "custom", "trust")


@click.command(
    "summary",
    help=f"""Count the layers, parameters, multiply-adds and activation memory of MODEL.

    MODEL is a network of the registry, with the options that describe it, a Keras file of any era, or a .tflite, which
    needs no Keras.

    {COUNTING_RULE}

    Parameters of a Keras model are all its weights, and of those the trainable ones; statistics of batch normalization
    aren't trained. Peak memory is the most that activations take at once, inputs and outputs held throughout: float32
    for a Keras model, with what converters fuse taken for fused; in its own types for a .tflite.
    """,
    epilog=examples(
        "mnmodels summary mobilenet_v1 --alpha 0.25",
        "mnmodels summary mobilenet_v2 --form cifar --option classes=100 --no-layers",
        "mnmodels summary weights.h5 --arch mobilenet_v1 --alpha 0.5",
        "mnmodels summary mobilenet.tflite --json",
    ),
)
@click.argument("model", metavar="MODEL")
@click.option("--layers/--no-layers", "has_layers", default=True, show_default=True, help="A line to each layer.")
@click.option("--input-size", metavar="WIDTHxHEIGHT", callback=parse_size, help="For a model that leaves it open.")
@click.option("--json", "is_json", is_flag=True, help="Everything, as one JSON object.")
@network_options
@keras_options
def command(
    model: str,
    *,
    has_layers: bool,
    input_size: tuple[int, int] | None,
    is_json: bool,
    network: dict[str, Any] | None,
    **options: Any,
) -> int:
    """Say how large a network is."""
    from mnmodels.counting.page import layer_table, totals

    with without_chatter():
        summary = _summarize(model, network, KerasOptions.take(options), input_size)
    for row in summary.uncounted:
        note(f'warning: no rule counts the multiply-adds of "{row.name}" ({row.kind}): the sum is without them')
    if is_json:
        facts = summary.to_json()
        json_line(facts if has_layers else {key: facts[key] for key in facts if key != "layers"}, indent=2)
        return 0
    if has_layers:
        say(layer_table(summary) + "\n")
    say(totals(summary))
    return 0


def _summarize(
    target: str, network: dict[str, Any] | None, keras: KerasOptions, input_size: tuple[int, int] | None
) -> "Summary":
    from mnmodels.architectures.registry import ARCHITECTURES

    if target in ARCHITECTURES:
        refuse_stated(_FOR_FILES, "a network of the registry is no file")
        return _of_network(target, network, input_size)
    if not os.path.lexists(target):
        raise _nothing_there(target, ARCHITECTURES)
    try:
        return _of_file(target, network, keras, input_size)
    except MnError as error:
        raise error.at(target) from error.__cause__


def _of_network(name: str, network: dict[str, Any] | None, input_size: tuple[int, int] | None) -> "Summary":
    from mnmodels.backend import start_keras
    from mnmodels.counting.summarize import summarize

    stated = dict(network or {})
    if stated.pop("name", name) != name:
        raise click.UsageError(f'MODEL says "{name}" and --arch says "{(network or {})["name"]}": leave out one')
    start_keras()
    from mnmodels.architectures.registry import build_model

    described = " ".join([name, *(f"{key}={value}" for key, value in stated.items())])
    return summarize(build_model(name, **stated), name=described, input_size=input_size)


def _of_file(
    path: str, network: dict[str, Any] | None, keras: KerasOptions, input_size: tuple[int, int] | None
) -> "Summary":
    from mnmodels.counting.summarize import summarize
    from mnmodels.evaluation.open_predictor import is_tflite

    if is_tflite(path):
        from mninfer.loading import read_checked

        refuse_stated(_FOR_FILES, "a .tflite needs no Keras")
        if network:
            raise click.UsageError("a .tflite says itself what it is: leave out --arch, --alpha, --form and --option")
        file = read_checked(path, strict=False, allow_unlisted_ops=True)
        return summarize(file.graph, name=path, input_size=input_size)
    loaded = keras.load(path, arch=network)
    for change in loaded.changes:
        note(f"note: {change}")
    return summarize(loaded.model, name=path, input_size=input_size)


def _nothing_there(target: str, names: Iterable[str]) -> MnError:
    from mninfer.near import near_files, near_names

    near = [*near_names(target, names), *near_files(target)]
    hints = [f"did you mean {name}?" for name in near] or [f"a file, or one of {', '.join(names)}"]
    return MnError(f'"{target}" is neither a network of the registry nor a file', hints=hints)
