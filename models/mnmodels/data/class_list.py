"""A file that says what is in pictures: one line each, a name and its class.

ImageNet's validation pictures come with such files, in many forms; a file of a user's own has the same form:

    ILSVRC2012_val_00000001.JPEG n01751748      a picture, with or without its suffix or its folder
    n01440764 tench, Tinca tinca                a folder
    ILSVRC2012_val_00000001.JPEG 65             a number counts classes from 0, a background not counted

Blanks, a tab, a comma or a semicolon separate the two. Lines of one word each are the classes of all pictures, in the
order of their names.
"""

import re
from collections.abc import Mapping, Sequence

from mninfer.errors import InputError
from mninfer.model_file.labels import MAX_LABEL_BYTES

__all__ = ["KNOWN_NAMES", "ClassList", "read_class_list"]

# In the order of preference, as their publishers call them.
KNOWN_NAMES = (
    "val_annotations.txt",  # Tiny ImageNet: name, wnid, a box
    "LOC_val_solution.csv",  # ImageNet on Kaggle: name, "wnid x y x y wnid x y x y"
    "imagenet_2012_validation_synset_labels.txt",  # TensorFlow's models: a wnid a line
    "val.txt",  # Caffe: name, number
)
_LINE = re.compile(r"([^\s,;]+)(?:[ ,;]\s*|\t)(\S.*)")
_WNID = re.compile(r"n\d{8}")
_NUMBER = re.compile(r"\d{1,9}")
_HEADINGS = {"imageid", "image", "name", "file", "filename", "id", "picture"}


class ClassList:
    """Classes by name, or by the pictures' order. ``is_stated``: by the user, so that it goes before folders."""

    def __init__(
        self, by_name: Mapping[str, str], in_order: Sequence[str], where: str, *, is_stated: bool = False
    ) -> None:
        self.by_name = by_name
        self.in_order = in_order
        self.where = where
        self.is_stated = is_stated

    def find(self, name: str) -> str | None:
        """The class of a picture by its name or one of its folders', the longest that the list has."""
        base = name.rsplit("/", 1)[-1]
        folders = name.split("/")[:-1]
        candidates = (name, base, base.rsplit(".", 1)[0], *reversed(folders))
        return next((self.by_name[each] for each in candidates if each in self.by_name), None)


def read_class_list(data: bytes, where: str, *, is_stated: bool = False) -> ClassList:
    """Read the lines. Raise InputError for what has no such lines, or says two things of one name."""
    if len(data) > MAX_LABEL_BYTES:
        raise InputError(f"a list of {len(data):,} bytes; at most {MAX_LABEL_BYTES:,} are read", where=where)
    try:
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise InputError("the list of classes is not UTF-8 text", where=where) from error
    lines = [line for line in lines if line]
    if lines and all(len(line.split()) == 1 and not re.search("[,;]", line) for line in lines):
        return ClassList({}, _in_order(lines, where), where, is_stated=is_stated)
    return ClassList(_by_name(lines, where), (), where, is_stated=is_stated)


def _in_order(lines: Sequence[str], where: str) -> Sequence[str]:
    if all(line.isdecimal() for line in lines):
        raise InputError(
            "numbers alone: they count classes in an order that the file does not tell",
            where=where,
            hints="lines of a picture's name and its class, as in LOC_val_solution.csv",
        )
    return lines


def _by_name(lines: Sequence[str], where: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise InputError(f'line {number} is no name and class: "{line[:60]}"', where=where)
        name, value = match.groups()
        if number == 1 and name.lower() in _HEADINGS:
            continue
        label = _class_of(value)
        if found.setdefault(name, label) != label:
            raise InputError(f'"{name}" has two classes, "{found[name]}" and "{label}"', where=where)
    if not found:
        raise InputError("the list of classes is empty", where=where)
    return found


def _class_of(value: str) -> str:
    """The first wnid where boxes follow it; numbers in four digits, so that their order is that of the texts."""
    first = value.split(maxsplit=1)[0].strip(",;")
    if _WNID.fullmatch(first):
        return first
    return f"{int(value):04}" if _NUMBER.fullmatch(value) else value.strip().strip('"')
