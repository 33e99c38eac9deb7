"""A conversation with a device: who it is, and what it answers to the vectors."""

from tinyhil.session.arena import ArenaSession, Sizing, arena_session, smallest_arena
from tinyhil.session.identity import Identity
from tinyhil.session.live import Answers, LiveSession
from tinyhil.session.stage import capture, greet

__all__ = [
    "Answers",
    "ArenaSession",
    "Identity",
    "LiveSession",
    "Sizing",
    "arena_session",
    "capture",
    "greet",
    "smallest_arena",
]
