"""A model quantized in every way, side by side."""

from tinyhil.experiments.schemes.schemes import SCHEMES, Row, Taker, row, survey, takers

__all__ = ["SCHEMES", "Row", "Taker", "row", "survey", "takers"]
