"""F3: a conversation with a device: who it is, and what it answers to the vectors."""

from tinyhil.session.identity import Identity
from tinyhil.session.stage import capture, greet

__all__ = ["Identity", "capture", "greet"]
