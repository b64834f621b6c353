"""Does every CIFAR recipe start and learn? A few steps of each on CIFAR-10 -> benchmarks/results/recipes.json.

CIFAR-100 can't be had everywhere, and a whole run of its recipes is a day of a GPU: this shows that network, data,
optimizer and schedule fit together and that the loss falls, on pictures few enough to come back within the steps (of
pictures seen once, a dozen steps tell nothing). The command for the published row stands in the result.

    python tools/try_recipes.py --data cifar10-train.tar.xz [--steps 40] [--batch 32] [--only NAME] [--resume]
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "models"), str(ROOT)]

import numpy as np

from mninfer.files import write_atomically
from mnmodels.backend import start_keras
from mnmodels.data import Pictures, open_data
from mnmodels.training.recipe import Recipe, load_recipe, recipe_names, with_changes
from mnmodels.training.result import machine_facts

RESULT = ROOT / "benchmarks" / "results" / "recipes.json"
WINDOW = 4  # steps whose mean loss is compared, at the beginning and at the end
DISTINCT = 2  # batches of different pictures


def try_recipe(recipe: Recipe, pictures: Pictures, steps: int) -> dict[str, Any]:
    """Train ``steps`` batches in one epoch; the losses are of each batch before its step."""
    from mnmodels.training.session import Session

    batch = recipe.train.batch
    few = np.random.default_rng(0).permutation(len(pictures))[: DISTINCT * batch]
    chosen = pictures.take(np.resize(few, steps * batch))
    losses: list[float] = []
    total = 0.0

    def watch(step: int, _: int, mean: float, __: float) -> None:
        nonlocal total
        losses.append(mean * step - total)
        total = mean * step

    began = time.monotonic()
    with Session.begin(recipe, chosen, devices=1, start=None) as session:
        session.run_epoch(0, chosen, chosen.take(range(batch)), watch)
    first, last = (float(np.mean(part)) for part in (losses[:WINDOW], losses[-WINDOW:]))
    return {
        "first_loss": round(first, 4),
        "last_loss": round(last, 4),
        "learns": last < first,
        "seconds": round(time.monotonic() - began, 1),
        "num_parameters": int(session.model.count_params()),
    }


def main() -> int:
    """Try the recipes and write what came of it; 1 where one doesn't learn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--only")
    parser.add_argument("--resume", action="store_true", help="go on with a result of the same facts that was cut off")
    options = parser.parse_args()
    start_keras()
    pictures = open_data(options.data, split="train")
    # One short epoch: the rate is the recipe's peak from the start, a tenth of it for the small batch.
    changes = {"train.epochs": 1, "train.batch": options.batch, "schedule.warmup_epochs": 0}
    facts = {
        "data": f"{DISTINCT * options.batch} pictures of CIFAR-10's training set",
        "steps": options.steps,
        "batch": options.batch,
        "machine": machine_facts(),
    }
    results = done_before(facts) if options.resume or options.only else {}
    for name in [options.only] if options.only else [name for name in recipe_names() if name.startswith("cifar")]:
        if name in results and not options.only:
            continue
        recipe = load_recipe(name)
        rate = recipe.optimizer.learning_rate / 10
        tried = try_recipe(with_changes(recipe, {**changes, "optimizer.learning_rate": rate}), pictures, options.steps)
        results[name] = tried | {"whole_run": f"mnmodels train {name} --data {recipe.data.name}"}
        print(
            f"{name:36} loss {tried['first_loss']:.3f} -> {tried['last_loss']:.3f}  {tried['seconds']:.0f} s",
            flush=True,
        )
        value = {"schema": 1, **facts, "recipes": dict(sorted(results.items()))}
        write_atomically(RESULT, (json.dumps(value, indent=2) + "\n").encode(), force=True)
    return 0 if all(tried["learns"] for tried in results.values()) else 1


def done_before(facts: dict[str, Any]) -> dict[str, Any]:
    """The rows that a run of the same facts has written."""
    try:
        found = json.loads(RESULT.read_bytes())
    except (OSError, ValueError):
        return {}
    return dict(found["recipes"]) if all(found.get(key) == value for key, value in facts.items()) else {}


if __name__ == "__main__":
    sys.exit(main())
