"""The way to the size of the engine's arena: a build with more than enough, sizes tried on the target, one kept.

What is kept lies beside the project (tinyhil.render.arena), and the next rendering takes it.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tinyhil.artifacts import lock
from tinyhil.errors import ConfigError
from tinyhil.pipeline.run import Run
from tinyhil.render import arena
from tinyhil.session import Session, lines_to, open_session
from tinyhil.session.arena import Sizing, smallest_arena
from tinyhil.transport import owner
from tinyhil.transport.finder import PortFinder

HEADROOM = 0.1
"""Added to the smallest size that works, as a share of it: a compiler of another version may need a little more."""

CAPACITY = 2
"""A build to search in has so many times the estimate."""


@dataclass(frozen=True)
class ArenaResult:
    """What was found, and what became of it.

    Attributes:
        sizing: the search.
        bytes: the arena to be built in, headroom included.
        headroom: share of the smallest size that was added.
        file: where it is kept.
    """

    sizing: Sizing
    bytes: int
    headroom: float
    file: Path


def size_arena(run: Run, capacity: int | None, headroom: float) -> ArenaResult:
    """Searches the smallest arena, and keeps what it has found for the next rendering.

    Args:
        run: of the model on its target; nothing of it has been rendered yet.
        capacity: bytes of the arena to search in; by default some more than the model is estimated to need.
        headroom: share of the smallest size to be added, 0 or more.

    Raises:
        BlockedError: the target cannot be had, or not even the whole arena is enough.
        ConfigError: the engine has no arena.
    """
    model, target, engine = run.preflight(), run.target, run.placement.engine
    if target.build is None or not engine.whole_file:
        raise ConfigError(
            f"the engine {run.engine!r} has no arena on {target.name}: its memory is fixed when it is built",
            hint=f"sizes are searched for an engine that interprets the model; {target.name} has "
            f"{', '.join(target.engines)}",
        )
    wanted = capacity if capacity is not None else CAPACITY * arena.estimate(model.path.read_bytes())
    run.render(min(wanted, arena.most(engine, target.chip)))
    firmware, identity, folder = run.firmware(), run.identity(), run.layout.target
    with run.observer.stage("arena") as reporter:

        @contextlib.contextmanager
        def start() -> Iterator[Session]:
            with run.live.device(firmware.project, reporter) as device:
                port = run.live.start(device, firmware.image)
                lines = lines_to(port, target.link, stays=device.stays)
                with (
                    owner.owned(PortFinder(port).locate()),
                    open_session(lines, identity, target, device.check, reporter) as session,
                ):
                    yield session

        with lock.exclusive(folder, reporter.text):
            sizing = smallest_arena(start, model.vectors, reporter)
            chosen = arena.aligned(math.ceil(sizing.smallest * (1 + headroom)))
            measured = arena.StoredArena(
                bytes=chosen, smallest=sizing.smallest, said=sizing.said, model_sha256=model.sha256
            )
            arena.keep(folder, measured)
        note = f"{sizing.smallest:,} B is the smallest of {len(sizing.attempts)} that were tried"
        run.observer.result(note, found=False)
    return ArenaResult(sizing, chosen, headroom, folder / arena.FILE)
