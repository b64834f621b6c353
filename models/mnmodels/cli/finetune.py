"""``mnmodels finetune``: a folder of a user's own classes -> a Keras file that converts without a flag."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.options import FiniteRange, ModelOptions, NearChoice, examples, fitting_options, stated_preprocess
from mninfer.cli.output import json_line, note, say
from mnmodels.backend import BACKENDS
from mnmodels.cli.keras_options import lambda_option
from mnmodels.cli.outputs import KERAS_ENDINGS, refuse_begun_from_itself, refuse_output, refuse_output_of_run
from mnmodels.cli.skipped import tell_skipped
from mnmodels.cli.stated import refuse_stated

if TYPE_CHECKING:
    from mnmodels.finetuning.base import Base
    from mnmodels.training.run import TrainingResult

__all__ = ["command"]


@click.command(
    "finetune",
    epilog=examples(
        "mnmodels finetune flowers/ -o flowers.keras",
        "mnmodels finetune flowers/ --base mobilenet_v2.h5 --preprocess inception -o flowers.keras",
        "mnmodels finetune flowers/ --model mobilenet_v1 --alpha 0.5 --size 160 --epochs 20 -o flowers.h5",
    ),
)
@click.argument("pictures", metavar="FOLDER")
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="OUT",
    help="The model to write, as the last epoch leaves it: .keras or .h5.",
)
@click.option("--base", metavar="FILE", help="A trained Keras file of yours. Default: the zoo's, trained on ImageNet.")
@click.option("--model", "name", default="mobilenet_v2", show_default=True, metavar="NAME", help="Which of the zoo.")
@click.option("--alpha", type=float, default=1.0, show_default=True, help="Its width.")
@click.option("--size", type=click.IntRange(32, 1024), default=224, show_default=True, help="Its picture's side.")
@click.option("--folder", metavar="RUN", help="Where the runs live. Default: runs/ and the name of OUT.")
@click.option(
    "--head-epochs", type=click.IntRange(1, 10_000), default=5, show_default=True, help="Of the new head alone."
)
@click.option("--epochs", type=click.IntRange(0, 10_000), default=10, show_default=True, help="Then of more layers.")
@click.option(
    "--unfreeze", type=click.IntRange(0, 10_000), default=20, show_default=True, help="How many, from the end."
)
@click.option(
    "--learning-rate",
    type=FiniteRange(0, 10, min_open=True),
    default=1e-3,
    show_default=True,
    help="Of the head; a tenth of it for the rest.",
)
@click.option(
    "--validation",
    type=FiniteRange(0, 0.9, min_open=True),
    default=0.2,
    show_default=True,
    help="Share held back, where the folder has no val/ or test/.",
)
@click.option("--cut", metavar="LAYER", help="The last layer of the base to keep. Default: the last global pooling.")
@click.option("--batch", type=click.IntRange(1, 65_536), default=32, show_default=True)
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=1, show_default=True)
@click.option(
    "--on-corrupt",
    type=NearChoice(["refuse", "skip"]),
    default="refuse",
    show_default=True,
    help="Pictures that can't be read.",
)
@click.option(
    "--backend", type=NearChoice(BACKENDS), help="What Keras runs on. Default: KERAS_BACKEND, else tensorflow."
)
@click.option("--resume", is_flag=True, help="Go on where a run was cut off.")
@click.option("--force", is_flag=True, help="Begin again over a run in RUN, and write over OUT.")
@click.option("--json", "is_json", is_flag=True, help="The result as one JSON object.")
@lambda_option
@fitting_options
def command(pictures: str, output: str, *, is_json: bool, **options: Any) -> int:
    """Fit a trained network to your own classes: FOLDER holds a folder of pictures for each.

    First a new head alone learns, then the last layers with it, at a tenth of the learning rate. OUT carries the labels
    and the preprocessing, so that converting it needs no options.
    """
    from mnmodels.backend import start_keras

    folder = Path(options["folder"] or Path("runs") / Path(output).stem)
    if options["base"]:
        refuse_stated(("name", "alpha", "size"), "the base is a file, which says this itself")
    else:
        refuse_stated(("lambdas",), "the zoo's networks have no Lambda")
    _refuse_files(folder, output, options)
    start_keras(options["backend"])
    from mnmodels.keras_file import save_keras

    result = _run(pictures, folder, options)
    save_keras(result.model, output, contract=result.contract, force=options["force"])
    last = result.rows[-1]
    if is_json:
        json_line({"output": output, "labels": list(result.contract.labels or ()), "last": dict(last)})
    else:
        labels = result.contract.labels or ()
        say(f"{output}: {len(labels)} classes, validation top-1 {100 * last['val_accuracy']:.2f} %")
    return 0


def _refuse_files(folder: Path, output: str, options: dict[str, Any]) -> None:
    """Raise MnError for what would fail in the end, or take away what is still wanted, before anything is read."""
    from mnmodels.finetuning.finetune import refuse_other_finetune, run_folders

    resume, force = options["resume"], options["force"]
    refuse_output(output, *KERAS_ENDINGS, force=force)
    refuse_output_of_run(output, run_folders(folder))
    refuse_other_finetune(folder, resume=resume, force=force)
    if options["base"] and not resume:
        refuse_begun_from_itself(options["base"], run_folders(folder))


def _run(pictures: str, folder: Path, options: dict[str, Any]) -> "TrainingResult":
    from mnmodels.cli.train_progress import TerminalWatcher
    from mnmodels.finetuning.finetune import FinetuneConfig, finetune
    from mnmodels.training.sets import parts_or_held_back

    base = _base(options)
    for warning in base.warnings:
        note(f"warning: {warning}")
    training, validation = parts_or_held_back(
        pictures, options["validation"], options["seed"], on_corrupt=options["on_corrupt"]
    )
    tell_skipped(training, validation)
    note(f"{base.name}: {len(training):,} pictures of {len(training.labels)} classes, {len(validation):,} to validate")
    config = FinetuneConfig(
        head_epochs=options["head_epochs"],
        whole_epochs=options["epochs"],
        head_rate=options["learning_rate"],
        whole_rate=options["learning_rate"] / 10,
        unfrozen=options["unfreeze"],
        batch=min(options["batch"], len(training)),
        seed=options["seed"],
        cut=options["cut"],
    )
    with TerminalWatcher() as watcher:
        return finetune(
            base,
            training,
            validation,
            folder,
            config,
            resume=options["resume"],
            force=options["force"],
            watcher=watcher,
        )


def _base(options: dict[str, Any]) -> "Base":
    from mnmodels.finetuning.base import base_from_file, base_from_zoo

    stated = stated_preprocess(
        ModelOptions(**{name: options[name] for name in ("preprocess", "resize", "interpolation")})
    )
    if options["base"]:
        return base_from_file(Path(options["base"]), stated, lambdas=options["lambdas"])
    return base_from_zoo(options["name"], options["size"], stated, alpha=options["alpha"])
