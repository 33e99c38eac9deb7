"""What the shell completes: names of recipes, targets, engines and schemes, each with a line about it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

Completions = list[tuple[str, str]]

SUFFIXES = (".keras", ".h5", ".hdf5", ".tflite")
"""Of model files."""


def models(incomplete: str) -> Completions:
    """Recipes, and model files in the folder that is being typed."""
    from tinyhil.config import recipe as recipes

    named = [(name, _title(path)) for name, path in sorted(recipes.paths().items()) if name.startswith(incomplete)]
    folder = Path(incomplete).parent if "/" in incomplete else Path()
    files = [(str(path), "") for path in sorted(folder.glob("*")) if path.suffix.lower() in SUFFIXES]
    # A folder only where something is typed: it is rarely what is meant.
    return named + _starting(incomplete, files) + (folders(incomplete) if incomplete else [])


def folders(incomplete: str) -> Completions:
    """Folders in the folder that is being typed."""
    folder = Path(incomplete).parent if "/" in incomplete else Path()
    return _starting(incomplete, [(f"{path}/", "") for path in sorted(folder.glob("*")) if path.is_dir()])


def targets(incomplete: str) -> Completions:
    """Targets, shipped and the user's own."""
    from tinyhil.errors import TinyhilError
    from tinyhil.targets import registry

    found = []
    for name in sorted(registry.paths()):
        try:
            found.append((name, registry.get(name).title))
        except TinyhilError:  # a wrong file of the user's is for the command to tell
            continue
    return _starting(incomplete, found)


def engines(context: typer.Context, incomplete: str) -> Completions:
    """The engines of the target that was named, or of the default one."""
    return _engines([context.params.get("target") or ""], incomplete)


def engines_of_all(context: typer.Context, incomplete: str) -> Completions:
    """The engines of all targets that were named, or of the default one; and all of them."""
    return _engines(context.params.get("target") or [""], incomplete) + _starting(incomplete, [("all", "all of them")])


def _engines(targets: Iterable[str], incomplete: str) -> Completions:
    """The engines of some targets; no name is the default target's."""
    from tinyhil.errors import TinyhilError
    from tinyhil.options import Options
    from tinyhil.targets import registry

    found: dict[str, str] = {}
    for each in targets:
        try:
            target = registry.get(each or Options.target)
        except TinyhilError:
            continue
        for name in target.engines:
            found[name] = found.get(name) or ("the default" if name == target.default_engine else "")
    return _starting(incomplete, found.items())


def schemes(incomplete: str) -> Completions:
    """How a model can be quantized."""
    from typing import get_args

    from tinyhil.config.recipe import Scheme

    return _starting(incomplete, [(name, "") for name in get_args(Scheme)])


def error_ids(incomplete: str) -> Completions:
    """Ids of errors."""
    from tinyhil import kinds

    return _starting(incomplete.upper(), [(kind.id, kind.title) for kind in kinds.all_kinds()])


def serial_numbers(incomplete: str) -> Completions:
    """USB serial numbers of the boards that are plugged in."""
    from tinyhil.transport import finder

    return _starting(incomplete, [(port.serial_number, port.device) for port in finder.present() if port.serial_number])


def quarantined(incomplete: str) -> Completions:
    """USB serial numbers of the boards that are quarantined."""
    from tinyhil.errors import TinyhilError
    from tinyhil.transport import quarantine

    try:
        return _starting(incomplete, [(entry.serial_number, entry.reason) for entry in quarantine.entries()])
    except TinyhilError:  # a damaged file is for the command to tell
        return []


def _starting(incomplete: str, found: Iterable[tuple[str, str]]) -> Completions:
    return [each for each in found if each[0].startswith(incomplete)]


def _title(path: Path) -> str:
    """A recipe's title, read without the rest, so that completion is quick."""
    import tomllib

    try:
        return str(tomllib.loads(path.read_text(encoding="utf-8")).get("title", ""))
    except (OSError, ValueError, RecursionError):
        return ""
