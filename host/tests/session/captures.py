"""Whole captures in one call, each in a session of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tinyhil.artifacts.types import Capture, Vectors
from tinyhil.link.messages import Welcome
from tinyhil.progress import Silent
from tinyhil.session import Identity, PortLines, capture, open_session
from tinyhil.session.capture import Explore
from tinyhil.session.journal import Ledger
from tinyhil.session.lines import Lines
from tinyhil.targets.model import Target


def capture_on(
    port: str | Path | Lines,
    identity: Identity,
    vectors: Vectors,
    target: Target,
    check: Callable[[], None] = lambda: None,
    *,
    ledger: Ledger | None = None,
    explore: Explore | None = None,
) -> Capture:
    """What the device behind a port answers."""
    lines = PortLines(str(port), target.link.baud) if isinstance(port, str | Path) else port
    with open_session(lines, identity, target, check, Silent(), ledger=ledger) as session:
        return capture(session, vectors, explore)


def greet(port: str, identity: Identity, target: Target, check: Callable[[], None] = lambda: None) -> Welcome:
    """What the device behind a port says of itself."""
    with open_session(PortLines(port, target.link.baud), identity, target, check, Silent()) as session:
        return session.welcome
