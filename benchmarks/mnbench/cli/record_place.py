"""Where a run's record goes: a place that is sure before anything is measured, and another if it is gone by then."""

from tempfile import NamedTemporaryFile

from mnbench.record import Record
from mnbench.record_file import MAX_RECORD_BYTES, encode_record, write_record
from mninfer.errors import OutputError
from mninfer.files import being_written, part_of, refuse_existing, remove_if_there

__all__ = ["check_place", "kept_elsewhere", "write_or_keep"]


def check_place(path: str, *, force: bool) -> None:
    """Return where a record may be written, which is tried: rights alone don't tell of a disk that takes nothing.

    Raises:
        OutputError: a file is there already, its folder is not, or takes no file of that name.
    """
    refuse_existing(path, force=force)
    trial = part_of(path)
    try:
        with open(trial, "xb"):
            pass
    except FileExistsError as error:
        raise being_written(path, trial) from error
    except OSError as error:
        hint = "make the folder first" if isinstance(error, FileNotFoundError) else "another place: -o FILE"
        raise OutputError(f"the output can't be written: {error.strerror}", where=path, hints=hint) from error
    remove_if_there(trial)


def write_or_keep(record: Record, path: str, *, force: bool) -> None:
    """Write a record that can't be measured again soon. Raise OutputError that says where it lies instead."""
    try:
        write_record(record, path, force=force)
    except OutputError as error:
        raise kept_elsewhere(record, error) from error


def kept_elsewhere(record: Record, error: OutputError) -> OutputError:
    """The error of a record that its place didn't take, once it lies in the folder for temporary files."""
    try:
        with NamedTemporaryFile(prefix="mnbench-", suffix=".json", delete=False) as file:
            try:
                data = encode_record(record)
                file.write(data)
                file.flush()
            except OSError:
                remove_if_there(file.name)
                raise
    except OSError:
        return OutputError(f"{error.what}; nor can it be kept elsewhere", where=error.where, hints=error.hints)
    told = f"{error.what}; the record lies in {file.name}"
    if len(data) > MAX_RECORD_BYTES:  # which no command of ours reads
        return OutputError(told, where=error.where, hints=error.hints)
    hint = f"move it to where you want it, or read it there: mnbench table {file.name}"
    return OutputError(told, where=error.where, hints=hint)
