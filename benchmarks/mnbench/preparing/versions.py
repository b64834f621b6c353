"""Which versions of what makes flatbuffers are installed: another one may make other files of the same model."""

from mnbench.machine.packages import DISTRIBUTIONS
from mninfer.version import installed_version

__all__ = ["versions_here"]


def versions_here() -> dict[str, str]:
    """By name; what is not installed isn't in it."""
    makers = {"mnkit": ("mnkit",), "tensorflow": DISTRIBUTIONS["tensorflow"], "keras": ("keras",)}
    found = {name: next(filter(None, map(installed_version, names)), None) for name, names in makers.items()}
    return {name: version for name, version in found.items() if version}
