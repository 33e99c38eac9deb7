"""Pictures of a model: training, predictions, and the errors of quantization and device."""

from tinyhil.experiments.pictures.draw import Picture, draw

__all__ = ["Picture", "draw"]
