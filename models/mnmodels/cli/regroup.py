"""``mnmodels regroup``: a trained net of learned groups as one of standard group convolutions."""

from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.chatter import without_chatter
from mninfer.cli.options import examples
from mninfer.cli.output import json_line, note, say
from mninfer.errors import MnError
from mnmodels.cli.keras_options import KerasOptions, keras_options
from mnmodels.cli.network_options import network_options
from mnmodels.cli.outputs import KERAS_ENDINGS, refuse_output

if TYPE_CHECKING:
    from mnmodels.architectures.regroup import Regrouped

__all__ = ["command"]


@click.command(
    "regroup",
    epilog=examples(
        "mnmodels regroup runs/lgc/model.keras -o lgc.keras",
        "mnmodels regroup lgc.weights.h5 --arch mobilenet_v2_lgc --option classes=10 -o lgc.h5",
    ),
)
@click.argument("model", metavar="MODEL")
@click.option("-o", "--output", required=True, metavar="OUT", help="The model to write: .keras or .h5.")
@click.option("--force", is_flag=True, help="Write over OUT if it exists.")
@click.option("--json", "is_json", is_flag=True, help="The result as one JSON object.")
@network_options
@keras_options
def command(
    model: str, *, output: str, force: bool, is_json: bool, network: dict[str, Any] | None, **options: Any
) -> int:
    """Turn the learned group convolutions of MODEL, a Keras file, into standard ones, each after a gather of channels.

    MODEL has to be fully condensed: trained past the last condensing stage. OUT is written only where the outputs of
    both nets agree within 1e-4; else the exit code is 3.
    """
    from mnmodels.backend import start_keras

    refuse_output(output, *KERAS_ENDINGS, force=force)
    start_keras()
    from mnmodels.architectures.regroup import regroup
    from mnmodels.keras_file import save_keras

    file = KerasOptions.take(options).load(model, arch=network)
    for change in file.changes:
        note(f"note: {change}")
    try:
        with without_chatter():
            regrouped = regroup(file.model)
    except MnError as error:
        raise error.at(model) from error.__cause__
    save_keras(regrouped.model, output, contract=file.contract, force=force)
    _tell(regrouped, output, is_json=is_json)
    return 0


def _tell(regrouped: "Regrouped", output: str, *, is_json: bool) -> None:
    facts = {
        "output": output,
        "num_layers": regrouped.num_layers,
        "num_parameters_before": regrouped.num_parameters_before,
        "num_parameters_after": regrouped.num_parameters_after,
        "max_difference": regrouped.max_difference,
    }
    if is_json:
        json_line(facts)
        return
    say(
        f"{output}: {regrouped.num_layers} learned group convolutions made standard, parameters "
        f"{regrouped.num_parameters_before:,} -> {regrouped.num_parameters_after:,}, "
        f"outputs within {regrouped.max_difference:.1e}"
    )
