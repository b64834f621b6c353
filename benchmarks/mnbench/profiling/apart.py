"""Profiles in a process of its own, after the row was measured: ``python -m mnbench.profiling.apart JOB OUTCOME``.

Some sixty engines are opened on pieces of a model that nobody has run before: what happens to them is no matter of the
samples, which are taken.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import Cell, Work
from mnbench.ends_with_parent import end_with_parent
from mnbench.job import Job
from mnbench.launching import Launch, read_answer, run_apart
from mnbench.pinning import pin_to_fastest
from mnbench.profiling.profile import Profile
from mnbench.reasons import one_line
from mninfer.errors import InputError, MnError

__all__ = ["has_operators", "main", "profile_apart"]

_LIMIT_S = 600.0  # two rounds of a slow model, each some ten times the whole


def has_operators(cell: Cell) -> bool:
    """Whether what a cell times are a flatbuffer's operators, and nothing else."""
    return engine_entry(cell.engine).kind is EngineKind.FLATBUFFER and cell.work is Work.FORWARD


def profile_apart(job: Job, launch: Launch) -> dict[str, Any]:
    """What a row's facts get: the ``profile``, or as ``profile_reason`` why there is none.

    Raises:
        OutputError: the scratch folder can't be written.
    """
    told = run_apart("mnbench.profiling.apart", job, launch, limit_s=_LIMIT_S)
    if isinstance(told, str):
        return {"profile_reason": told}
    try:
        answer = read_answer(told)
        if "profile" in answer:
            return {"profile": Profile.from_json(answer["profile"]).to_json()}
        return {"profile_reason": str(answer["profile_reason"])}
    except (InputError, ValueError, TypeError, KeyError) as error:
        return {"profile_reason": f"the profile can't be read: {error}"}


def main(argv: Sequence[str] | None = None) -> int:
    """The process: profile what the job says and write the outcome; 0 unless that could not be written."""
    from mnbench.profiling.timing import profile_job

    job_path, outcome_path = sys.argv[1:] if argv is None else argv
    job = Job.from_json(json.loads(Path(job_path).read_text(encoding="utf-8")))
    pin_to_fastest(job.cell.threads)
    try:
        answer: dict[str, Any] = {"profile": profile_job(job).to_json()}
    except MnError as error:
        answer = {"profile_reason": one_line(error)}
    part = Path(f"{outcome_path}.part")
    part.write_text(json.dumps(answer), encoding="utf-8")
    part.replace(outcome_path)
    return 0


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main())
