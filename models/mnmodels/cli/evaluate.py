"""``mnmodels evaluate``: how often a model is right on labelled pictures, and where it goes wrong."""

import os
from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.options import (
    ModelOptions,
    NearChoice,
    engine_options,
    examples,
    open_model,
    preprocess_options,
    stated_preprocess,
)
from mninfer.cli.output import json_line, note, say
from mninfer.cli.progress import Progress
from mninfer.errors import MnError, ModelFileError
from mnmodels.backend import BACKENDS
from mnmodels.cli.keras_options import KerasOptions, keras_options
from mnmodels.cli.network_options import network_options
from mnmodels.cli.outputs import refuse_output
from mnmodels.cli.skipped import tell_skipped
from mnmodels.cli.stated import refuse_stated

if TYPE_CHECKING:
    from mnmodels.data import Pictures
    from mnmodels.evaluation import Evaluation, Predictor

__all__ = ["command", "in_words"]

LISTED_CLASSES, LISTED_CONFUSIONS = 20, 5
DRAWINGS = ("confusion", "mistakes")
ENGINES_ALONE = ("engine", "delegate", "threads", "allow_unlisted_ops")
KERAS_ALONE = ("arch", "alpha", "form", "network_settings", "lambdas", "custom", "trust", "backend", "batch")


@click.command(
    "evaluate",
    help="""Measure MODEL, a Keras file of any era or a .tflite, on the labelled pictures of DATA.

    DATA is a folder with a folder for each class (with test/ or val/ around them, or not), an archive of one, CIFAR's
    own archives, an ImageNet folder, TFRecords, or cifar10 | cifar100 (a download).

    \b
    A class of DATA is found among the model's classes
      by its number, where it is called 0007_n01514859_name or 0007:
        counted from 0, after a background;
      by its name, where the model's labels are known;
      by its place, where DATA has all 1000 wnids, or the model
        as many classes and no labels (told as assumed).
    """,
    epilog=examples(
        "mnmodels evaluate mine.keras flowers/",
        "mnmodels evaluate mobilenet.tflite cifar10-test.tar.xz --confusion confusion.png --mistakes mistakes.png",
        "mnmodels evaluate mobilenet_v2.h5 imagenet/ --labels labels.txt --limit 1000 --seed 1 --json",
    ),
)
@click.argument("model", metavar="MODEL")
@click.argument("data", metavar="DATA")
@click.option(
    "--split", type=NearChoice(["test", "train"]), default="test", show_default=True, help="Which part of DATA."
)
@click.option("--limit", type=click.IntRange(1), help="So many pictures, as equally many of each class as can be.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Which, with --limit.")
@click.option(
    "--classes-from", metavar="FILE", help="Lines of a picture's or folder's name and its class: a label, or a number."
)
@click.option(
    "--on-corrupt",
    type=NearChoice(["refuse", "skip"]),
    default="refuse",
    show_default=True,
    help="Pictures that can't be read.",
)
@click.option("--confusion", metavar="OUT.png", help="Draw the confusion matrix.")
@click.option("--mistakes", metavar="OUT.png", help="Draw the worst mistakes.")
@click.option(
    "--num-mistakes", type=click.IntRange(1, 500), default=25, show_default=True, help="How many are drawn and listed."
)
@click.option("--batch", type=click.IntRange(1, 4096), default=32, show_default=True, help="Keras files only.")
@click.option(
    "--backend", type=NearChoice(BACKENDS), help="What Keras runs on. Default: KERAS_BACKEND, else tensorflow."
)
@click.option("--force", is_flag=True, help="Write over pictures that exist.")
@click.option("--json", "is_json", is_flag=True, help="Everything as one JSON object.")
@preprocess_options
@engine_options
@keras_options
@network_options
def command(model: str, data: str, *, is_json: bool, **options: Any) -> int:
    """Measure a model on labelled pictures."""
    _refuse_drawings([target for name in DRAWINGS if (target := options[name]) is not None], force=options["force"])
    evaluation, pictures = _evaluate(model, data, options)
    if is_json:
        json_line(evaluation.to_json(), indent=2)
    else:
        say(in_words(evaluation))
    _draw(evaluation, pictures, options)  # last: what was measured is told, also where a disk is full
    return 0


def _refuse_drawings(targets: list[str], *, force: bool) -> None:
    for target in targets:
        refuse_output(target, ".png", force=force, elsewhere="another name")
    if len({os.path.realpath(target) for target in targets}) < len(targets):
        raise click.UsageError("--confusion and --mistakes are one file: give each a name of its own")


def _evaluate(model: str, data: str, options: dict[str, Any]) -> "tuple[Evaluation, Pictures]":
    from mnmodels.data import balanced_subset, open_data
    from mnmodels.evaluation import evaluate, is_tflite, match_classes

    is_keras = not is_tflite(model)
    refuse_stated(
        ENGINES_ALONE if is_keras else KERAS_ALONE,
        "MODEL is a Keras file, which Keras runs" if is_keras else "MODEL is a .tflite, which needs no Keras",
    )
    stated_preprocess(_shared(options))  # a wrong value is told before anything is read
    pictures = open_data(
        data, split=options["split"], on_corrupt=options["on_corrupt"], classes_from=options["classes_from"]
    )
    tell_skipped(pictures)
    if options["limit"]:
        pictures = balanced_subset(pictures, options["limit"], options["seed"])
    try:
        predictor = _open(model, options)
    except MnError as error:
        raise error.at(model) from error.__cause__
    try:
        match = match_classes(pictures.labels, predictor.labels, predictor.num_classes)
        if match.is_assumed:
            note(f"warning: the model has no labels, so its classes are assumed to be {match.rule}")
        with Progress(len(pictures)) as progress:
            evaluation = evaluate(
                predictor, pictures, match, num_mistakes=options["num_mistakes"], on_step=progress.step
            )
    except MnError as error:
        raise error.at(f"{model} on {data}") from error.__cause__
    finally:
        predictor.close()
    return evaluation, pictures


def _shared(options: dict[str, Any]) -> ModelOptions:
    return ModelOptions.take(dict(options))


def _open(model: str, options: dict[str, Any]) -> "Predictor":
    from mnmodels.backend import start_keras
    from mnmodels.evaluation import KerasConfig, TFLitePredictor, is_tflite, open_keras_predictor

    shared = _shared(options)
    if is_tflite(model):
        return TFLitePredictor(open_model(model, shared), model)
    start_keras(options["backend"])
    file = KerasOptions.take(options).load(model, arch=options["network"])
    if shared.sha256 is not None and file.sha256 != shared.sha256.strip().lower():
        raise ModelFileError(f"the file has sha256 {file.sha256}, not {shared.sha256} as stated")
    config = KerasConfig(
        batch=options["batch"],
        preprocess=stated_preprocess(shared),
        labels=shared.labels,
        input_size=shared.input_size,
    )
    predictor, lines = open_keras_predictor(file, config)
    for line in lines:
        note(line)
    return predictor


def _draw(evaluation: "Evaluation", pictures: "Pictures", options: dict[str, Any]) -> None:
    from mninfer.files import write_atomically
    from mnmodels.evaluation.canvas import encode_png

    if target := options["confusion"]:
        from mnmodels.evaluation.confusion_picture import draw_confusion

        write_atomically(target, encode_png(draw_confusion(evaluation)), force=options["force"])
    if target := options["mistakes"]:
        from mnmodels.evaluation.mistakes_picture import draw_mistakes

        write_atomically(target, encode_png(draw_mistakes(evaluation, pictures)), force=options["force"])


def in_words(evaluation: "Evaluation") -> str:
    """The result for a person: the shares with their standard errors, the weakest classes, the frequent confusions."""
    from mnmodels.evaluation.class_match import class_name

    lines = [f"top-1  {_share(evaluation.top1)}"]
    if evaluation.top5 is not None:
        lines.append(f"top-5  {_share(evaluation.top5)}")
    present = [each for each in evaluation.classes if each.top1.total]
    if len(present) <= LISTED_CLASSES:
        width = max(len(each.label) for each in present)
        lines += ["", *(f"{each.label:{width}}  {_short(each.top1)}" for each in present)]
    if confusions := evaluation.confusions[:LISTED_CONFUSIONS]:
        lines += ["", "most often mistaken:"]
        lines += [f"{count:6,}  {class_name(truth)} for {class_name(called)}" for truth, called, count in confusions]
    data, model = evaluation.ran["data"], evaluation.ran["model"]
    lines += ["", f"model {model['name']}, sha256 {model['sha256'][:16]}…, {model['engine']}"]
    lines.append(f"input {evaluation.preprocess} ({evaluation.preprocess.source})")
    lines.append(f"data  sha256 {data['sha256'][:16]}…, classes matched by {data['matched_by']}")
    return "\n".join(lines)


def _share(share: Any) -> str:
    error = f"± {share.standard_error:.2%}".replace("%", " %")
    return f"{share.rate:.2%}".replace("%", " %") + f" {error}  ({share.count:,} of {share.total:,})"


def _short(share: Any) -> str:
    return f"{100 * share.rate:6.2f} %  ({share.count:,} of {share.total:,})"
