"""What real pictures tell of a network: chosen and looked through, prepared, every activation seen and measured."""

from mnconvert.calibration.measure import Measured, measure_ranges
from mnconvert.calibration.model_inputs import check_values, model_inputs
from mnconvert.calibration.samples import SampleKind, Samples, load_samples
from mnconvert.calibration.visible import ActivationRunner, real_values, stored_values, visible_activations

__all__ = [
    "ActivationRunner",
    "Measured",
    "SampleKind",
    "Samples",
    "check_values",
    "load_samples",
    "measure_ranges",
    "model_inputs",
    "real_values",
    "stored_values",
    "visible_activations",
]
