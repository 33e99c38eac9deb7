"""From a QuantizedModel to a self-contained PlatformIO project, or to a library for one of the user's own."""

from tinyhil.render.stage import FORMS, LIBRARY, PROJECT, render

__all__ = ["FORMS", "LIBRARY", "PROJECT", "render"]
