"""A file of results that is complete: which pictures are in it, so that ``--resume`` knows there is nothing to do."""

import os
from collections.abc import Collection, Mapping, Sequence

from mninfer.cli.record_format import Rows, image_key, record_format
from mninfer.errors import MissingDependencyError, OutputError

__all__ = ["finished_images", "refuse_others", "require_pyarrow"]

_ANEW = ("give the same pictures as before", "--force to start anew", "another --out")


def finished_images(
    name: str, *, columns: Sequence[str], rows: Rows, images: Collection[str]
) -> dict[str, str | None] | None:
    """Each picture in NAME with the error it had, if any; None where no run has completed NAME.

    Raises:
        OutputError: NAME is not a file of this command's, or not of exactly ``images``.
    """
    if not os.path.isfile(name) or os.path.exists(f"{name}.part"):
        return None
    try:
        found = _read_parquet(name) if name.endswith(".parquet") else _read_lines(name, columns, rows)
    except (OSError, ValueError) as error:
        raise OutputError(
            f"the output exists already, and is not what this command writes: {error}", where=name, hints=_ANEW[1:]
        ) from error
    asked = frozenset(map(image_key, images))
    refuse_others(found, asked, name)
    if missing := sorted(asked.difference(found)):
        raise OutputError(
            f'the output is complete, without {len(missing):,} of the pictures asked for, such as "{missing[0]}"',
            where=name,
            hints=_ANEW,
        )
    return found


def refuse_others(found: Mapping[str, str | None], asked: Collection[str], where: str) -> None:
    """Refuse to go on with results of pictures that were not asked for; names are ``image_key``s."""
    others = [image for image in found if image not in asked]
    if others:
        raise OutputError(
            f'results of {len(others):,} pictures that were not asked for are in it, such as "{others[0]}"',
            where=where,
            hints=_ANEW,
        )


def require_pyarrow() -> None:
    """Raise MissingDependencyError where parquet files can't be read or written."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            "parquet files need pyarrow", hints=["python -m pip install pyarrow", "--out NAME.csv or NAME.jsonl"]
        ) from error


def _read_lines(name: str, columns: Sequence[str], rows: Rows) -> dict[str, str | None]:
    with open(name, "rb") as file:
        return {done.image: done.error for done in record_format(name, columns, rows).read(file)}


def _read_parquet(name: str) -> dict[str, str | None]:
    require_pyarrow()
    from pyarrow import parquet

    table = parquet.read_table(name, columns=["image", "error"])
    return dict(zip(table.column("image").to_pylist(), table.column("error").to_pylist(), strict=True))
