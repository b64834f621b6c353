"""``mninfer segment``: which class every pixel of a picture belongs to."""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.options import examples, refuse_empty
from mninfer.cli.output import printable
from mninfer.cli.picture_options import picture_command_options, run_picture_command, save_images_option
from mninfer.cli.picture_run import Presentation, each
from mninfer.errors import UnsupportedModelError

if TYPE_CHECKING:
    from mninfer import Model
    from mninfer.cli.save_pictures import PictureSaver
    from mninfer.results import Failure
    from mninfer.segmentation import Segmentation

__all__ = ["command", "in_a_line", "in_full", "mask_pixels", "rows"]


@click.command(
    "segment",
    epilog=examples(
        "mninfer segment deeplab.tflite street.jpg",
        "mninfer segment deeplab.tflite photos/ --save-masks masks/",
    ),
)
@picture_command_options
@click.option(
    "--save-masks",
    metavar="DIR",
    callback=refuse_empty,
    help="Save each mask as a PNG whose pixels are class indices; 255: not seen.",
)
@save_images_option("its classes in colour")
def command(save_masks: str | None, save_images: str | None, **options: Any) -> int:
    """Say which class every pixel belongs to, and how much of the picture each class covers."""
    if save_masks and save_images and os.path.realpath(save_masks) == os.path.realpath(save_images):
        raise click.UsageError("--save-masks and --save-images would write the same files: give them two folders")

    def analyse(model: "Model", paths: Sequence[str]) -> Iterator["Segmentation | Failure"]:
        return each(model.segment, paths)

    show = Presentation(
        command="segment",
        in_full=in_full,
        in_a_line=in_a_line,
        columns=("label", "index", "share", "width", "height"),
        rows=rows,
    )
    return run_picture_command(
        options, analyse, show, save_images=save_images, savers=_mask_savers(save_masks), settings={}
    )


def in_full(result: "Segmentation") -> str:
    """A line to a class: label and share of the picture, largest first."""
    shares = [(printable(result.name(index)), share) for index, share in result.shares().items()]
    width = max(len(name) for name, _ in shares)
    return "\n".join(f"{name:{width}}  {share:6.1%}" for name, share in shares)


def in_a_line(result: "Segmentation") -> str:
    """The classes that cover a hundredth or more."""
    shares = result.shares().items()
    return ", ".join(f"{printable(result.name(index))} {share:.0%}" for index, share in shares if share >= 0.01)


def rows(record: dict[str, Any]) -> Sequence[Sequence[object]]:
    """One row to a class."""
    size = (record["width"], record["height"])
    return [[each["label"], each["index"], f"{each['share']:.6g}", *size] for each in record["classes"]]


def mask_pixels(_: str, result: "Segmentation") -> Any:
    """The mask as an 8- or 16-bit grey picture; what the model did not see has the highest value, 255 or 65535."""
    highest = int(result.mask.max(initial=0))
    if highest >= 0xFFFF:
        raise UnsupportedModelError(f"class {highest} does not fit into a PNG's 16 bits")
    return result.mask.astype("uint8" if highest < 0xFF else "uint16")  # -1 wraps to the highest value


def _mask_savers(folder: str | None) -> "tuple[PictureSaver, ...]":
    if folder is None:
        return ()
    from mninfer.cli.save_pictures import PictureSaver

    return (PictureSaver(folder, mask_pixels, suffix=".png"),)
