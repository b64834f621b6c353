"""Run MobileNet-like TFLite models on pictures: load a model, classify, detect, segment, embed.

>>> import mninfer
>>> with mninfer.load("model.tflite") as model:
...     for prediction in model.classify("photo.png", top=2):
...         print(f"{prediction.label} {prediction.score:.0%}")
red circle 100%
red cross 0%

Names are imported when they are first used, so that ``import mninfer`` costs next to nothing.
"""

from importlib import import_module

TYPE_CHECKING = False  # what type checkers take for true; importing typing would cost more than all the rest
if TYPE_CHECKING:
    from mninfer import draw, images
    from mninfer.detection import Box, Detection, Detections
    from mninfer.errors import (
        EngineError,
        InputError,
        MissingDependencyError,
        MnError,
        ModelFileError,
        OutputError,
        PreprocessError,
        UnsupportedModelError,
        VerifyError,
    )
    from mninfer.loading import load
    from mninfer.model import Model
    from mninfer.preprocessing import PreprocessSpec
    from mninfer.results import Classification, Failure, Prediction
    from mninfer.segmentation import Segmentation
    from mninfer.spec import ModelSpec, Task
    from mninfer.tensors import TensorSpec

    __version__: str

__all__ = [
    "Box",
    "Classification",
    "Detection",
    "Detections",
    "EngineError",
    "Failure",
    "InputError",
    "MissingDependencyError",
    "MnError",
    "Model",
    "ModelFileError",
    "ModelSpec",
    "OutputError",
    "Prediction",
    "PreprocessError",
    "PreprocessSpec",
    "Segmentation",
    "Task",
    "TensorSpec",
    "UnsupportedModelError",
    "VerifyError",
    "__version__",
    "draw",
    "images",
    "load",
]

_ERRORS = {name: "errors" for name in __all__ if name.endswith("Error")}
_HOMES = {
    **_ERRORS,
    **dict.fromkeys(("Box", "Detection", "Detections"), "detection"),
    **dict.fromkeys(("Classification", "Failure", "Prediction"), "results"),
    "Model": "model",
    "ModelSpec": "spec",
    "PreprocessSpec": "preprocessing",
    "Segmentation": "segmentation",
    "Task": "spec",
    "TensorSpec": "tensors",
    "load": "loading",
}


def __getattr__(name: str) -> object:
    if name in ("draw", "images"):
        return import_module(f"mninfer.{name}")
    if name == "__version__":
        version = import_module("mninfer.version").installed_version()
        globals()[name] = version or "0+unknown"  # a source tree that is not installed, as PEP 440 can say it
        return globals()[name]
    if name not in _HOMES:
        raise AttributeError(f"module 'mninfer' has no attribute {name!r}")
    value: object = getattr(import_module(f"mninfer.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
