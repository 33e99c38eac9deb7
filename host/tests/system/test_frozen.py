"""What an earlier version has written is read, or refused by its version, with its error and never another way.

``frozen/0.1.0`` was made at commit 906a0b2 from ``tiny.tflite`` there, on ``sim`` and ``native``; ``journal`` is that
of a run on ``sim`` that was killed before its report, ``blocked.json`` the report of a run whose library was missing.
In the recordings the path of the model is ``tiny.tflite``, so that they replay in any folder that has it.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from tinyhil.compare.verdict import SCHEMA
from tinyhil.report import files
from tinyhil.session import journal
from tinyhil.session.journal import Journal, Origin
from tinyhil.session.records import unpack

from .cli import Cli

FROZEN = Path(__file__).parents[1] / "frozen" / "0.1.0"


@pytest.mark.parametrize("name", ["sim", "native"])
def test_a_report_is_read(name: str) -> None:
    text = (FROZEN / f"{name}.json").read_text(encoding="utf-8")
    stored = json.loads(text)
    assert stored["schema"] == SCHEMA, "a new schema has frozen files of its own, and refuses these"
    report = files.from_json(text, name)
    assert (report.verdict, report.target, report.summary) == ("pass", name, stored["summary"])
    assert report.fidelity is not None
    assert (report.fidelity.vectors, report.fidelity.mismatches) == (261, 0)
    # What a report has today is what it had, and additions.
    again = json.loads(files.to_json(report))
    assert _contains(again, stored)


def test_a_blocked_report_is_read() -> None:
    report = files.from_json((FROZEN / "blocked.json").read_text(encoding="utf-8"), "blocked")
    assert report.blocked is not None
    assert (report.verdict, report.blocked.error, report.blocked.id) == ("blocked", "MissingToolError", "")


def test_a_report_is_shown(tinyhil: Cli) -> None:
    shutil.copy(FROZEN / "tiny.tflite", tinyhil.cwd)
    folder = tinyhil.cwd / "build/tiny-4a8b6e1e/sim"
    folder.mkdir(parents=True)
    shutil.copy(FROZEN / "sim.json", folder / files.JSON)
    done = tinyhil("report", "tiny.tflite", "--target", "sim")
    assert done.code == 0, done.out + done.err
    assert "PASS  tiny on sim (tflm-host): 261/261 outputs exact" in done.out


@pytest.mark.parametrize("name", ["sim", "native"])
def test_a_recording_is_replayed_or_refused_by_its_version(tinyhil: Cli, name: str) -> None:
    shutil.copy(FROZEN / "tiny.tflite", tinyhil.cwd)
    done = tinyhil("replay", FROZEN / f"{name}.rec", "--json", "out.json")
    if done.code == 2:
        assert done.err.startswith("error TH-115: "), done.err
        assert "of this version of tinyhil" in done.err
        return
    assert done.code == 0, done.out + done.err
    replayed, then = (json.loads(path.read_text()) for path in (tinyhil.cwd / "out.json", FROZEN / f"{name}.json"))
    for field in ("verdict", "model_sha256", "firmware_sha256", "engine", "accuracy"):
        assert replayed[field] == then[field], field
    assert _contains(replayed["fidelity"], then["fidelity"])


def test_a_journal_is_gone_on_with_or_refused_by_its_version(tmp_path: Path) -> None:
    path = Path(shutil.copy(FROZEN / "journal", tmp_path))
    with (FROZEN / "journal").open("rb") as stream:
        first = next(iter(unpack(stream)))
    wrote = msgspec.json.decode(first.body, type=Origin)
    with Journal(path, replace(wrote, format=journal.FORMAT), resume=True) as kept:
        if wrote.format == journal.FORMAT:
            assert (kept.resumed, kept.afresh) == (261, "")
        else:
            assert (kept.resumed, kept.afresh) == (0, "the journal is of another format")


def _contains(now: object, then: object) -> bool:
    """Whether everything that was there is there with the same value; more may have been added."""
    if isinstance(then, dict):
        return isinstance(now, dict) and all(key in now and _contains(now[key], value) for key, value in then.items())
    if isinstance(then, list):
        return isinstance(now, list) and len(now) == len(then) and all(map(_contains, now, then))
    return now == then
