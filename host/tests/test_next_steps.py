"""No error of any kind is without a next step: the catalogue, the classes, and every place that raises one."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from tinyhil import kinds
from tinyhil.cli.app import application
from tinyhil.errors import InputError, TinyhilError

from .test_errors import CLASSES

KINDS = list(kinds.all_kinds())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.id)
def test_a_kind_says_cause_and_next_step_in_sentences(kind: kinds.Kind) -> None:
    for said in (kind.cause, *kind.steps):
        assert said[0].isupper() or said.startswith(("tinyhil ", "-v ", "numpy", "--")), said
        assert len(said) > 15, said
    assert not any(step.startswith("Read the message") for step in kind.steps)


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_an_error_that_names_no_step_has_that_of_its_kind(error: type[TinyhilError]) -> None:
    assert error("cause").hint == error.kind.steps[0]
    assert [TinyhilError("cause", kind=kind).hint for kind in KINDS] == [kind.steps[0] for kind in KINDS]


@cache
def parsed(package: Path) -> dict[str, ast.Module]:
    """All modules of the package, by their paths in it."""
    return {
        str(path.relative_to(package)): ast.parse(path.read_text(encoding="utf-8")) for path in package.rglob("*.py")
    }


@cache
def classes(package: Path) -> dict[str, str]:
    """Every class of errors, wherever it is defined, with that of ``tinyhil.errors`` which it is derived from."""
    found = {each.__name__: each.__name__ for each in CLASSES}
    defined = [node for module in parsed(package).values() for node in ast.walk(module)]
    derived = [
        (node.name, base) for node in defined if isinstance(node, ast.ClassDef) for base in map(_last, node.bases)
    ]
    while more := {name: found[base] for name, base in derived if base in found and name not in found}:
        found |= more
    return found


def _last(node: ast.AST) -> str:
    """``ModelError``, of ``ModelError`` as of ``errors.ModelError``."""
    return str(getattr(node, "id", "") or getattr(node, "attr", ""))


def raised(package: Path) -> Iterator[tuple[str, ast.Call, str]]:
    """Every place that makes an error of ours, with the call and the class in ``tinyhil.errors``."""
    known = classes(package)
    for path, module in sorted(parsed(package).items()):
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and _last(node.func) in known:
                yield f"{path}:{node.lineno}", node, known[_last(node.func)]


def test_errors_are_found_wherever_and_however_they_are_made(package: Path) -> None:
    assert set(classes(package)) > {each.__name__ for each in CLASSES}
    assert any(isinstance(call.func, ast.Attribute) for _, call, _ in raised(package))


def test_every_place_says_a_cause_and_no_step_is_empty(package: Path) -> None:
    found = list(raised(package))
    assert len(found) > 200
    for place, call, _ in found:
        assert call.args, place
        if isinstance(call.args[0], ast.Constant):
            assert len(str(call.args[0].value).split()) > 2, place
        for keyword in call.keywords:
            if keyword.arg == "hint" and isinstance(keyword.value, ast.Constant):
                assert len(str(keyword.value.value).split()) > 1, place


GIVEN = {each.__name__ for each in CLASSES if issubclass(each, InputError)}
"""What the user gave: which file, option or value of it, every message has to say."""
PLACE = re.compile(r"--[a-z]|`\w+`|\w_\w|^[a-z]+: |\b[a-z]+\(\)")
"""An option, a key, a parameter or a function: what a message can name without a value."""


def test_what_the_user_gave_is_named_where_it_is_refused(package: Path) -> None:
    nameless = [
        place
        for place, call, kind in raised(package)
        if kind in GIVEN and isinstance(call.args[0], ast.Constant) and not PLACE.search(str(call.args[0].value))
    ]
    assert nameless == []


GENERAL = {"INPUT", "CONFIG", "MODEL", "ANY", "BLOCKED"}
"""Kinds whose step can only be general: who raises one of them says a step of his own."""
OF_GENERAL = {"TinyhilError", "InputError", "ConfigError", "ModelError", "BlockedError"}


def test_who_raises_a_general_kind_says_the_step_himself(package: Path) -> None:
    lacking = []
    for place, call, made in raised(package):
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        kind = keywords.get("kind", "kinds.ANY" if made in OF_GENERAL else "")
        if "hint" not in keywords and kind.removeprefix("kinds.") in GENERAL:
            lacking.append(place)
    assert lacking == []


def test_no_path_is_refused_by_the_parser_of_the_command_line() -> None:
    """It would say so without an id and a next step."""
    paths = {}
    made = application()
    groups = [group.typer_instance for group in made.registered_groups if group.typer_instance is not None]
    for command in [each for one in (made, *groups) for each in one.registered_commands]:
        assert command.callback is not None
        hints = get_type_hints(command.callback, include_extras=True)
        for name, parameter in inspect.signature(command.callback).parameters.items():
            kind, *told = get_args(hints.get(name, parameter.annotation)) or (None,)
            if Path in (kind, *get_args(kind)) and name not in WRITTEN:
                paths[f"{command.callback.__name__} {name}"] = told[0].readable or told[0].exists
    assert {"run samples", "run data", "run firmware", "bisect rerun"} <= set(paths)
    assert [name for name, looked_at in paths.items() if looked_at] == []


WRITTEN = {"csv", "json", "json_path", "log", "markdown", "record", "build_dir", "link", "output_file", "html", "to"}
"""Options whose file or folder is written, and not read."""
