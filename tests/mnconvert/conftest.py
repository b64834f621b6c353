"""Keras for the tests of mnconvert, started once, as for those of mnmodels."""

import os
import warnings
from importlib.util import find_spec

from mnmodels.backend import start_keras

if find_spec("keras") or os.environ.get("MNKIT_ENVIRONMENT") == "keras":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        start_keras()
