"""Names of devices out of their facts."""

import doctest

import pytest

from mnbench import device_name as module
from mnbench.device_name import device_name

pytestmark = pytest.mark.smoke


def test_the_examples_of_its_documentation() -> None:
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({}, "unknown CPU"),
        ({"cpu": {"model": None, "architecture": "aarch64", "cores_usable": 1}}, "aarch64, 1 core"),
        ({"cpu": {"model": "  A   CPU ", "cores_usable": None}}, "A CPU"),
        ({"board": "Pi", "emulator": "qemu-user"}, "Pi (emulated by qemu-user)"),
    ],
)
def test_what_is_known_is_named(facts: dict[str, object], name: str) -> None:
    assert device_name(facts) == name
