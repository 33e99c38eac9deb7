"""Finds target files: those that ship in the package, and the user's own in ``./targets``.

A user's file adds a target; one that takes a shipped name is refused, because a report names targets by name only.
"""

from __future__ import annotations

from pathlib import Path

from tinyhil.config import toml
from tinyhil.errors import ConfigError
from tinyhil.targets.model import Target

SHIPPED = Path(__file__).parent / "data"
USER = Path("targets")


def paths(user: Path = USER) -> dict[str, Path]:
    """Every target's file by name, shipped ones first.

    Raises:
        ConfigError: a user's file takes the name of a shipped target.
    """
    found = {path.stem: path for path in _by_name(SHIPPED)}
    for path in _by_name(user):
        if path.stem in found:
            raise ConfigError(
                f"{path} takes the name of the target {path.stem!r} that tinyhil ships", hint="rename the file"
            )
        found[path.stem] = path
    return found


def _by_name(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.toml"), key=lambda path: path.stem)


def get(name: str, user: Path = USER) -> Target:
    """The target called ``name``.

    Raises:
        ConfigError: there is no such target, or its file is wrong.
    """
    known = paths(user)
    if name not in known:
        raise ConfigError(
            f"unknown target {name!r}", hint=f"known targets: {', '.join(known)}; yours go to {user}/NAME.toml"
        )
    path = known[name]
    target = toml.load(path, Target)
    if target.name != name:
        raise ConfigError(f"{path}: its name is {target.name!r}, but the file is called {path.name}")
    if target.default_engine not in target.engines:
        raise ConfigError(f"{path}: default_engine {target.default_engine!r} is not one of {', '.join(target.engines)}")
    return target
