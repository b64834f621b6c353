"""Warnings of code that is not ours, which is how it is: a test module that meets one takes its mark from here."""

import pytest

__all__ = ["KERAS_READS_VARIABLES"]

# Keras 3.15 makes numpy arrays of its variables in a way that numpy 2 calls deprecated: whenever it saves a model.
KERAS_READS_VARIABLES = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)
