"""A Keras model to a float flatbuffer and a quantized skeleton, with what BatchNorm knows of every tensor.

``lower`` is the way in; Keras and TensorFlow are imported by the modules below, not by this one.
"""

from mnconvert.lowering.lowered import Lowered

__all__ = ["Lowered"]
