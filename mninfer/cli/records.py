"""A file of results that survives being cut off: whole lines stream into NAME.part, which becomes NAME at the end.

``NAME.part.json`` beside it says what the run was asked to do, so that ``--resume`` never mixes two kinds of results.
Two runs cannot write the same file. Parquet cannot be cut off and read, so its part is CSV and is converted at the end.
"""

import errno
import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from time import monotonic
from typing import Any, BinaryIO

from mninfer.cli.finished_records import refuse_others, require_pyarrow
from mninfer.cli.record_format import Done, Record, Rows, image_key, record_format
from mninfer.errors import OutputError
from mninfer.files import part_of, put_in_place, refuse_existing, remove_if_there

__all__ = ["RECORD_SUFFIXES", "RecordFile"]

RECORD_SUFFIXES = (".csv", ".jsonl", ".parquet")
_ELSEWHERE = "another --out"
_LONGEST_ROW_BYTES = 1 << 26  # 100,000 classes side by side, of 600 bytes each; pyarrow takes 1 MB without this
_RENAMES_OPEN_FILES = os.name != "nt"  # closing early gives up the lock, which Windows has none of here
_FLUSH_BYTES, _FLUSH_S = 1 << 15, 1.0  # what a kill may cost: a second, or 32 KiB of lines


class RecordFile:
    """Opens NAME.part, says what is ``done`` in it already, takes records, and ``finish`` makes it NAME.

    ``images`` are those asked for: a part that has others is not gone on with.
    """

    def __init__(
        self,
        name: str,
        *,
        columns: tuple[str, ...],
        rows: Rows,
        settings: Mapping[str, Any],
        images: Collection[str],
        resume: bool,
        force: bool,
    ) -> None:
        self.name = name
        self.part, self._sidecar = f"{name}.part", f"{name}.part.json"
        self._format = record_format(name, columns, rows)
        self._settings = dict(settings)
        self._images = frozenset(map(image_key, images))
        self.done: dict[str, str | None] = {}
        self._pending = bytearray()
        self._flushed = monotonic()
        if name.endswith(".parquet"):
            require_pyarrow()
        self._force = force
        refuse_existing(name, force=force, elsewhere=_ELSEWHERE)
        self._file = self._open_part()
        try:
            self._begin(resume=resume, force=force)
        except BaseException:  # Ctrl-C too: the lock goes with the file
            self._file.close()
            raise

    def __enter__(self) -> "RecordFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, record: Record) -> None:
        """Add one picture's lines; they reach the disk within a second or so."""
        self._pending += self._format.encode(record)
        if len(self._pending) >= _FLUSH_BYTES or monotonic() - self._flushed >= _FLUSH_S:
            self._flush()

    def close(self) -> None:
        """Keep what there is in the part."""
        if not self._file.closed:
            try:
                self._flush()
            finally:
                self._file.close()

    def finish(self) -> None:
        """Make the part the file itself, in one step that a crash cannot halve."""
        self._flush()
        try:
            os.fsync(self._file.fileno())
            if not _RENAMES_OPEN_FILES:
                self._file.close()
            if self.name.endswith(".parquet"):
                self._finish_parquet()
            else:
                put_in_place(self.part, self.name, force=self._force, elsewhere=_ELSEWHERE)
        except OSError as error:
            raise _failed(self.name, error) from error
        remove_if_there(self._sidecar)
        self._file.close()

    def _finish_parquet(self) -> None:
        table = part_of(self.name)
        try:
            _write_parquet(self.part, table)
            put_in_place(table, self.name, force=self._force, elsewhere=_ELSEWHERE)
        finally:
            remove_if_there(table)
        remove_if_there(self.part)

    def _flush(self) -> None:
        pending, self._pending = self._pending, bytearray()
        self._flushed = monotonic()
        try:
            view = memoryview(pending)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise _failed(self.part, error) from error

    def _open_part(self) -> BinaryIO:
        """The part, ours alone."""
        try:
            file = open(self.part, "r+b" if os.path.exists(self.part) else "w+b", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise _failed(self.part, error) from error
        if not _lock(file) or not _is_same_file(file, self.part):
            file.close()
            raise OutputError(
                "another run is writing this file", where=self.part, hints="wait for it, or give this run another --out"
            )
        return file

    def _begin(self, *, resume: bool, force: bool) -> None:
        is_new = os.fstat(self._file.fileno()).st_size == 0
        if not is_new and not resume and not force:
            raise OutputError(
                "a run was cut off here", where=self.part, hints=["--resume to go on with it", "--force to start anew"]
            )
        try:
            if not is_new and resume:
                self._go_on()
                return
            self._file.truncate(0)
            self._file.seek(0)
            _write_small(self._sidecar, self._settings)
        except OSError as error:
            raise _failed(self.part, error) from error
        self._pending += self._format.header
        self._flush()

    def _go_on(self) -> None:
        """Read what is there; drop the last picture, whose lines may be torn, and stand where it began."""
        self._check_settings()
        last = None
        try:
            with open(self.part, "rb") as file:
                for last in self._format.read(file):
                    self.done[last.image] = last.error
        except ValueError as error:
            raise OutputError(
                f"this is not a part that this command wrote: {error}",
                where=self.part,
                hints="--force to start anew",
            ) from error
        refuse_others(self.done, self._images, self.part)
        if last is not None:
            del self.done[last.image]
        self._truncate(last)

    def _truncate(self, last: Done | None) -> None:
        self._file.truncate(last.begin if last else 0)
        self._file.seek(0, os.SEEK_END)
        if last is None:
            self._pending += self._format.header
            self._flush()

    def _check_settings(self) -> None:
        try:
            before = json.loads(Path(self._sidecar).read_bytes())
        except (OSError, ValueError) as error:
            raise OutputError(
                "cannot tell what the run that was cut off had been asked",
                where=self._sidecar,
                hints="--force to start anew",
            ) from error
        now = json.loads(json.dumps(self._settings))
        if not isinstance(before, dict) or before != now:
            keys = (
                sorted(key for key in {*before, *now} if before.get(key) != now.get(key)) if before else ["all of it"]
            )
            raise OutputError(
                f"the run that was cut off had other settings: {', '.join(keys)}",
                where=self.part,
                hints=["give the same options and model as before", "--force to start anew"],
            )

    def is_done(self, image: str) -> bool:
        """Whether the part had this picture when it was opened."""
        return image_key(image) in self.done

    def error_of(self, image: str) -> str | None:
        """Why a picture that is done could not be used."""
        return self.done[image_key(image)]


def _lock(file: Any) -> bool:
    """Whether this process alone holds ``file``. Where the file system knows no locks, it does."""
    try:
        import fcntl
    except ImportError:  # Windows
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # some network file systems
    return True


def _is_same_file(file: Any, path: str) -> bool:
    """False where another run renamed the part away between our opening and our locking it."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except OSError:
        return False


def _write_small(path: str, value: Mapping[str, Any]) -> None:
    temporary = f"{path}.tmp"
    Path(temporary).write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def _failed(path: str, error: OSError) -> OutputError:
    is_full = error.errno in (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", None))
    hint = (
        "what was written stays: free some space, then --resume" if is_full else "choose a folder that you may write to"
    )
    return OutputError(f"cannot write: {error.strerror}", where=path, hints=hint)


def _write_parquet(part: str, name: str) -> None:
    """The part's CSV -> a parquet file with the same columns, typed."""
    import pyarrow
    import pyarrow.csv
    import pyarrow.parquet

    with open(part, encoding="utf-8") as file:
        columns = file.readline().rstrip("\n").split(",")
    options = pyarrow.csv.ConvertOptions(
        column_types={column: _column_type(column) for column in columns}, strings_can_be_null=True, null_values=[""]
    )
    parsing = pyarrow.csv.ParseOptions(newlines_in_values=True)
    reading = pyarrow.csv.ReadOptions(block_size=_LONGEST_ROW_BYTES)
    table = pyarrow.csv.read_csv(part, read_options=reading, parse_options=parsing, convert_options=options)
    pyarrow.parquet.write_table(table, name)


def _column_type(column: str) -> str:
    if column in ("image", "error") or column.startswith("label"):
        return "string"
    return "int64" if column.startswith(("index", "width", "height")) else "float64"
