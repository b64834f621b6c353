"""The run of the command: open, convert, write, tell; what is in the way is refused before any of it."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mnconvert.cli.stages import StageLine
from mnconvert.cli.targets import (
    Target,
    plan_targets,
    refuse_folder,
    refuse_read,
    refuse_source,
    refuse_targets,
    refuse_unreadable,
    write_target,
    written_paths,
)
from mnconvert.cli.telling import Told, tell
from mnconvert.config import ConvertConfig
from mnconvert.conversion import Conversion, Failed
from mnconvert.pipeline import convert, convert_all
from mninfer.cli.chatter import without_chatter
from mninfer.errors import MnError, OutputError, VerifyError
from mninfer.files import refuse_existing
from mnmodels.cli.keras_options import KerasOptions
from mnmodels.cli.stated import refuse_stated
from mnmodels.evaluation import is_tflite

if TYPE_CHECKING:
    from mnconvert.calibration import Samples
    from mnconvert.report.rows import Outcome
    from mnconvert.source import Source
    from mnmodels.data import Pictures

__all__ = ["run"]


# What TensorFlow announces in C++, whatever its log level; grouped convolutions retrace for Keras.
_CONVERTER_CHATTER = (
    b"fully_quantize: ",
    b"W0000 ",
    b"Summary on the non-converted ops:",
    b"WARNING: All log messages before absl::InitializeLog",
    b"To enable the following instructions",
    b"WARNING:tensorflow:",
)
_KERAS_ALONE = ("arch", "alpha", "form", "network_settings", "lambdas", "custom", "trust")
_OTHER_PAGE = "another name: --report OUT.html"


def run(model: str, configs: Sequence[ConvertConfig], options: dict[str, Any]) -> int:
    """Convert ``model`` to every one of ``configs`` and return the exit code."""
    if is_tflite(model):
        refuse_stated(_KERAS_ALONE, "MODEL is a .tflite, which has its network in it")
    targets = plan_targets(model, options["output"], configs, is_all=options["is_all"])
    _refuse(model, targets, options)
    with StageLine() as line, without_chatter(*_CONVERTER_CHATTER):
        outcomes = _outcomes(model, configs, options, line)
        files = [_write(*pair, options) for pair in zip(outcomes, targets, strict=True)]
        told = Told.of(model, outcomes, files, options, line)
        if options["page"]:
            line.stage("drawing the report")
            write_target(options["page"], told.page().encode(), force=options["force"], elsewhere=_OTHER_PAGE)
    return tell(told, options)


def _refuse(model: str, targets: Sequence[Target], options: dict[str, Any]) -> None:
    refuse_unreadable(model)
    refuse_targets(model, targets, force=options["force"], keeps_failed=options["keep_failed"])
    written = written_paths(targets, keeps_failed=options["keep_failed"])
    refuse_read(options, written)
    if page := options["page"]:
        if any(os.path.abspath(page) == os.path.abspath(path) for path in written):
            raise OutputError("the report and the model would be one file", where=page, hints="--report OUT.html")
        refuse_source(model, page)
        refuse_read(options, [page])
        refuse_existing(page, force=options["force"], elsewhere=_OTHER_PAGE)
        refuse_folder(page)


def _outcomes(
    model: str, configs: Sequence[ConvertConfig], options: dict[str, Any], line: StageLine
) -> "tuple[Outcome, ...]":
    pictures = _labelled(options)
    samples = _samples(options)
    try:
        source = _open(model, configs[0], options, line)
        return _converted(source, configs, samples, pictures, options, line)
    except MnError as error:
        raise error.at(model) from error.__cause__


def _converted(
    source: "Source",
    configs: Sequence[ConvertConfig],
    samples: "Samples | None",
    pictures: "Pictures | None",
    options: dict[str, Any],
    line: StageLine,
) -> "tuple[Outcome, ...]":
    if options["is_all"]:
        return tuple(convert_all(source, configs, samples=samples, evaluate_on=pictures, watcher=line))
    try:
        max_drop = options["max_drop"]
        return (convert(source, configs[0], samples=samples, evaluate_on=pictures, max_drop=max_drop, watcher=line),)
    except VerifyError as error:
        if not isinstance(error.report, Conversion):
            raise
        return (Failed(config=configs[0], error=error, conversion=error.report),)


def _open(model: str, config: ConvertConfig, options: dict[str, Any], line: StageLine) -> "Source":
    from mnconvert.source import open_source
    from mnmodels.backend import start_keras

    keras = KerasOptions.take(dict(options))
    if not is_tflite(model):
        line.stage("starting TensorFlow")
        start_keras("tensorflow")
    line.stage("reading the model")
    return open_source(
        model, config, arch=options["network"], lambdas=keras.lambdas, custom=keras.custom, trust=keras.trust
    )


def _samples(options: dict[str, Any]) -> "Samples | None":
    if options["calibrate"] is None:
        return None
    from mnconvert.calibration import load_samples

    return load_samples(options["calibrate"], samples=options["samples"], seed=options["seed"])


def _labelled(options: dict[str, Any]) -> "Pictures | None":
    if options["evaluate"] is None:
        return None
    from mnmodels.data import open_data

    return open_data(options["evaluate"], split="test", classes_from=options["classes_from"])


def _write(outcome: "Outcome", target: Target, options: dict[str, Any]) -> str | None:
    """The name that the file was written by; None where nothing was."""
    if isinstance(outcome, Conversion):
        write_target(target.path, outcome.data, force=options["force"])
        return target.path
    if outcome.conversion is None or not options["keep_failed"]:
        return None
    write_target(target.failed_path, outcome.conversion.data, force=options["force"])
    return target.failed_path
