"""The smallest arena in which an engine computes a model right, searched on the target."""

from tinyhil.experiments.arena.arena import HEADROOM, ArenaResult, size_arena

__all__ = ["HEADROOM", "ArenaResult", "size_arena"]
