"""Which Keras this is: chosen before the first import, quietly, with an install line where it is missing.

Keras reads its backend from the environment while it is imported, so the choice has to come first: whatever needs Keras
calls ``start_keras`` before it imports a module that says ``import keras``.
"""

import os
import sys
from importlib.util import find_spec
from typing import Any

from mninfer.errors import MissingDependencyError, MnError
from mninfer.near import near_names
from mnmodels.quiet_import import import_quietly

__all__ = ["BACKENDS", "INSTALL_LINE", "start_keras"]

BACKENDS = ("tensorflow", "jax")
_STARTED = (*BACKENDS, "torch")  # torch for mnbench, which measures it: no command here offers it
INSTALL_LINE = 'python -m pip install tensorflow "keras>=3.15" h5py matplotlib'


def start_keras(backend: str | None = None) -> Any:
    """Import Keras on ``backend`` (default: KERAS_BACKEND, else TensorFlow) and return the module.

    Raise MissingDependencyError with the install line, or MnError where Keras already runs on another backend.
    """
    wanted = backend or os.environ.get("KERAS_BACKEND") or BACKENDS[0]
    if wanted not in _STARTED:
        near = near_names(wanted, BACKENDS)
        raise MnError(f'no backend "{wanted}"', hints=near or f"one of {', '.join(BACKENDS)}")
    if "keras" in sys.modules:
        return _of_today(_already_started(wanted if backend else None))
    for package in ("keras", wanted):
        if find_spec(package) is None:
            raise MissingDependencyError(f"{package} is not installed", hints=_install_line(package))
    os.environ["KERAS_BACKEND"] = wanted
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # 2 still tells of an absent GPU as of an error
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # On JAX, too, Keras imports TensorFlow where it is, for its random seeds; better here, where it is quiet.
    return _of_today(import_quietly(*(["tensorflow"] if find_spec("tensorflow") else []), "keras"))


def _of_today(keras: Any) -> Any:
    """The module, where it is Keras 3. TensorFlow up to 2.15 comes with Keras 2, which is another library."""
    version = str(getattr(keras, "__version__", "0"))
    if version.partition(".")[0] in ("0", "1", "2"):
        raise MissingDependencyError(f"Keras 3 is not installed: this is Keras {version}", hints=INSTALL_LINE)
    return keras


def _already_started(wanted: str | None) -> Any:
    import keras

    running = keras.backend.backend()
    if wanted is not None and running != wanted:
        raise MnError(
            f"Keras already runs on {running} in this process, so it can't be started on {wanted}",
            hints=f"KERAS_BACKEND={wanted} in the environment, before the first import",
        )
    return keras


def _install_line(package: str) -> str:
    return f"python -m pip install {package}" if package in ("jax", "torch") else INSTALL_LINE
