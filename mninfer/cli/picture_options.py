"""The arguments and options of the commands that go over pictures: classify, detect, segment."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.options import ModelOptions, model_argument, model_options, open_model, refuse_empty, settings_of
from mninfer.cli.picture_run import Analyse, PictureRun, Presentation, run_pictures
from mninfer.errors import PreprocessError, UnsupportedModelError

if TYPE_CHECKING:
    from mninfer.cli.save_pictures import PictureSaver

__all__ = ["picture_command_options", "run_picture_command", "save_images_option"]

Command = Callable[..., Any]


def picture_command_options(command: Command) -> Command:
    """MODEL, the pictures, where results go, and everything in ``model_options``."""
    command = model_options(command)
    for decorate in (
        click.option("--force", is_flag=True, help="Write over files that exist."),
        click.option("--resume", is_flag=True, help="Go on with an --out that was cut off."),
        click.option(
            "--out",
            metavar="FILE",
            callback=_known_suffix,
            help="Write results to FILE.csv, .jsonl or .parquet, through FILE.part.",
        ),
        click.option("--json", "is_json", is_flag=True, help="One JSON object a picture, each on a line of its own."),
        click.argument("images", metavar="IMAGE_OR_FOLDER_OR_GLOB...", nargs=-1, required=True),
    ):
        command = decorate(command)
    return model_argument(command)


def save_images_option(drawn: str) -> Callable[[Command], Command]:
    """``--save-images``, which saves each picture with ``drawn``."""
    return click.option("--save-images", metavar="DIR", callback=refuse_empty, help=f"Save each picture with {drawn}.")


def _known_suffix(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    from mninfer.cli.records import RECORD_SUFFIXES

    if not value.endswith(RECORD_SUFFIXES):
        raise click.BadParameter(
            f'"{value}" does not end in {", ".join(RECORD_SUFFIXES[:-1])} or {RECORD_SUFFIXES[-1]}'
        )
    return value


def run_picture_command(
    options: dict[str, Any],
    analyse: Analyse,
    show: Presentation,
    *,
    save_images: str | None,
    savers: "tuple[PictureSaver, ...]" = (),
    settings: dict[str, Any],
) -> int:
    """Load the model, go over the pictures. ``settings`` is what, beside the shared options, changes the results."""
    model_path, images = options.pop("model"), options.pop("images")
    out, is_json, resume, force = (options.pop(name) for name in ("out", "is_json", "resume", "force"))
    if resume and not out:
        raise click.UsageError("--resume goes on with a file: say which with --out")
    shared = ModelOptions.take(options)
    if save_images is not None:
        from mninfer.cli.save_pictures import drawing_saver

        savers = (*savers, drawing_saver(save_images, shared.max_pixels))
    with open_model(model_path, shared) as model:
        run = PictureRun(
            arguments=images,
            is_json=is_json,
            out=out,
            resume=resume,
            force=force,
            savers=savers,
            settings={
                "command": show.command,
                **settings,
                **settings_of(model, shared),
                "saved_to": [saver.folder for saver in savers],
            }
            if out
            else {},
        )
        try:
            return run_pictures(model, run, analyse, show)
        except (PreprocessError, UnsupportedModelError) as error:
            raise error.at(model_path) from error.__cause__
