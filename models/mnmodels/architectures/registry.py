"""Every network by name: ``build_model("mobilenet_v1", alpha=0.25)``."""

import inspect
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from mninfer.errors import MnError
from mninfer.near import near_names
from mnmodels.architectures.options import check_names
from mnmodels.backend import start_keras

__all__ = ["ARCHITECTURES", "Architecture", "architecture", "build_model"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A name, what it is in one line, and where its builder is; the builder's parameters are its options."""

    name: str
    about: str
    module: str
    builder: str

    def options(self) -> dict[str, Any]:
        """The options with their defaults."""
        parameters = inspect.signature(self._function()).parameters
        return {name: parameter.default for name, parameter in parameters.items() if name != "name"}

    def build(self, **options: Any) -> Any:
        """Build the Keras model. Raise MnError for an option that this network has not."""
        check_names(self.name, options, self.options())
        return self._function()(**options)

    def _function(self) -> Any:
        start_keras()
        return getattr(import_module(self.module), self.builder)


_HERE = "mnmodels.architectures"
ARCHITECTURES = {
    each.name: each
    for each in (
        Architecture("mobilenet_v1", "MobileNet V1 (2017)", f"{_HERE}.mobilenet_v1", "MobileNet"),
        Architecture("mobilenet_v2", "MobileNet V2 (2018)", f"{_HERE}.mobilenet_v2", "MobileNetV2"),
        Architecture("mobilenet_v2_gc", "V2 with group convolutions", f"{_HERE}.mobilenet_v2_grouped", "MobileNetV2GC"),
        Architecture(
            "mobilenet_v2_lgc", "V2 with learned group convolutions", f"{_HERE}.mobilenet_v2_grouped", "MobileNetV2LGC"
        ),
        Architecture("mobilenet_v3_small", "MobileNet V3 small (2019)", f"{_HERE}.mobilenet_v3", "MobileNetV3Small"),
        Architecture("mobilenet_v3_large", "MobileNet V3 large (2019)", f"{_HERE}.mobilenet_v3", "MobileNetV3Large"),
    )
}


def architecture(name: str) -> Architecture:
    """The registry's entry of that name. Raise MnError with near names."""
    if name not in ARCHITECTURES:
        raise MnError(
            f'no architecture "{name}"', hints=near_names(name, ARCHITECTURES) or f"one of {', '.join(ARCHITECTURES)}"
        )
    return ARCHITECTURES[name]


def build_model(name: str, **options: Any) -> Any:
    """Build a network of the registry with random weights.

    >>> build_model("mobilenet_v1", alpha=0.25, form="cifar_small", classes=10).input_shape
    (None, 32, 32, 3)
    """
    return architecture(name).build(**options)
