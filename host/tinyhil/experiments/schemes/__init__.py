"""A model quantized in every way, side by side."""

from tinyhil.experiments.schemes.schemes import SCHEMES, Row, row, survey

__all__ = ["SCHEMES", "Row", "row", "survey"]
