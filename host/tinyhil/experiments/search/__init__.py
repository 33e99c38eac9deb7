"""A long search for an input that the device gets wrong."""

from tinyhil.experiments.search.search import INPUTS, Searched, search

__all__ = ["INPUTS", "Searched", "search"]
