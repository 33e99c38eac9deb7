"""The target files: those that ship in the package, and the user's own in ``./targets``."""

from __future__ import annotations

from pathlib import Path

from tinyhil.config import named, toml
from tinyhil.errors import ConfigError
from tinyhil.targets.model import Engine, Target

SHIPPED = Path(__file__).parent / "data"
USER = Path("targets")


def paths(user: Path = USER) -> dict[str, Path]:
    """Every target's file by name, shipped ones first.

    Raises:
        ConfigError: a user's file takes the name of a shipped target.
    """
    return named.paths("target", SHIPPED, user)


def get(name: str, user: Path = USER) -> Target:
    """The target called ``name``.

    Raises:
        ConfigError: there is no such target, or its file is wrong.
    """
    path = named.find(name, "target", SHIPPED, user)
    target = toml.load(path, Target)
    if target.name != name:
        raise ConfigError(f"{path}: its name is {target.name!r}, but the file is called {path.name}")
    if target.default_engine not in target.engines:
        raise ConfigError(f"{path}: default_engine {target.default_engine!r} is not one of {', '.join(target.engines)}")
    return target


def engine(target: Target, name: str | None) -> tuple[str, Engine]:
    """The engine called ``name``, or the target's default where that is None, with its name.

    Raises:
        ConfigError: the target has no such engine.
    """
    wanted = name or target.default_engine
    if wanted not in target.engines:
        raise ConfigError(f"target {target.name} has no engine {wanted!r}", hint=f"it has {', '.join(target.engines)}")
    return wanted, target.engines[wanted]
