"""What 32-bit ARM boards have not: tests/ runs on them too, emulated (make test-arm)."""

import sys

import pytest

__all__ = ["HAS_SUBNORMALS", "needs_xnnpack"]

_IS_32_BIT = sys.maxsize < 2**32

# tflite-runtime for 32-bit ARM has the processor take the smallest numbers for zero, in all of the process.
HAS_SUBNORMALS = not _IS_32_BIT
needs_xnnpack = pytest.mark.skipif(_IS_32_BIT, reason="tflite-runtime for 32-bit ARM is without XNNPACK")
