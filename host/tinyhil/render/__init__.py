"""From a QuantizedModel to a self-contained PlatformIO project."""

from tinyhil.render.stage import render

__all__ = ["render"]
