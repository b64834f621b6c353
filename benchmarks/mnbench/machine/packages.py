"""The versions of what is installed and may be measured, and of what it stands on."""

from collections.abc import Mapping

from mnbench.catalogue import ENGINES
from mnbench.own_version import own_version
from mnbench.peers.environments import find_installed
from mnbench.peers.peer import ENVIRONMENTS
from mninfer.version import installed_version

__all__ = ["DISTRIBUTIONS", "environment_versions", "installed_packages"]

# A package by its import name, and the distributions that bring it; others are called as what they bring.
DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {
    "ai_edge_litert": ("ai-edge-litert", "ai-edge-litert-nightly"),
    "tflite_runtime": ("tflite-runtime", "tflite-runtime-nightly"),
    "tensorflow": ("tensorflow", "tensorflow-cpu", "tensorflow-aarch64", "tf-nightly"),
    "cv2": ("opencv-python-headless", "opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "onnxruntime": ("onnxruntime", "onnxruntime-gpu"),
}
_ALWAYS = ("numpy", "cv2", "simplejpeg", "keras", "jaxlib")


def installed_packages() -> dict[str, str]:
    """Version by distribution, in order; what isn't installed isn't there. ``mnkit`` is what runs, installed or not."""
    engines = (entry.package for entry in ENGINES.values())
    names = dict.fromkeys(each for each in (*_ALWAYS, *engines) if each and each != "mninfer")
    wanted = [each for name in names for each in DISTRIBUTIONS.get(name, (name,))]
    found = {"mnkit": own_version(), **{name: installed_version(name) for name in wanted}}
    return {name: number for name, number in sorted(found.items()) if number}


def environment_versions() -> dict[str, str]:
    """Version by name of other engines' environments, and their converters', as ``mnbench peers`` made them."""
    found = {name: find_installed(name) for name in sorted(ENVIRONMENTS)}
    return {name: environment.version for name, environment in found.items() if environment is not None}
