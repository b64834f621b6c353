"""What would make writing fail in the end, told in the beginning: before the hours that the result takes."""

from collections.abc import Sequence
from pathlib import Path

from mninfer.errors import OutputError
from mninfer.files import refuse_existing

__all__ = ["KERAS_ENDINGS", "refuse_begun_from_itself", "refuse_output", "refuse_output_of_run"]

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


def refuse_output_of_run(path: str, folders: Sequence[Path]) -> None:
    """Raise OutputError for a file that a run in one of ``folders`` writes itself: one would be lost to the other."""
    from mnmodels.training.run_folder import is_of_run

    if is_of_run(path, folders):
        raise OutputError("the run writes this file itself", where=path, hints="another name: -o FILE")


def refuse_begun_from_itself(path: str, folders: Sequence[Path]) -> None:
    """Raise OutputError where a run that is to begin over another one begins with that one's model."""
    from mnmodels.training.run_folder import is_of_run

    if is_of_run(path, folders):
        raise OutputError(
            "--force takes the run away that this file is of", where=path, hints=("--folder ANOTHER", "a copy of it")
        )
