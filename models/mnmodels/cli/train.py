"""``mnmodels train``: a recipe and pictures -> a trained model, resumable."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.options import NearChoice, examples
from mninfer.cli.output import json_line, note, say
from mnmodels.backend import BACKENDS
from mnmodels.cli.outputs import KERAS_ENDINGS, refuse_begun_from_itself, refuse_output, refuse_output_of_run
from mnmodels.cli.skipped import tell_skipped

if TYPE_CHECKING:
    from mnmodels.training.recipe import Recipe
    from mnmodels.training.run import TrainingResult

__all__ = ["command"]


@click.command(
    "train",
    epilog=examples(
        "mnmodels train --list",
        "mnmodels train cifar10_mobilenet_v1_025 --data cifar10-train.tar.xz --test cifar10-test.tar.xz",
        "mnmodels train cifar10_mobilenet_v1_025 --resume",
        "mnmodels train my_recipe.toml --epochs 10 --set optimizer.learning_rate=0.05 -o mine.keras",
        "mnmodels train my_recipe.toml --weights mine.keras --folder runs/more --set optimizer.learning_rate=0.01",
    ),
)
@click.argument("recipe", required=False, metavar="RECIPE")
@click.option("--list", "is_list", is_flag=True, help="The recipes that are shipped, and leave.")
@click.option(
    "--data", metavar="WHERE", help="A folder, an archive, or cifar10|cifar100 (a download). Default: the recipe's."
)
@click.option("--test", metavar="WHERE", help="The pictures to validate on, where they are not in --data.")
@click.option("--folder", metavar="FOLDER", help="Where the run lives. Default: runs/RECIPE.")
@click.option("--model", "name", metavar="NAME", help="Another network than the recipe's.")
@click.option("--alpha", type=float, help="Another width.")
@click.option("--epochs", type=int, help="Another number of epochs.")
@click.option("--batch", type=int, help="Another batch size.")
@click.option("--seed", type=int, help="Another seed.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Anything of the recipe: optimizer.name=adamw."
)
@click.option(
    "--backend", type=NearChoice(BACKENDS), help="What Keras runs on. Default: KERAS_BACKEND, else tensorflow."
)
@click.option("--devices", type=click.IntRange(1, 1024), default=1, show_default=True, help="Share each batch (JAX).")
@click.option(
    "--on-corrupt",
    type=NearChoice(["refuse", "skip"]),
    default="refuse",
    show_default=True,
    help="Pictures that can't be read.",
)
@click.option("--weights", metavar="FILE", help="Begin with the weights of this Keras file, not with random ones.")
@click.option("--tensorboard", metavar="FOLDER", help="Write TensorBoard's files, too (it has to be installed).")
@click.option("--resume", is_flag=True, help="Go on where the run in FOLDER was cut off.")
@click.option("--force", is_flag=True, help="Begin again over a run in FOLDER, and write over OUT.")
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="Also write the model here, .keras or .h5, as the last epoch leaves it; the best is FOLDER/best.keras.",
)
@click.option("--json", "is_json", is_flag=True, help="The result as one JSON object.")
def command(recipe: str | None, *, is_list: bool, is_json: bool, **options: Any) -> int:
    """Train a network as RECIPE says (a name, or a TOML file of yours).

    Every epoch ends with a checkpoint; a run that was killed goes on with --resume and ends as if nothing had happened.
    """
    if is_list:
        _list(is_json=is_json)
        return 0
    if recipe is None:
        raise click.UsageError("which recipe? mnmodels train --list shows them")
    from mnmodels.training.recipe import load_recipe, with_changes

    chosen = with_changes(load_recipe(recipe), _changes(options))
    folder = Path(options["folder"] or Path("runs") / Path(recipe).stem)
    result = _run(chosen, folder, options)
    if is_json:
        json_line({"folder": str(folder), "output": options["output"], "last": dict(result.rows[-1])})
    else:
        say(f"{folder / 'model.keras'}: validation top-1 {100 * result.rows[-1]['val_accuracy']:.2f} %")
    return 0


def _run(recipe: "Recipe", folder: Path, options: dict[str, Any]) -> "TrainingResult":
    from mnmodels.backend import start_keras
    from mnmodels.cli.train_progress import TerminalWatcher
    from mnmodels.training.sets import open_sets

    _refuse_files(folder, options)
    output = options["output"]
    pictures, validation = open_sets(recipe, options["data"], test=options["test"], on_corrupt=options["on_corrupt"])
    tell_skipped(pictures, validation)
    start_keras(options["backend"])
    from mnmodels.keras_file import save_keras
    from mnmodels.training.run import train
    from mnmodels.training.start import start_from

    board = Path(options["tensorboard"]) if options["tensorboard"] else None
    note(
        f"{recipe.title}: {len(pictures):,} pictures of {len(pictures.labels)} classes, {len(validation):,} to validate"
    )
    with TerminalWatcher(board) as watcher:
        result = train(
            recipe,
            pictures,
            validation,
            folder,
            resume=options["resume"],
            force=options["force"],
            devices=options["devices"],
            watcher=watcher,
            start=None if options["weights"] is None else start_from(options["weights"]),
        )
    if output:
        save_keras(result.model, output, contract=result.contract, force=options["force"])
    return result


def _refuse_files(folder: Path, options: dict[str, Any]) -> None:
    """Raise MnError for what would fail in the end, or take away what is still wanted, before anything is read."""
    from mnmodels.training.run_folder import refuse_other_run

    resume, force = options["resume"], options["force"]
    if options["output"] is not None:
        refuse_output(options["output"], *KERAS_ENDINGS, force=force)
        refuse_output_of_run(options["output"], (folder,))
    refuse_other_run(folder, resume=resume, force=force)
    if options["weights"] is not None and not resume:
        refuse_begun_from_itself(options["weights"], (folder,))


def _changes(options: dict[str, Any]) -> dict[str, Any]:
    """The options that change the recipe, by their dotted names, each once."""
    places = {
        "name": "model.name",
        "alpha": "model.alpha",
        "epochs": "train.epochs",
        "batch": "train.batch",
        "seed": "train.seed",
    }
    changes = {place: options[name] for name, place in places.items() if options[name] is not None}
    for setting in options["settings"]:
        key, equals, text = setting.partition("=")
        if not equals:
            raise click.BadParameter(f'"{setting}" is not KEY=VALUE, such as train.epochs=10')
        if key.strip() in changes:
            raise click.BadParameter(f'"{key.strip()}" is stated twice')
        changes[key.strip()] = _value(text.strip())
    return changes


def _value(text: str) -> Any:
    """A value as TOML has it; a bare word is a text."""
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _list(*, is_json: bool) -> None:
    from mnmodels.training.recipe import load_recipe, recipe_names

    recipes = {name: load_recipe(name) for name in recipe_names()}
    if is_json:
        json_line({name: recipe.to_json() for name, recipe in recipes.items()}, indent=2)
        return
    width = max(map(len, recipes))
    for name, recipe in recipes.items():
        say(f"{name:{width}}  {recipe.title}")
