"""The folder of one bundle while it is made: files go in whole, under names that say what they are."""

from dataclasses import dataclass
from pathlib import Path

from mnbench.preparing.bundle import BUNDLE_NAME, StoredFile
from mninfer.errors import OutputError
from mninfer.files import remove_if_there, write_atomically

__all__ = ["Store"]


@dataclass(frozen=True, slots=True)
class Store:
    """Writes files of a bundle; none of them counts before ``bundle.json`` names it."""

    folder: Path

    def open(self) -> None:
        """Make the folder. Raise OutputError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"the folder for what is prepared can't be made: {error.strerror}",
                where=str(self.folder),
                hints="another folder: mnbench prepare -o FOLDER",
            ) from error

    def forget(self) -> None:
        """What an older bundle there says holds no more."""
        remove_if_there(str(self.folder / BUNDLE_NAME))

    def put(self, name: str, data: bytes) -> StoredFile:
        """Write a file. Raise OutputError."""
        write_atomically(self.folder / name, data, force=True, elsewhere="another folder: -o FOLDER", is_synced=False)
        return StoredFile.of(name, data)

    def path(self, file: StoredFile) -> Path:
        return self.folder / file.name
