"""Makes bundles in a process of their own: ``python -m mnbench.preparing.apart ORDER.json``.

The process that measures later stays as small as it was, without Keras and its threads; and what TensorFlow's native
code announces on stderr goes to nobody. The child says on stdout, a JSON object to a line, each step and the outcome.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import mninfer.errors
from mnbench.cell import Variant
from mnbench.ends_with_parent import end_with_parent, variable_for_children
from mnbench.last_words import last_words
from mnbench.preparing.making import Watch, make_bundle
from mnbench.preparing.request import read_request
from mnbench.preparing.wanted import Wanted
from mninfer.errors import MnError

__all__ = ["main", "make_apart"]

_MARK = "mnbench preparing: "  # what else is printed there isn't ours
# Weights and references are the CPU's in float32, whatever else this machine has: a GPU may round to fewer bits.
_ON_CPU = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    requests: tuple[str, ...]
    wanted: Wanted
    folder: Path

    def to_json(self) -> dict[str, Any]:
        return {
            "requests": list(self.requests),
            "forms": [[str(variant), batch] for variant, batch in self.wanted.forms],
            "batches": list(self.wanted.batches),
            "folder": str(self.folder),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "_Order":
        forms = tuple((Variant(variant), batch) for variant, batch in value["forms"])
        wanted = Wanted(forms, tuple(value["batches"]))
        return cls(requests=tuple(value["requests"]), wanted=wanted, folder=Path(value["folder"]))


def make_apart(requests: Sequence[str], wanted: Wanted, folder: Path, watch: Watch) -> None:
    """Make a bundle of each request in a child process. Raise what it raised there; MnError if it died."""
    order = _Order(requests=tuple(requests), wanted=wanted, folder=folder)
    with TemporaryDirectory(prefix="mnbench-") as scratch, TemporaryFile() as chatter:
        path = Path(scratch) / "order.json"
        path.write_text(json.dumps(order.to_json()), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "mnbench.preparing.apart", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=chatter,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**os.environ, **variable_for_children(), **_ON_CPU},
        )
        try:
            outcome = _follow(process, watch)
        finally:
            _end(process)
        if outcome is None:
            chatter.seek(0)
            said = last_words(chatter.read().decode("utf-8", errors="replace"), otherwise="without a word")
            raise MnError(f"preparing died (exit code {process.returncode}): {said}")
    if outcome:
        raise _as_error(outcome)


def main(argv: Sequence[str] | None = None) -> int:
    """The child: make what the order says; every known error is told to the parent."""
    (path,) = sys.argv[1:] if argv is None else argv
    order = _Order.from_json(json.loads(Path(path).read_text(encoding="utf-8")))
    try:
        for text in order.requests:
            make_bundle(read_request(text), order.wanted, order.folder, lambda step: _say({"step": step}))
        _say({"error": {}})
    except MnError as error:
        _say({"error": _as_json(error)})
    return 0


def _follow(process: "subprocess.Popen[str]", watch: Watch) -> Mapping[str, Any] | None:
    """Pass on each step; the error, empty where there was none, or None where the child never came to an end."""
    assert process.stdout is not None
    outcome = None
    for line in process.stdout:
        if line.startswith(_MARK):
            said = json.loads(line.removeprefix(_MARK))
            if "step" in said:
                watch(said["step"])
            else:
                outcome = said["error"]
    process.wait()
    return outcome


def _end(process: "subprocess.Popen[str]") -> None:
    """Also where Control-C came between."""
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _say(value: Mapping[str, Any]) -> None:
    print(f"\n{_MARK}{json.dumps(value)}", flush=True)


def _as_json(error: MnError) -> dict[str, Any]:
    return {"kind": type(error).__name__, "what": error.what, "where": error.where, "hints": list(error.hints)}


def _as_error(said: Mapping[str, Any]) -> MnError:
    kind = getattr(mninfer.errors, said["kind"], MnError)
    error: MnError = kind(said["what"], where=said["where"], hints=said["hints"])
    return error


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main())
