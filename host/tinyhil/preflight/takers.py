"""Which engines of which targets take a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinyhil.artifacts.types import Problem
from tinyhil.preflight.check import check
from tinyhil.targets import registry
from tinyhil.targets.model import Target


@dataclass(frozen=True)
class Taker:
    """An engine of a target, and what it finds wrong with a model.

    Attributes:
        target: its name.
        engine: its name.
        problems: nothing where it computes the model right.
    """

    target: str
    engine: str
    problems: tuple[Problem, ...]


def takers(content: bytes, name: str) -> tuple[Taker, ...]:
    """Every engine of every target, with what it finds wrong with the model.

    Args:
        content: of the model file.
        name: how to call it in messages.

    Raises:
        ConfigError: a target file is wrong.
        ModelError: it is no model, or damaged.
    """
    return tuple(_each(content, name, (registry.get(each) for each in registry.paths())))


def nearest(content: bytes, name: str, target: Target) -> tuple[tuple[str, str], ...]:
    """Target and engine of those that take a model: engines of ``target`` first, then those that need no board.

    Raises:
        As :func:`takers`.
    """
    here = tuple((each.target, each.engine) for each in _each(content, name, (target,)) if not each.problems)
    if here:
        return here
    others = [each for each in takers(content, name) if not each.problems]
    far = {each.target: _distance(registry.get(each.target)) for each in others}
    return tuple((each.target, each.engine) for each in sorted(others, key=lambda each: far[each.target]))


def _distance(target: Target) -> int:
    """How much a user needs for a target: nothing, emulators that are to be installed, or a board."""
    if target.emulator is None:
        return 3
    if target.build is None:
        return 0
    return 2 if target.emulator.install else 1


def _each(content: bytes, name: str, targets: Iterator[Target] | tuple[Target, ...]) -> Iterator[Taker]:
    for target in targets:
        for engine in target.engines:
            yield Taker(target.name, engine, check(content, name, target, engine))
