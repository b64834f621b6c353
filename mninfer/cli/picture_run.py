"""One model over one picture or many: what classify, detect and segment share.

Results go to stdout (text or JSON lines) or into a file; a picture that cannot be used is told at the end, after the
rest was done.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from mninfer.cli.chatter import without_chatter
from mninfer.cli.output import is_terminal, json_line, note, printable, say
from mninfer.errors import InputError, MnError
from mninfer.images.paths import FoundImage, find_images
from mninfer.results import PICTURE_ERRORS, Failure

if TYPE_CHECKING:
    from mninfer import Model
    from mninfer.cli.save_pictures import PictureSaver

__all__ = ["PictureRun", "Presentation", "each", "run_pictures"]

Analyse = Callable[["Model", Sequence[str]], Iterator[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Presentation:
    """How one command's results look: several lines for a single picture, one line of many, rows of a file."""

    command: str
    in_full: Callable[[Any], str]
    in_a_line: Callable[[Any], str]
    columns: tuple[str, ...]
    rows: Callable[[dict[str, Any]], Sequence[Sequence[object]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRun:
    """What the command line asked for, the same for every picture command."""

    arguments: tuple[str, ...]
    is_json: bool
    out: str | None
    resume: bool
    force: bool
    savers: "tuple[PictureSaver, ...]"
    settings: dict[str, Any]


def each(call: Callable[[str], Any], paths: Iterable[str]) -> Iterator[Any]:
    """``call`` of every path, in order; an error of one picture becomes its Failure, one of the model ends the run."""
    for path in paths:
        try:
            outcome = call(path)
        except PICTURE_ERRORS as error:
            outcome = Failure(error, path)
        yield outcome


def run_pictures(model: "Model", run: PictureRun, analyse: Analyse, show: Presentation) -> int:
    """Do every picture; 0 when all could be used, else 1 after telling which could not."""
    unread: list[InputError] = []
    pictures = find_images(run.arguments, on_unreadable=unread.append)
    code = _run(model, run, pictures, analyse, show, is_all=not unread)
    for error in unread:
        note(f"Error: {error}")
    return code or (MnError.exit_code if unread else 0)


def _run(
    model: "Model",
    run: PictureRun,
    pictures: list[FoundImage],
    analyse: Analyse,
    show: Presentation,
    *,
    is_all: bool,
) -> int:
    for saver in run.savers:
        saver.plan(pictures, force=run.force or _is_begun(run))
    if run.out:
        return _to_file(model, run, pictures, analyse, show)
    if len(pictures) == 1 and is_all:
        return _one(model, run, pictures[0], analyse, show)
    return _to_stdout(model, run, pictures, analyse, show)


def _is_begun(run: PictureRun) -> bool:
    """Whether ``--resume`` has something to go on with: what that run saved may be written again."""
    return run.resume and run.out is not None and any(map(os.path.exists, (run.out, f"{run.out}.part")))


def _one(model: "Model", run: PictureRun, picture: FoundImage, analyse: Analyse, show: Presentation) -> int:
    result = next(iter(analyse(model, [picture.path])))
    if isinstance(result, Failure):
        raise result.error.at(picture.path)
    if run.is_json:
        json_line(_record(model, picture, result))
    else:
        say(show.in_full(result))
    for saver in run.savers:
        saver.save(picture, result)
    return 0


def _to_stdout(
    model: "Model", run: PictureRun, pictures: list[FoundImage], analyse: Analyse, show: Presentation
) -> int:
    failures = _Failures()
    width = min(max(len(printable(picture.path)) for picture in pictures), 60)
    with _progress(len(pictures), is_wanted=not is_terminal(sys.stdout)) as progress:
        for picture, result in _each(model, pictures, analyse, run.savers):
            if isinstance(result, Failure):
                failures.add(picture.path, str(result.error.what))
            if run.is_json:
                json_line(_record(model, picture, result))
            elif not isinstance(result, Failure):
                say(f"{printable(picture.path):{width}}  {show.in_a_line(result)}")
            progress.step()
    return failures.tell(len(pictures))


def _to_file(model: "Model", run: PictureRun, pictures: list[FoundImage], analyse: Analyse, show: Presentation) -> int:
    from mninfer.cli.finished_records import finished_images
    from mninfer.cli.records import RecordFile

    assert run.out is not None
    images = [picture.path for picture in pictures]
    if run.resume and not run.force:
        finished = finished_images(run.out, columns=show.columns, rows=show.rows, images=images)
        if finished is not None:
            return _tell_finished(run, finished)
    with RecordFile(
        run.out, columns=show.columns, rows=show.rows, settings=run.settings, images=images, resume=run.resume,
        force=run.force,
    ) as file:  # fmt: skip
        failures = _Failures()
        todo = []
        for picture in pictures:
            if not file.is_done(picture.path):
                todo.append(picture)
            elif error := file.error_of(picture.path):
                failures.add(picture.path, error)
        num_before = len(pictures) - len(todo)
        if num_before:
            note(f"going on: {num_before:,} of {len(pictures):,} pictures are in {file.part} already")
        try:
            with _progress(len(pictures), num_done=num_before) as progress:
                for picture, result in _each(model, todo, analyse, run.savers):
                    if isinstance(result, Failure):
                        failures.add(picture.path, str(result.error.what))
                    file.write(_record(model, picture, result))
                    progress.step()
        except KeyboardInterrupt:
            note(f"{progress.num_done:,} of {len(pictures):,} pictures are in {file.part}; --resume goes on")
            raise
        file.finish()
    code = failures.tell(len(pictures))
    _tell_file(run, len(pictures), failures.count)
    return code


def _each(
    model: "Model", pictures: list[FoundImage], analyse: Analyse, savers: "tuple[PictureSaver, ...]"
) -> Iterator[tuple[FoundImage, Any]]:
    """Each picture with its result, in order. One that cannot be saved is a failure like one that cannot be read."""
    results = analyse(model, [picture.path for picture in pictures])
    with without_chatter():  # bulk runs open an engine per worker
        first = [next(results)] if pictures else []
    for picture, result in zip(pictures, chain(first, results), strict=True):
        yield picture, _saved(picture, result, savers)


def _saved(picture: FoundImage, result: Any, savers: "tuple[PictureSaver, ...]") -> Any:
    """``result``; or a failure, where the picture is gone or changed by the time it is drawn on."""
    if isinstance(result, Failure):
        return result
    try:
        for saver in savers:
            saver.save(picture, result)
    except InputError as error:
        return Failure(error, picture.path)
    return result


def _record(model: "Model", picture: FoundImage, result: Any) -> dict[str, Any]:
    """The JSON of one picture: its name as given, what was found or the error, where the preprocessing came from."""
    if isinstance(result, Failure):
        return {"image": picture.path, "error": result.error.what}
    preprocess = model.spec.preprocess
    source = str(preprocess.source) if preprocess else None
    return {**result.to_json(), "image": picture.path, "preprocess_source": source}


def _tell_finished(run: PictureRun, finished: "dict[str, str | None]") -> int:
    """The outcome that the run which completed the file had."""
    failures = _Failures()
    for path, error in finished.items():
        if error:
            failures.add(path, error)
    note(f"{run.out} is complete: nothing to do; --force does it again")
    code = failures.tell(len(finished))
    if run.is_json:
        _tell_file(run, len(finished), failures.count)
    return code


def _tell_file(run: PictureRun, num_pictures: int, num_failures: int) -> None:
    if run.is_json:
        json_line({"out": run.out, "num_pictures": num_pictures, "num_failures": num_failures})
    else:
        pictures = f"{num_pictures:,} picture{'' if num_pictures == 1 else 's'}"
        unused = f", {num_failures:,} that could not be used" if num_failures else ""
        note(f"{pictures}{unused} -> {run.out}")


def _progress(total: int, *, num_done: int = 0, is_wanted: bool = True) -> Any:
    from mninfer.cli.progress import Progress

    return Progress(total, num_done=num_done, is_wanted=is_wanted)


class _Failures:
    """The pictures that could not be used, told together at the end."""

    _MOST_LINES = 20

    def __init__(self) -> None:
        self.count = 0
        self._lines: list[str] = []

    def add(self, path: str, what: str) -> None:
        self.count += 1
        if len(self._lines) < self._MOST_LINES:
            self._lines.append(f"  {printable(path)}: {what}")

    def tell(self, num_pictures: int) -> int:
        if not self.count:
            return 0
        rest = self.count - len(self._lines)
        more = [f"  and {rest:,} more: --out or --json has all of them"] if rest else []
        note("\n".join([f"{self.count:,} of {num_pictures:,} pictures could not be used:", *self._lines, *more]))
        return MnError.exit_code
