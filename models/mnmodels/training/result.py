"""``result.json``: what was run, on what, and what came of it, beside the trained model."""

import os
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mninfer.files import write_atomically
from mninfer.model_file import dump_json
from mninfer.version import installed_version
from mnmodels.training.logs import Row
from mnmodels.training.recipe import Recipe

__all__ = ["RESULT_NAME", "machine_facts", "write_result"]

RESULT_NAME = "result.json"
SCHEMA = 1


def write_result(
    folder: Path, recipe: Recipe, model: Any, rows: Sequence[Row], *, best: Row, sizes: tuple[int, int]
) -> None:
    """Write the folder's result; ``best`` is best.keras' epoch, ``sizes`` count training and validation pictures."""
    value = {
        "schema": SCHEMA,
        "recipe": recipe.to_json(),
        "num_training_pictures": sizes[0],
        "num_validation_pictures": sizes[1],
        "num_parameters": int(model.count_params()),
        "epochs": len(rows),
        "seconds": round(sum(row["seconds"] for row in rows), 1),
        "val_accuracy": rows[-1]["val_accuracy"],
        "best_epoch": int(best["epoch"]),
        "best_val_accuracy": best["val_accuracy"],
        "machine": machine_facts(),
        "versions": _versions(),
    }
    write_atomically(folder / RESULT_NAME, dump_json(value), force=True)


def machine_facts() -> Mapping[str, Any]:
    """What the time of a run depends on."""
    return {"cpu": _cpu_name(), "cores": os.cpu_count(), "system": platform.system(), "machine": platform.machine()}


def _cpu_name() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _versions() -> Mapping[str, str | None]:
    import keras

    backend = keras.backend.backend()
    return {"mnkit": installed_version(), "keras": keras.__version__, "backend": backend, backend: _installed(backend)}


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
