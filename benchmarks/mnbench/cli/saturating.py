"""``--batch saturating``: the batch beyond which a device is no faster per picture, found before the plan is made."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from mnbench.catalogue import EngineKind, engine_entry
from mnbench.cell import Cell, Work
from mnbench.cli.listed import counts, listed
from mnbench.cli.request import requested
from mnbench.cli.run_progress import RunProgress
from mnbench.presets import Preset
from mninfer.cli.output import note

if TYPE_CHECKING:
    from mnbench.preparing import Bundle
    from mnbench.record import Record

__all__ = ["is_saturating", "searched_cells", "settled_batches", "with_known_batches"]

_SATURATING = "saturating"
_LIMIT_S = 600.0  # doubling from 1 to 1,024, with a compilation each time
_PACE = 0.5  # of the run's: twice the throughput is easily told from the same


def settled_batches(options: dict[str, Any], previous: "Record | None", progress: RunProgress) -> dict[str, Any]:
    """The options with numbers alone as batches. A run that goes on has the batches that it began with.

    Raises:
        UsageError: there is no training framework in the plan, or a word that is no batch.
    """
    if not is_saturating(options):
        return options
    fixed = with_known_batches(options)
    if previous is not None:
        batches = sorted({row.cell.batch for row in previous.rows})
    elif searched_cells(requested(fixed).plan.cells):
        batches = sorted({*map(int, listed(fixed["batch"])), *_found(fixed, progress)})
    elif options["batch"] is None:  # the preset's wish, and other engines were asked for
        return fixed
    else:
        raise click.UsageError(f"--batch {_SATURATING} is found with a training framework: --engines keras-jax")
    return {**options, "batch": ",".join(str(batch) for batch in batches)}


def is_saturating(options: Mapping[str, Any]) -> bool:
    """Whether a batch is to be found: it is asked for, or part of the preset and not replaced."""
    if options["batch"] is None:
        return bool(options["preset"] == Preset.GPU)
    return _SATURATING in listed(options["batch"])


def with_known_batches(options: dict[str, Any]) -> dict[str, Any]:
    """The options with those batches that are numbers; 1 where there is none."""
    words = [word for word in listed(options["batch"]) if word != _SATURATING]
    counts("--batch", ",".join(words) or None)
    return {**options, "batch": ",".join(words) or "1"}


def _found(options: dict[str, Any], progress: RunProgress) -> list[int]:
    """The batch of each model and framework, that of the backward pass, which takes the most memory: for all cells."""
    from mnbench.preparing import prepare

    request = requested(options)
    cells = searched_cells(request.plan.cells)
    bundles = prepare(request.models, flatbuffers=(), watcher=progress.stage)
    by_name = {bundle.model.name: bundle for bundle in bundles}
    found = []
    for cell in cells:
        progress.stage(f"{cell.key}: looking for the batch that saturates the {cell.device.upper()}")
        batch, told = _search(cell, by_name[cell.model], pace=options["pace"])
        progress.clear()
        note(told)
        found += [batch] if batch else []
    return sorted(set(found))


def searched_cells(cells: tuple[Cell, ...]) -> list[Cell]:
    """Those that the batch is looked for with: the backward pass of each model in each training framework."""
    chosen: dict[tuple[str, str], Cell] = {}
    for cell in cells:
        if engine_entry(cell.engine).kind is EngineKind.KERAS and cell.work is Work.FORWARD_BACKWARD:
            chosen.setdefault((cell.model, cell.engine), cell)
    return list(chosen.values())


def _search(cell: Cell, bundle: "Bundle", *, pace: float) -> tuple[int | None, str]:
    """The batch, or None where it can't be found, as the rows at batch 1 can't be measured; and a sentence on it.

    A search that was ended, by us or for want of memory, has left what it knew.
    """
    from mnbench.jobs import job_for, launch_for
    from mnbench.launching import run_apart

    with TemporaryDirectory(prefix="mnbench-") as name:
        launch = launch_for(cell, Path(name))
        job = job_for(cell, bundle, pace=_PACE * pace, outputs=None)
        told = run_apart("mnbench.workloads.keras.saturation", job, launch, limit_s=_LIMIT_S)
        written = launch.scratch / "outcome.json" if isinstance(told, str) else told
        text = written.read_text(encoding="utf-8") if written.exists() else None
        outcome: dict[str, Any] = {"error": told} if text is None else json.loads(text)
    if "error" in outcome:
        return None, f"no saturating batch of {cell.key}: {str(outcome['error']).splitlines()[0]}"
    return int(outcome["batch"]), f"{cell.key}: {_sentence(outcome)}"


def _sentence(outcome: Mapping[str, Any]) -> str:
    batch, reason = outcome["batch"], outcome["reason"]
    if outcome["ending"] == "flat":
        return f"from a batch of {batch} on it is no faster per picture"
    return f"the largest batch was {batch}{f': {reason}' if reason else ''}"
