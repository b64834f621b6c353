"""Every network of the registry at its smallest: built, trained two steps, saved, loaded. Prints what came of it.

``python -m support.two_steps FOLDER`` on the backend that KERAS_BACKEND names: one JSON object, by architecture.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["SMALLEST", "two_steps"]

SMALLEST = {
    "mobilenet_v1": {"alpha": 0.125},
    "mobilenet_v2": {"alpha": 0.1, "expansion_factor": 2},
    "mobilenet_v2_gc": {"alpha": 0.1, "expansion_factor": 2},
    "mobilenet_v2_lgc": {"alpha": 0.1, "expansion_factor": 2},
    "mobilenet_v3_small": {"alpha": 0.1},
    "mobilenet_v3_large": {"alpha": 0.1, "minimalistic": True},
}


def two_steps(name: str, folder: Path) -> dict[str, Any]:
    """The losses before each step and after the last; whether the loaded model is the saved one."""
    from mnmodels.backend import start_keras

    keras = start_keras()
    from mnmodels.architectures.block_diagonal import use_block_diagonal
    from mnmodels.architectures.registry import build_model
    from mnmodels.keras_file import load_keras, save_keras

    keras.utils.set_random_seed(1)
    model = build_model(name, **SMALLEST[name], form="cifar_small", classes=4, dropout=0)
    use_block_diagonal(model)
    random = np.random.default_rng(0)
    pictures = random.uniform(-1, 1, (8, 32, 32, 3)).astype("float32")
    classes = np.arange(8) % 4
    model.compile(keras.optimizers.SGD(0.003), "sparse_categorical_crossentropy", jit_compile=_needs_jit(keras))
    losses = []
    for _ in range(3):
        losses.append(float(model.train_on_batch(pictures, classes)))
        model.reset_metrics()
    path = folder / f"{name}.keras"
    save_keras(model, path)
    loaded = load_keras(path).model
    pairs = zip(model.get_weights(), loaded.get_weights(), strict=True)
    return {
        "losses": losses,
        "weights_are_equal": all(np.array_equal(one, other) for one, other in pairs),
        "is_the_same_network": _layers(loaded) == _layers(model),
    }


def _layers(model: Any) -> list[tuple[str, str, Any]]:
    return [(layer.name, type(layer).__name__, layer.output.shape) for layer in model.layers]


def _needs_jit(keras: Any) -> bool:
    return bool(keras.backend.backend() == "jax")  # XLA on TensorFlow compiles long, and trains slowly on CPU


if __name__ == "__main__":
    print(json.dumps({name: two_steps(name, Path(sys.argv[1])) for name in SMALLEST}))
