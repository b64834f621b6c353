"""mnbench's passes beside plain ones on the same weights, on the backend that KERAS_BACKEND names; prints the outcome.

``python -m support.keras_passes FOLDER [--without-tensorflow]``: one JSON object; FOLDER/BACKEND.npz has the gradients.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mnbench.cell import BatchNorm, Cell, Compiler, Variant, Work
from mnbench.job import Budget, Job

__all__ = ["BATCH", "SMALL_OPTIONS", "job_for", "passes", "pictures", "saved_network"]

BATCH = 8
SMALL_OPTIONS: Mapping[str, Any] = {"alpha": 0.25, "form": "cifar_small", "classes": 10, "dropout": 0}


def pictures(batch: int = BATCH) -> Any:
    """The input: float32 in [-1, 1]."""
    return np.random.default_rng(5).uniform(-1, 1, (batch, 32, 32, 3)).astype("float32")


def job_for(engine: str, work: Work = Work.FORWARD, **cell: Any) -> Job:
    """A job of the small network without an input, and without its file (``saved_network``)."""
    return Job(
        cell=Cell(work=work, model="small", engine=engine, **{"threads": None, "batch": BATCH} | cell),
        budget=Budget(seconds=0.2, warm_up_seconds=0.1),
    )


def saved_network(path: Path, options: Mapping[str, Any] = SMALL_OPTIONS) -> Path:
    """Write the small network, or one of other ``options``; Keras is started.

    With weights at which gradients don't blow up rounding, as at mere random ones.
    """
    from mnbench.preparing.network import build_network
    from mnmodels.keras_file import save_keras

    save_keras(build_network({"architecture": "mobilenet_v1", "options": options, "seed": 3}), path)
    return path


def passes(folder: Path) -> dict[str, Any]:
    """How far mnbench's passes are from plain ones, relative to the greatest value, or to each gradient's norm."""
    from mnbench.workloads.keras.opening import open_backend

    backend = os.environ["KERAS_BACKEND"]
    engine = f"keras-{backend}"
    job = partial(_job_of_file, _saved(folder / "small.keras", backend), engine)
    opened = open_backend(job())
    scores = _scores(opened)
    trained = open_backend(job(Work.FORWARD_BACKWARD))
    step = trained.step(pictures())
    result = step.call()
    loss, gradients = _loss_and_gradients(backend, result)
    plain_loss, plain_gradients = _PLAIN[backend](trained.network.model)
    arrays = {f"gradient_{i}": gradient for i, gradient in enumerate(gradients)}
    np.savez(folder / f"{backend}.npz", loss=loss, scores=scores, **arrays)
    return {
        "forward": _distance(scores, np.asarray(opened.network.model(pictures(), training=False))),
        "loss": abs(loss - plain_loss) / plain_loss,
        "true_loss": plain_loss,
        "gradients": max(map(_distance, gradients, plain_gradients)),
        "smallest_norm": float(min(map(np.linalg.norm, gradients))),
        "num_gradients": len(gradients),
        "num_weights": len(trained.network.model.trainable_variables),
        "told_loss": abs(float(step.to_arrays(result)[0][0]) - loss) / loss,
        "told_norms": _distance(step.to_arrays(result)[1], [np.linalg.norm(gradient) for gradient in gradients]),
        "facts": dict(step.facts),
        "narrow": _narrow(job, scores),
        "others": {name: _distance(_scores(open_backend(job(**form))), scores) for name, form in _FORMS[backend]},
        "modules": sorted({"tensorflow", "torch"} & {name for name, module in sys.modules.items() if module}),
    }


def _scores(opened: Any) -> Any:
    step = opened.step(pictures())
    return np.asarray(step.to_arrays(step.call())[0])


def _saved(path: Path, backend: str) -> Path:
    """Made by who comes first."""
    if not path.exists():
        from mnmodels.backend import start_keras

        start_keras(backend)
        saved_network(path)
    return path


def _job_of_file(path: Path, engine: str, work: Work = Work.FORWARD, **cell: Any) -> Job:
    return replace(job_for(engine, work, **cell), file=path)


def _narrow(job: Callable[..., Job], scores: Any) -> dict[str, Any]:
    """Past the check of the hardware, which is tested apart: the frameworks run it anywhere."""
    from mnbench.workloads.keras import opening

    opening.check_hardware_has = lambda *_: None
    step = opening.open_backend(job(variant=Variant.BF16)).step(pictures())
    (found,) = step.to_arrays(step.call())
    trained = opening.open_backend(job(Work.FORWARD_BACKWARD, variant=Variant.FP16)).step(pictures())
    (loss,), norms = trained.to_arrays(trained.call())
    return {
        "distance": _distance(found, scores),
        "dtype": str(found.dtype),
        "facts": dict(step.facts),
        "fp16_loss": float(loss),
        "fp16_norms": [float(norms.min()), float(norms.max())],
    }


def _loss_and_gradients(backend: str, result: Any) -> tuple[float, list[Any]]:
    if backend == "jax":
        (loss, _), gradients = result
    else:
        loss, gradients = result
    return float(loss), [np.asarray(gradient.cpu() if backend == "torch" else gradient) for gradient in gradients]


def _plain_tensorflow(model: Any) -> tuple[float, list[Any]]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        scores = model(tf.constant(pictures()), training=True)
        loss = -tf.reduce_mean(tf.math.log(tf.gather(scores, _labels(), axis=1, batch_dims=1)))
    return float(loss), [np.asarray(each) for each in tape.gradient(loss, model.trainable_variables)]


def _plain_jax(model: Any) -> tuple[float, list[Any]]:
    import jax
    import jax.numpy as jnp

    def loss(weights: Any) -> Any:
        scores, _ = model.stateless_call(
            weights, [each.value for each in model.non_trainable_variables], pictures(), training=True
        )
        return -jnp.mean(jnp.log(scores[jnp.arange(BATCH), _labels()]))

    value, gradients = jax.jit(jax.value_and_grad(loss))([each.value for each in model.trainable_variables])
    return float(value), [np.asarray(each) for each in gradients]


def _plain_torch(model: Any) -> tuple[float, list[Any]]:
    import torch

    scores = model(torch.from_numpy(pictures()), training=True)
    loss = -torch.log(scores[torch.arange(BATCH), torch.from_numpy(_labels())]).mean()
    loss.backward()
    return float(loss), [np.asarray(each.value.grad.cpu()) for each in model.trainable_variables]


_FUSED = ("fused", {"batch_norm": BatchNorm.FUSED})
_FORMS = {"tensorflow": (_FUSED, ("xla", {"compiler": Compiler.XLA})), "jax": (_FUSED,), "torch": (_FUSED,)}
_PLAIN = {"tensorflow": _plain_tensorflow, "jax": _plain_jax, "torch": _plain_torch}


def _labels() -> Any:
    from mnbench.workloads.keras.network import labels_for

    return labels_for(BATCH, 10).astype("int64")


def _distance(found: Any, wanted: Any) -> float:
    difference = np.linalg.norm(np.asarray(found, np.float64) - np.asarray(wanted, np.float64))
    return float(difference / np.linalg.norm(np.asarray(wanted, np.float64)))


if __name__ == "__main__":
    if "--without-tensorflow" in sys.argv:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]
    print(json.dumps(passes(Path(sys.argv[1]))))
