"""tinyhil proves that a neural network computes on a microcontroller what it computed on the desk."""

__version__ = "0.1.0"
