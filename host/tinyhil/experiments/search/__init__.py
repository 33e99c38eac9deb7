"""A long search for an input that the device gets wrong."""

from tinyhil.experiments.search.search import INPUTS, SearchResult, search

__all__ = ["INPUTS", "SearchResult", "search"]
