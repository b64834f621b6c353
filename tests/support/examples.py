"""The examples in the documentation of a package's functions."""

import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

__all__ = ["examples_of", "public_functions", "run_example"]


def examples_of(package: ModuleType, **known: object) -> list[doctest.DocTest]:
    """Those of all its modules; ``known`` are the names that an example may take for granted."""
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = (finder.find(module, extraglobs={package.__name__: package, **known}) for module in _modules(package))
    return [test for tests in found for test in tests if test.examples]


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not each.name.endswith(("__main__", "hdf5_process")):
            yield importlib.import_module(each.name)


def run_example(example: doctest.DocTest) -> int:
    """The number of failures; what differs is printed."""
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    return runner.run(example).failed


def public_functions(face: ModuleType) -> set[str]:
    """What is taken from a package by name and is no record, protocol or enum."""
    return {name for name in face.__all__ if inspect.isfunction(getattr(face, name))}
