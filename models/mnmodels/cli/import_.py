"""``mnmodels import``: weights in another project's file -> a Keras file that converts without a flag."""

import os
from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.chatter import without_chatter
from mninfer.cli.options import ModelOptions, examples, preprocess_options, stated_preprocess
from mninfer.cli.output import json_line, note, say
from mnmodels.cli.network_options import network_options
from mnmodels.cli.outputs import KERAS_ENDINGS, refuse_output

if TYPE_CHECKING:
    from mnmodels.weights import ImportConfig, Imported

__all__ = ["command"]


@click.command(
    "import",
    epilog=examples(
        "mnmodels import mobilenet_v1.pkl --arch mobilenet_v1 -o mobilenet_v1.keras",
        "mnmodels import mobilenet_v2_1.0_224.ckpt --arch mobilenet_v2 --labels labels.txt -o mobilenet_v2.keras",
        "mnmodels import mobilenet_v1_0.25_128.ckpt.index --arch mobilenet_v1 --alpha 0.25 "
        "--option input_shape=128,128,3 -o small.h5",
        "mnmodels import tfjs/model.json --arch mobilenet_v1 --alpha 0.5 --without-top -o features.keras",
    ),
)
@click.argument("weights", metavar="FILE")
@click.option("-o", "--output", required=True, metavar="OUT", help="The model to write: .keras or .h5.")
@click.option("--drop-background", is_flag=True, help="The file's class 0 is the background: leave it away.")
@click.option("--without-top", is_flag=True, help="Leave the classifier away: a network of features.")
@click.option("--force", is_flag=True, help="Write over OUT if it exists.")
@click.option("--json", "is_json", is_flag=True, help="What was imported, as one JSON object.")
@network_options
@preprocess_options
def command(
    weights: str, output: str, *, force: bool, is_json: bool, network: dict[str, Any] | None, **options: Any
) -> int:
    """Give the weights in FILE to a network of the registry (--arch), and write it as a Keras file.

    FILE is a pickled dictionary of arrays (of TensorFlow 1 projects), a TensorFlow checkpoint of TF-slim (its prefix,
    or one of its files), model.json of TensorFlow.js, an HDF5 file of weights of any Keras, or a float .tflite. Nothing
    in it is run. What doesn't fit is listed, all of it, and nothing is written then.

    The number of classes is the file's, where none is stated (--option classes=10). Where FILE is a .tflite and
    imported whole, the outputs are compared with its own, which must agree within 1e-4.
    """
    from mnmodels.weights import import_weights

    if network is None or "name" not in network:
        raise click.UsageError("which network are the weights of? --arch NAME; mnmodels import --help")
    refuse_output(output, *KERAS_ENDINGS, force=force)
    config = _config(network, options)
    with without_chatter():
        imported = import_weights(weights, config)
        _save(imported, output, force=force)
    for line in imported.notes:
        note(line)
    if is_json:
        json_line(_facts(imported, weights, output))
    else:
        _tell(imported, output)
    return 0


def _config(network: dict[str, Any], options: dict[str, Any]) -> "ImportConfig":
    from mninfer.model_file import parse_labels
    from mnmodels.weights import ImportConfig
    from mnmodels.weights.named_arrays import read_bytes

    shared = ModelOptions.take(options)
    labels = None
    if shared.labels is not None:
        labels = parse_labels(read_bytes(shared.labels, "the label file"), shared.labels)
    return ImportConfig(
        network=network,
        drop_background=options["drop_background"],
        without_top=options["without_top"],
        labels=labels,
        preprocess=stated_preprocess(shared),
    )


def _save(imported: "Imported", output: str, *, force: bool) -> None:
    from mnmodels.keras_file import save_keras

    save_keras(imported.model, output, contract=imported.contract, force=force)


def _facts(imported: "Imported", weights: str, output: str) -> dict[str, Any]:
    contract = imported.contract
    return {
        "source": os.path.basename(weights),
        "kind": str(imported.kind),
        "names": imported.dialect,
        "model": output,
        "num_arrays": imported.num_arrays,
        "num_parameters": imported.num_parameters,
        "output_shape": list(imported.model.output_shape[1:]),
        "num_labels": None if contract.labels is None else len(contract.labels),
        "preprocess": None if contract.preprocess is None else contract.preprocess.to_json(),
        "largest_difference": imported.difference,
        "notes": list(imported.notes),
    }


def _tell(imported: "Imported", output: str) -> None:
    shape = "×".join(map(str, imported.model.output_shape[1:]))
    say(f"{output}: {imported.model.name}, {imported.num_parameters:,} parameters, output {shape}")
    say(f"  from      {imported.kind}, named as in {imported.dialect}")
    if imported.difference is not None:
        say(f"  verified  its outputs are within {imported.difference:.1g} of the file's own")
