"""Label files: one label a line, in the order of the classes; and whether a list of labels fits a model's outputs."""

from collections.abc import Sequence

from mninfer.errors import InputError, ModelFileError
from mninfer.outputs import OutputMeaning

__all__ = ["LABELS_NAME", "MAX_LABEL_BYTES", "format_labels", "labels_misfit", "parse_labels"]

LABELS_NAME = "labels.txt"
MAX_LABEL_BYTES = 16 << 20
MAX_LABELS = 1 << 20
MAX_LABEL_LENGTH = 1000


def parse_labels(data: bytes, where: str | None = None) -> tuple[str, ...]:
    """The labels of a UTF-8 file. Lines are kept as they are, but for surrounding blanks; blank lines at the end go.

    Raises:
        InputError: not UTF-8 text, empty, or beyond any list of classes.
    """
    if len(data) > MAX_LABEL_BYTES:
        raise InputError(f"a label file of {len(data)} bytes; at most {MAX_LABEL_BYTES} are read", where=where)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"line {number} of the label file is not UTF-8 text", where=where, hints="save the file as UTF-8"
        ) from error
    # Not str.splitlines: it also splits at characters that may stand inside a label.
    lines = [line.strip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if not lines or len(lines) > MAX_LABELS:
        raise InputError(f"the label file has {len(lines)} labels; 1 to {MAX_LABELS} are read", where=where)
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_LABEL_LENGTH or "\0" in line:
            raise InputError(f"line {number} of the label file is no label: {line[:40]!r}...", where=where)
    return tuple(lines)


def format_labels(labels: Sequence[str]) -> bytes:
    """The bytes of ``labels.txt``; ``parse_labels`` gives the same labels back.

    Raises:
        InputError: a label cannot stand on a line of its own.
    """
    data = "".join(f"{label}\n" for label in labels).encode()
    if parse_labels(data) != tuple(labels):
        read = parse_labels(data)
        number = next((i for i, label in enumerate(labels) if i >= len(read) or read[i] != label), len(labels) - 1)
        raise InputError(f"label {number} is {labels[number]!r}: it cannot be written on a line of its own")
    return data


def labels_misfit(labels: Sequence[str], meaning: OutputMeaning) -> ModelFileError | None:
    """The error to raise, or to show, where labels do not fit the classes; None where they do or that is not known.

    A detector's labels may begin with a background that it does not count.
    """
    if meaning.num_classes is None or len(labels) in meaning.label_counts:
        return None
    hints = ["give the label file that belongs to this model: --labels FILE"]
    if len(labels) + 1 == meaning.num_classes:
        hints.insert(0, "if class 0 is the background, put a first line “background” into the label file")
    if len(labels) - 1 == meaning.num_classes:
        hints.insert(0, "if the first label is the background, which this model does not have, take that line out")
    return ModelFileError(f"{len(labels)} labels for {meaning.num_classes} classes", hints=hints)
