"""The target files: those that ship in the package, and the user's own in ``./targets``.

What an engine computes right is a fact about the engine, not about each board that it runs on. So an engine's table may
begin with ``facts = "NAME"``: it then has everything that engines/NAME.toml says, and what it says itself overrides
that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinyhil import kinds
from tinyhil.config import named, toml
from tinyhil.errors import ConfigError
from tinyhil.targets.model import Engine, Target

SHIPPED = Path(__file__).parent / "data"
ENGINES = Path(__file__).parent / "engines"
_FACTS = "facts"
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
    data = toml.read(path)
    engines = data.get("engines")
    if isinstance(engines, dict):
        data["engines"] = {key: _with_facts(path, key, table) for key, table in engines.items()}
    target = toml.convert(data, path, Target)
    if target.name != name:
        raise ConfigError(
            f"{path}: its name is {target.name!r}, but the file is called {path.name}",
            hint=f"write name = {path.stem!r}, or rename the file",
            kind=kinds.WRONG_FILE,
        )
    if target.default_engine not in target.engines:
        raise ConfigError(
            f"{path}: default_engine {target.default_engine!r} is not one of {', '.join(target.engines)}",
            hint="name one of these, or add a table [engines.NAME]",
            kind=kinds.WRONG_FILE,
        )
    return target


def _with_facts(path: Path, name: str, table: Any) -> Any:
    """The table of an engine, completed by the facts that it names."""
    if not isinstance(table, dict) or _FACTS not in table:
        return table
    facts = table[_FACTS]
    known = sorted(file.stem for file in ENGINES.glob("*.toml"))
    if facts not in known:
        raise ConfigError(
            f"{path}: engines.{name}.facts is {facts!r}",
            hint=f"there are facts of {', '.join(known)}",
            kind=kinds.WRONG_FILE,
        )
    own = {key: value for key, value in table.items() if key != _FACTS}
    return {**toml.read(ENGINES / f"{facts}.toml"), **own}


def engine(target: Target, name: str | None) -> tuple[str, Engine]:
    """The engine called ``name``, or the target's default where that is None, with its name.

    Raises:
        ConfigError: the target has no such engine.
    """
    wanted = name or target.default_engine
    if wanted not in target.engines:
        meant = named.meant(wanted, target.engines)
        raise ConfigError(
            f"target {target.name} has no engine {wanted!r}",
            hint=f"{meant}it has {', '.join(target.engines)}",
            kind=kinds.UNKNOWN_NAME,
        )
    return wanted, target.engines[wanted]
