"""What real pictures tell of a network: every activation seen, its range and moments measured."""

from mnconvert.calibration.visible import ActivationRunner, activation_indices, real_values, visible_activations

__all__ = ["ActivationRunner", "activation_indices", "real_values", "visible_activations"]
