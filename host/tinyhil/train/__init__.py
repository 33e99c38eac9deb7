"""From a recipe to a FloatModel."""

from tinyhil.train.stage import key, train

__all__ = ["key", "train"]
