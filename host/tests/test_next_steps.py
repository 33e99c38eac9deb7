"""No error of any kind is without a next step: the catalogue, the classes, and every place that raises one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyhil import kinds
from tinyhil.errors import TinyhilError

from .test_errors import CLASSES

KINDS = list(kinds.all_kinds())
NAMES = {each.__name__ for each in CLASSES}


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


def raised(package: Path) -> Iterator[tuple[str, ast.Call]]:
    """Every place that makes an error of ours, with the call."""
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in NAMES:
                yield f"{path.relative_to(package)}:{node.lineno}", node


def test_every_place_says_a_cause_and_no_step_is_empty(package: Path) -> None:
    found = list(raised(package))
    assert len(found) > 200
    for place, call in found:
        assert call.args, place
        for keyword in call.keywords:
            if keyword.arg == "hint" and isinstance(keyword.value, ast.Constant):
                assert keyword.value.value, place


GENERAL = {"INPUT", "CONFIG", "MODEL", "ANY", "BLOCKED"}
"""Kinds whose step can only be general: who raises one of them says a step of his own."""
OF_GENERAL = {"TinyhilError", "InputError", "ConfigError", "ModelError", "BlockedError"}


def test_who_raises_a_general_kind_says_the_step_himself(package: Path) -> None:
    lacking = []
    for place, call in raised(package):
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        kind = keywords.get("kind", "kinds.ANY" if call.func.id in OF_GENERAL else "")  # type: ignore[attr-defined]
        if "hint" not in keywords and kind.removeprefix("kinds.") in GENERAL:
            lacking.append(place)
    assert lacking == []
