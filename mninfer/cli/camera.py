"""``mninfer camera``: labels and frames per second, live, on a terminal, a screen or a page, or into a video."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from mninfer.cli.chatter import without_chatter
from mninfer.cli.options import (
    FiniteRange,
    ModelOptions,
    engine_options,
    examples,
    model_argument,
    open_model,
    preprocess_options,
    refuse_empty,
)
from mninfer.cli.output import flush_results, is_terminal, json_line, note, printable, say
from mninfer.errors import MnError, OutputError

if TYPE_CHECKING:
    from mninfer import Model
    from mninfer.camera.frame import FrameSource, Pixels
    from mninfer.camera.watch import Seen, Viewer

__all__ = ["command"]


@click.command(
    "camera",
    epilog=examples(
        "mninfer camera mobilenet.tflite",
        "mninfer camera ssd.tflite --source street.mp4 --save boxes.mp4",
        "mninfer camera mobilenet.tflite --source picamera2 --http 8000",
    ),
)
@model_argument
@click.option(
    "--source",
    default="0",
    show_default=True,
    metavar="0|picamera2|VIDEO|URL",
    help="A camera's number, a file, a stream.",
)
@click.option("--show", "is_shown", is_flag=True, help="Open a window; q closes it.")
@click.option("--save", metavar="FILE", callback=refuse_empty, help="Write a video: .mp4, .avi or .mkv.")
@click.option(
    "--http", "port", type=click.IntRange(0, 65535), metavar="PORT", help="Serve a page with the live picture."
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, callback=refuse_empty, help="The address that --http serves on."
)
@click.option("--frames", "num_frames", type=click.IntRange(1), metavar="N", help="Stop after N frames.")
@click.option("--top", type=click.IntRange(1), default=3, show_default=True, help="How many classes to name.")
@click.option("--threshold", type=FiniteRange(0, 1), default=0.5, show_default=True, help="For detectors.")
@click.option("--force", is_flag=True, help="Write over an existing --save.")
@click.option("--json", "is_json", is_flag=True, help="One JSON object a frame, each on a line of its own.")
@preprocess_options
@engine_options
def command(
    model: str,
    source: str,
    *,
    is_shown: bool,
    save: str | None,
    port: int | None,
    host: str,
    num_frames: int | None,
    top: int,
    threshold: float,
    force: bool,
    is_json: bool,
    **options: Any,
) -> int:
    """Watch a camera or a video: live labels and frames per second.

    A video file is done frame by frame, in order, none left out; a camera's stale frames are dropped. Ctrl-C ends it.
    Exit code 1 where a video holds fewer frames than it says.
    """
    from mninfer.camera.source import open_source
    from mninfer.camera.watch import watch

    with ExitStack() as stack:
        stack.enter_context(_sigterm_as_ctrl_c())  # first, or a second one would cut short what the others close
        loaded = stack.enter_context(open_model(model, ModelOptions.take(options)))
        analyse = _analyser(loaded, top, threshold)
        with without_chatter():
            frames = open_source(source, tell=note)
        stack.callback(frames.close)
        viewers: list[Viewer] = [_json_lines(loaded) if is_json else _text_lines()]
        if save:
            viewers.append(stack.enter_context(_saving(save, source, frames, force=force)))
        if port is not None:
            viewers.append(stack.enter_context(_serving(loaded, model, host, port)))
        if is_shown:
            viewers.append(stack.enter_context(_showing()))
        try:
            watch(frames, analyse, _drawer(), viewers, num_frames=num_frames, is_paced=is_shown or port is not None)
        except KeyboardInterrupt:
            if not frames.is_live or num_frames:
                raise  # cut short; a camera without --frames has no other end
        finally:
            if not is_json and is_terminal(sys.stdout):
                say()
        if frames.warning:
            note(f"warning: {frames.warning}")
    return MnError.exit_code if frames.warning else 0


def _analyser(model: "Model", top: int, threshold: float) -> "Callable[[Pixels], Any]":
    """What this model is for, as a function of a frame."""
    from mninfer.errors import UnsupportedModelError
    from mninfer.spec import Task

    functions: dict[Task, Callable[[Pixels], Any]] = {
        Task.CLASSIFY: lambda pixels: model.classify(pixels, top=top),
        Task.DETECT: lambda pixels: model.detect(pixels, threshold=threshold),
        Task.SEGMENT: model.segment,
    }
    task = model.spec.task
    if task not in functions:
        raise UnsupportedModelError(
            f'a model for "{task}" finds nothing that could be shown', hints="a classifier, detector or segmenter"
        )
    return functions[task]


def _drawer() -> "Callable[[Pixels, Any], Pixels]":
    def draw_on(pixels: "Pixels", result: Any) -> "Pixels":
        from mninfer.draw import draw

        return draw(pixels, result)

    return draw_on


def _seen_json(model: "Model", seen: "Seen") -> dict[str, Any]:
    record = seen.result.to_json()
    record.pop("image", None)
    preprocess = model.spec.preprocess
    return {
        "frame": seen.frame.number,
        "frames_per_second": round(seen.frames_per_second, 2),
        **record,
        "preprocess_source": str(preprocess.source) if preprocess else None,
    }


def _json_lines(model: "Model") -> "Viewer":
    def view(seen: "Seen", _: "Callable[[], Pixels]") -> bool:
        json_line(_seen_json(model, seen))
        flush_results()
        return True

    return view


def _text_lines() -> "Viewer":
    """A line to a frame; on a terminal one line that is written over."""
    is_watched = is_terminal(sys.stdout)

    def view(seen: "Seen", _: "Callable[[], Pixels]") -> bool:
        line = f"{seen.frame.number:6}  {seen.frames_per_second:5.1f} fps  {_in_a_line(seen.result)}"
        if is_watched:
            from shutil import get_terminal_size

            sys.stdout.write(f"\r\x1b[K{_fitting(printable(line), get_terminal_size().columns - 1)}")
            sys.stdout.flush()
        else:
            say(line)
        return True

    return view


def _fitting(line: str, num_columns: int) -> str:
    """As much of ``line`` as a terminal shows in so many columns: Chinese letters, for one, take two each."""
    from unicodedata import combining, east_asian_width

    used = 0
    for at, letter in enumerate(line):
        used += 2 if east_asian_width(letter) in "WF" else 0 if combining(letter) else 1
        if used > num_columns:
            return line[:at]
    return line


def _in_a_line(result: Any) -> str:
    from mninfer.detection import Detections
    from mninfer.results import Classification

    if isinstance(result, Classification):
        from mninfer.cli.classify import in_a_line

        return in_a_line(result, len(result))
    if isinstance(result, Detections):
        from mninfer.cli.detect import in_a_line as objects_in_a_line

        return objects_in_a_line(result)
    from mninfer.cli.segment import in_a_line as classes_in_a_line

    return classes_in_a_line(result)


@contextmanager
def _saving(name: str, source: str, frames: "FrameSource", *, force: bool) -> "Iterator[Viewer]":
    """Whatever ends the watching, what was seen until then is a complete video."""
    from mninfer.camera.video_file import VideoSaver

    if not frames.is_live and os.path.exists(name) and os.path.samefile(name, source):
        raise OutputError("this would write over the video itself", where=name, hints="another name: --save FILE")
    saver = VideoSaver(name, frames_per_second=frames.frames_per_second, is_live=frames.is_live, force=force)

    def view(_: "Seen", picture: "Callable[[], Pixels]") -> bool:
        saver.add(picture())
        return True

    try:
        yield view
    finally:
        saver.close()
        if saver.num_frames:
            note(f"{saver.num_frames:,} frames -> {name}")


@contextmanager
def _serving(model: "Model", model_path: str, host: str, port: int) -> "Iterator[Viewer]":
    from mninfer.camera.broadcast import Broadcast
    from mninfer.camera.server import PageServer, is_loopback

    broadcast = Broadcast()
    server = PageServer(broadcast, host=host, port=port)
    if not is_loopback(host):
        note(f"warning: anyone who can reach {host} can watch: the page asks for no password")
    note(f"live at {server.url}")
    name = printable(os.path.basename(model_path))

    def view(seen: "Seen", picture: "Callable[[], Pixels]") -> bool:
        broadcast.publish(picture, {"model": name, **_seen_json(model, seen)})
        return True

    try:
        yield view
    finally:
        server.close()


@contextmanager
def _showing() -> "Iterator[Viewer]":
    from mninfer.camera.window import Window

    window = Window()
    try:
        yield lambda _, picture: window.show(picture())
    finally:
        window.close()


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """A service manager's stop ends the watching as Ctrl-C does: the video is completed, the port is free."""
    import signal

    try:
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    except ValueError:  # not in the main thread: nobody sends signals here
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
