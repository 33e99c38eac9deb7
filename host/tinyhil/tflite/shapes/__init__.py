"""The shapes that operators compute: a rule for each operator that any engine takes.

A rule gets one operator with its tensors, and returns the shape of each output as the operator's inputs, options and
constants say it; None for one that follows from values that the file does not have. A rule raises :class:`Unfit` where
the inputs do not fit one another. What is computed follows tensorflow/lite/kernels and tensorflow/lite/micro/kernels,
whose kernels believe the shapes of a file: where these are wrong, they read and write beyond their tensors.
"""

from tinyhil.tflite.shapes.call import Call, Unfit
from tinyhil.tflite.shapes.rules import RULES

__all__ = ["RULES", "Call", "Unfit"]
