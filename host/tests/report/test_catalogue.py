"""Every figure of a report can be traced by its name to what computes it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from tinyhil.compare.verdict import Report
from tinyhil.report import catalogue, files
from tinyhil.report.facts import facts, shown

from .strategies import REPORTS

COMMITTED = Path(__file__).parents[3] / "docs" / "report.md"


def _is_object(schema: dict[str, Any]) -> bool:
    """Whether a property is another class, or a list of it: its own fields are listed then."""
    return any("$ref" in one or "$ref" in one.get("items", {}) for one in schema.get("anyOf", [schema]))


def _fields() -> Iterator[str]:
    for owner, described in files.schema()["$defs"].items():
        for name, schema in described["properties"].items():
            if not _is_object(schema):
                yield f"{owner}.{name}"


def test_the_catalogue_has_every_field_of_the_schema_and_no_other() -> None:
    assert sorted(catalogue.ORIGINS) == sorted(_fields())


@pytest.mark.parametrize("by", sorted({origin.by for origin in catalogue.ORIGINS.values()}))
def test_what_computes_it_is_there(by: str) -> None:
    module, _, name = by.rpartition(".")
    assert hasattr(importlib.import_module(f"tinyhil.{module}"), name)


@given(REPORTS)
def test_every_figure_shown_is_in_the_catalogue(report: Report) -> None:
    for source in shown(facts(report)).values():
        assert source.field in catalogue.ORIGINS


def test_the_page_of_the_documentation_is_the_committed_one() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == catalogue.page(), "make it again: make schema"
