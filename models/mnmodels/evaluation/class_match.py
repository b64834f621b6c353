"""Which of a model's classes each class of the data is. The first rule that applies is taken, and told in the report.

1. Data classes called ``IIII_wnid_name`` (as samples of ImageNet are), or by a number of fixed width: the number counts
   classes from 0, a background not counted. A model of 1001 classes has the background first.
2. By name, where the model's labels are known: the letters' case, "_" and "-" don't matter, and of a label's synonyms
   ("tench, Tinca tinca") one is enough.
3. Exactly 1000 wnids (n01440764, ...): in their sorted order, which is that of ImageNet's classes.
4. No labels, and as many classes as the model has: in sorted order, as Keras reads folders. That is told as assumed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mninfer.errors import InputError
from mninfer.near import near_names
from mnmodels.data.class_folders import INDEXED_NAME

__all__ = ["ClassMatch", "class_name", "match_classes"]

IMAGENET_CLASSES = 1000
_WNID = re.compile(r"n\d{8}")
_CLASSES_FROM = "--classes-from FILE with lines of a folder's name and the model's label or number"


@dataclass(frozen=True, slots=True)
class ClassMatch:
    """``indices[i]`` is the model's class for the data's class i; ``rule`` says how it was found."""

    indices: tuple[int, ...]
    rule: str
    is_assumed: bool = False


@dataclass(frozen=True, slots=True)
class _Both:
    """The data's labels, and what is known of the model's classes."""

    labels: Sequence[str]
    known: Sequence[str] | None
    num_classes: int

    @property
    def background(self) -> int:
        """1 where the first of the model's classes stands for none of the data's."""
        if self.known is not None:
            return int(_plain(self.known[0]) in {"background", "dummy", "???"})
        return int(self.num_classes == IMAGENET_CLASSES + 1)

    @property
    def are_wnids(self) -> bool:
        return all(_WNID.fullmatch(label) for label in self.labels)


def class_name(label: str) -> str:
    """What a person calls a class of the data.

    >>> class_name("0007_n01514859_great_white_shark")
    'great white shark'
    """
    match = INDEXED_NAME.fullmatch(label)
    return match[3].replace("_", " ") if match else label


def match_classes(data_labels: Sequence[str], model_labels: Sequence[str] | None, num_classes: int) -> ClassMatch:
    """Find the model's class for each label of the data; ``model_labels`` None: it is not known what they are called.

    >>> match_classes(["great_white_shark", "hen"], ["hen", "great white shark, white shark"], 2).indices
    (1, 0)

    Raises:
        InputError: no rule gives a class to every label.
    """
    both = _Both(data_labels, model_labels, num_classes)
    for rule in (_by_number, _by_name, _by_wnid, _by_order):
        if (match := rule(both)) is not None:
            return match
    hints = [_CLASSES_FROM]
    if model_labels is None:
        hints.insert(0, "the model's labels, in the order of its outputs: --labels FILE")
    raise InputError(
        f"it is not known which of the model's {num_classes:,} classes the data's {len(data_labels):,} are: "
        f"{_some(data_labels)}",
        hints=hints,
    )


def _by_number(both: _Both) -> ClassMatch | None:
    indexed = [match for label in both.labels if (match := INDEXED_NAME.fullmatch(label))]
    if len(indexed) == len(both.labels):
        numbers = [int(match[1]) for match in indexed]
    elif _are_numbers(both):
        numbers, indexed = [int(label) for label in both.labels], []
    else:
        return None
    if max(numbers) + both.background >= both.num_classes:
        raise InputError(
            f"the data's class number {max(numbers):,} is beyond the model's {both.num_classes:,} classes",
            hints=("is this the model for these pictures?", _CLASSES_FROM),
        )
    indices = tuple(number + both.background for number in numbers)
    if both.known is not None and indexed:
        _compare_names([match[3] for match in indexed], [both.known[index] for index in indices])
    return ClassMatch(indices, f"the data's class numbers, from 0{' after the background' * both.background}")


def _are_numbers(both: _Both) -> bool:
    """Numbers whose order as texts is that as numbers, and which aren't simply the names of the model's classes."""
    if not all(label.isascii() and label.isdecimal() for label in both.labels):
        return False
    is_named = both.known is not None and set(both.labels) <= set(both.known)
    return not is_named and len({len(label) for label in both.labels}) == 1


def _compare_names(names: Sequence[str], labels: Sequence[str]) -> None:
    """Numbers and names say the same thing twice; where most disagree, one of them is off."""
    wrong = [(name, label) for name, label in zip(names, labels, strict=True) if _plain(name) not in _synonyms(label)]
    if 2 * len(wrong) > len(names):
        name, label = wrong[0]
        raise InputError(
            f'the data\'s class numbers don\'t fit the model\'s labels: "{name}" would be "{label}", and so on for '
            f"{len(wrong):,} of {len(names):,}",
            hints=("the labels that belong to the model, in the order of its outputs: --labels FILE", _CLASSES_FROM),
        )


def _by_name(both: _Both) -> ClassMatch | None:
    if both.known is None:
        return None
    places: dict[str, list[int]] = {}
    for index, label in enumerate(both.known):
        for name in _synonyms(label):
            places.setdefault(name, []).append(index)
    found = [places.get(_plain(label), []) for label in both.labels]
    if both.are_wnids and not any(found):
        return None
    missing = [label for label, indices in zip(both.labels, found, strict=True) if not indices]
    if missing:
        raise _missing(missing, both)
    indices = tuple(_only(label, own, both.known) for label, own in zip(both.labels, found, strict=True))
    twice = next((index for index in indices if indices.count(index) > 1), None)
    if twice is not None:
        same = [label for label, index in zip(both.labels, indices, strict=True) if index == twice]
        raise InputError(
            f'"{same[0]}" and "{same[1]}" are both the model\'s class "{both.known[twice]}"', hints=_CLASSES_FROM
        )
    return ClassMatch(indices, "the names of the classes")


def _only(label: str, indices: Sequence[int], known: Sequence[str]) -> int:
    """The label that is the same in whole, else the only one that has it among its synonyms."""
    exact = [index for index in indices if _plain(known[index]) == _plain(label)] or indices
    if len(exact) > 1:
        raise InputError(
            f'"{label}" fits two of the model\'s labels, number {exact[0]} and {exact[1]}: "{known[exact[1]]}"',
            hints=_CLASSES_FROM,
        )
    return exact[0]


def _missing(missing: Sequence[str], both: _Both) -> InputError:
    known = both.known or ()
    near = near_names(missing[0], known)
    hints = [f'the model\'s nearest label to "{missing[0]}" is "{near[0]}"'] if near else []
    return InputError(
        f"{len(missing):,} of the data's {len(both.labels):,} classes are not among the model's labels: "
        f"{_some(missing)}; the model's are {_some(known)}",
        hints=[*hints, _CLASSES_FROM],
    )


def _by_wnid(both: _Both) -> ClassMatch | None:
    if not both.are_wnids or both.num_classes != IMAGENET_CLASSES + both.background:
        return None
    if len(both.labels) != IMAGENET_CLASSES:
        raise InputError(
            f"{len(both.labels):,} of ImageNet's 1,000 wnids: their numbers follow from all of them only",
            hints=(_CLASSES_FROM, 'lines such as "n01440764 tench" or "n01440764 0"'),
        )
    after = " after the background" * both.background
    return ClassMatch(tuple(i + both.background for i in range(IMAGENET_CLASSES)), f"1000 wnids in sorted order{after}")


def _by_order(both: _Both) -> ClassMatch | None:
    """Numbers of several widths have two orders, as texts and as numbers: those are not guessed."""
    is_ambiguous = all(label.isdecimal() for label in both.labels) and len({len(label) for label in both.labels}) > 1
    if both.known is not None or len(both.labels) != both.num_classes or is_ambiguous:
        return None
    return ClassMatch(tuple(range(both.num_classes)), "the data's classes in sorted order", is_assumed=True)


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[_\-]", " ", name).casefold().split())


def _synonyms(label: str) -> set[str]:
    """The whole label, and its parts between commas."""
    return {_plain(label), *(_plain(part) for part in label.split(","))}


def _some(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(f'"{name}"' for name in names[:most])
    return f"{shown}, ..." if len(names) > most else shown
