"""The catalogue of errors: stable ids, each in use, and the page that is made from it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinyhil import errors, kinds
from tinyhil.errors import ExitCode

from .test_errors import CLASSES

REPOSITORY = Path(__file__).parents[2]
KINDS = list(kinds.all_kinds())


def test_ids_are_unique_and_of_one_form() -> None:
    assert len({kind.id for kind in KINDS}) == len({kind.title for kind in KINDS}) == len(KINDS) > 20
    assert all(re.fullmatch(r"TH-\d{3}", kind.id) for kind in KINDS)


def test_ids_never_change() -> None:
    """A row may be added here, and none may be changed: scripts and people remember them."""
    known = {
        "TH-001": "ANY", "TH-100": "INPUT", "TH-101": "USAGE", "TH-110": "CONFIG", "TH-111": "UNKNOWN_NAME",
        "TH-112": "WRONG_FILE", "TH-113": "SAMPLES", "TH-114": "CONTRADICTION", "TH-115": "OTHER_VERSION",
        "TH-116": "NO_REPORT", "TH-119": "RECIPE_CODE", "TH-118": "TOO_MUCH",
        "TH-120": "MODEL", "TH-121": "DAMAGED_MODEL", "TH-122": "REFUSED_MODEL", "TH-124": "OTHER_FILE",
        "TH-200": "BLOCKED",
        "TH-125": "NO_HISTORY", "TH-240": "HISTORY", "TH-241": "NEWER_HISTORY", "TH-242": "NO_BASELINE",
        "TH-210": "MISSING_TOOL", "TH-220": "STORAGE", "TH-230": "TOOL", "TH-231": "TOO_LARGE", "TH-232": "DIVERGED",
        "TH-300": "DEVICE", "TH-301": "NO_BOARD", "TH-310": "PORT_BUSY", "TH-320": "PORT_LOST", "TH-330": "UNANSWERED",
        "TH-331": "NOTHING_CAME", "TH-332": "BOOT_LOADER", "TH-333": "CRASHES", "TH-334": "OTHER_PROGRAM",
        "TH-335": "NOISE", "TH-336": "PRINTS_IN_FRAMES", "TH-337": "LINE_ENDINGS", "TH-338": "SEVEN_BITS",
        "TH-339": "FLOW_CONTROL", "TH-360": "DAMAGED_ANSWERS", "TH-361": "LONG_LOST", "TH-362": "WENT_SILENT",
        "TH-363": "NOT_SEEN",
        "TH-340": "STALE_FIRMWARE", "TH-350": "WRONG_TENSORS", "TH-400": "LINK", "TH-410": "LOCAL_LINK",
        "TH-420": "REMOTE_LINK", "TH-900": "FAULT",
    }  # fmt: skip
    assert {getattr(kinds, name).id for name in known.values()} == set(known)


@pytest.mark.parametrize("error", CLASSES)
def test_every_class_has_a_kind_of_its_own_with_its_exit_code(error: type[errors.TinyhilError]) -> None:
    assert "kind" in vars(error)
    assert [each for each in CLASSES if each.kind is error.kind] == [error]
    assert error.kind.exit_code == error.exit_code


def test_every_kind_is_in_use(package: Path) -> None:
    source = "\n".join(
        path.read_text(encoding="utf-8")
        for path in package.rglob("*.py")
        if path.name not in ("kinds.py", "silence_kinds.py", "history_kinds.py")
    )
    names = [name for name, value in vars(kinds).items() if isinstance(value, kinds.Kind)]
    assert [name for name in names if not re.search(rf"\bkinds\.{name}\b", source)] == []


def test_every_kind_says_a_cause_and_a_step_and_ends_as_processes_do() -> None:
    for kind in KINDS:
        assert kind.cause.endswith("."), kind
        assert kind.steps, kind
        assert kind.exit_code in set(ExitCode) - {ExitCode.PASS, ExitCode.FAIL, ExitCode.INTERRUPTED}, kind


@pytest.mark.parametrize("text", ["TH-111", "th-111", "th111", "111", " TH-111 "])
def test_an_id_is_found_however_it_is_written(text: str) -> None:
    assert kinds.of_id(text) is kinds.UNKNOWN_NAME


@pytest.mark.parametrize("text", ["", "TH-", "TH-999", "sine", "TH-1110"])
def test_what_is_no_id(text: str) -> None:
    assert kinds.of_id(text) is None


def test_the_page_is_up_to_date() -> None:
    """``make errors`` writes it."""
    page = (REPOSITORY / "docs/errors.md").read_text(encoding="utf-8")
    assert page == kinds.page()
    assert max(map(len, page.splitlines())) <= 120
