"""Data to train on: what ships in packages, what can be downloaded, and the user's own files."""

from tinyhil.data.dataset import SETS, Array, Dataset, Pair, made, split
from tinyhil.data.files import load
from tinyhil.data.images import digits, fashion, pixels

__all__ = ["SETS", "Array", "Dataset", "Pair", "digits", "fashion", "load", "made", "pixels", "split"]
