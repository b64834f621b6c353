"""What would make writing fail in the end, told in the beginning: before the hours that the result takes."""

from pathlib import Path

from mninfer.errors import OutputError
from mninfer.files import refuse_existing

__all__ = ["KERAS_ENDINGS", "refuse_output"]

KERAS_ENDINGS = (".keras", ".h5")


def refuse_output(path: str, *endings: str, force: bool, elsewhere: str = "another name: -o FILE") -> None:
    """Raise OutputError for a name of another ending, a folder that isn't there, or a file that is."""
    if Path(path).suffix.lower() not in endings:
        raise OutputError(
            f'"{Path(path).name}" is not named as what is written',
            where=path,
            hints=f"a name in {' or '.join(endings)}",
        )
    if not Path(path).parent.is_dir():
        raise OutputError("there is no such folder to write to", where=path, hints="make the folder first")
    refuse_existing(path, force=force, elsewhere=elsewhere)
