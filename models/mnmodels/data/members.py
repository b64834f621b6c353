"""A picture as it was found, before it is known what class it is of."""

from dataclasses import dataclass, field

from mninfer.images import IMAGE_SUFFIXES

__all__ = ["Member", "is_picture_name"]


@dataclass(frozen=True, slots=True)
class Member:
    """``name`` is the place in the folder or archive, with "/" between folders; ``source`` a path, or the bytes."""

    name: str
    source: str | bytes = field(repr=False)


def is_picture_name(name: str) -> bool:
    """Whether a file is meant to be a picture: by its suffix, hidden files and folders left out."""
    is_hidden = any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    return name.lower().endswith(IMAGE_SUFFIXES) and not is_hidden
