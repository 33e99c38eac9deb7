"""What a name stands for: files, folders, branches and commits; and which reports belong together."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tinyhil import kinds
from tinyhil.errors import ConfigError
from tinyhil.history import database, lookup, record
from tinyhil.history.lookup import Kept, Side
from tinyhil.history.place import Place
from tinyhil.report import files

from . import made


def flash(side: Side) -> dict[str, int | None]:
    return {key[1]: None if one.report.size is None else one.report.size.flash_bytes for key, one in side.items()}


def of_name(place: Place, name: str) -> Side:
    with database.opened(place) as history, history.reading() as connection:
        return lookup.of_name(connection, name)


def leave(place: Place, number: int, **changed: object) -> None:
    record.leave(made.report(flash=made.FLASH + number), made.context(number, **changed), place.records)


def test_a_branch_is_its_last_judged_runs_without_changes(any_place: Place) -> None:
    leave(any_place, 0)
    leave(any_place, 1)
    leave(any_place, 2, dirty=True)
    leave(any_place, 3, branch="feature")
    record.leave(made.report(target="sim"), made.context(0), any_place.records)
    record.leave(made.blocked(), made.context(9), any_place.records)
    assert flash(of_name(any_place, "main")) == {"qemu-m4": made.FLASH + 1, "sim": made.FLASH}
    with database.opened(any_place) as history, history.reading() as connection:
        assert flash(lookup.newest(connection))["qemu-m4"] == made.FLASH + 3


def test_a_commit_is_named_whole_or_by_its_beginning(place: Place) -> None:
    leave(place, 0)
    leave(place, 1)
    for name in (made.COMMITS[0], made.COMMITS[0][:8]):
        assert flash(of_name(place, name)) == {"qemu-m4": made.FLASH}
    for name in ("nothing", "a" * 6, "%" * 8, "c" * 40):
        with pytest.raises(ConfigError) as caught:
            of_name(place, name)
        assert caught.value.kind is kinds.NO_HISTORY


def test_what_git_takes_for_a_commit_is_one(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    for arguments in (("init", "--quiet"), ("commit", "--quiet", "--allow-empty", "-m", "one"), ("tag", "v1")):
        subprocess.run(["git", *who, *arguments], check=True)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    leave(place, 0)
    with pytest.raises(ConfigError, match=commit[:8]):  # git knows it, the history does not
        of_name(place, "v1")
    leave(place, 1, commit=commit)
    for name in ("HEAD", "v1", commit):
        assert flash(of_name(place, name)) == {"qemu-m4": made.FLASH + 1}


def test_a_folder_has_the_last_report_of_each(tmp_path: Path) -> None:
    for number, name in enumerate(("a", "b")):
        took = files.Took(made.NOON.replace(hour=number), 1.0)
        files.write(made.report(flash=made.FLASH + number), tmp_path / "build" / name, took)
    files.write(made.report(target="sim"), tmp_path / "build/c")
    assert flash(lookup.of_path(tmp_path / "build")) == {"qemu-m4": made.FLASH + 1, "sim": made.FLASH}
    assert flash(lookup.of_path(tmp_path / "build/a/report.json")) == {"qemu-m4": made.FLASH}
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError) as caught:
        lookup.of_path(tmp_path / "empty")
    assert caught.value.kind is kinds.NO_REPORT


def side(*reports: object) -> Side:
    kept = [Kept(report) for report in reports]  # type: ignore[arg-type]
    return {one.key: one for one in kept}


def test_pairs_are_of_one_thing_and_what_is_alone_is_named() -> None:
    m4, sim, other = made.report(), made.report(target="sim"), made.report(recipe="other")
    found, notes = lookup.pairs(side(m4, sim), side(sim, other))
    assert [(one.report.target, two.report.target) for one, two in found] == [("sim", "sim")]
    assert [("qemu-m4" in note, "other" in note) for note in notes] == [(True, False), (True, True)]
    ((one, two),), none = lookup.pairs(side(m4), side(other))  # two single reports are meant as they are
    assert (one.report, two.report, none) == (m4, other, [])
    for before, after, exact in (
        (side(m4), side(other), True),
        (side(m4, sim), side(made.report(target="native")), False),
    ):
        with pytest.raises(ConfigError) as caught:
            lookup.pairs(before, after, exact=exact)
        assert caught.value.kind is kinds.NO_HISTORY


def test_two_targets_and_two_engines_belong_together() -> None:
    recipes = ("one", "two")
    changes: tuple[dict[str, Any], ...] = ({"target": "sim"}, {"engine": "tflm"}, {"engine": "tflm", "target": "sim"})
    for changed in changes:
        before = side(*(made.report(recipe=recipe) for recipe in recipes))
        after = side(*(made.report(recipe=recipe, **changed) for recipe in (*recipes, "three")))
        found, notes = lookup.pairs(before, after)
        assert [(one.report.recipe, other.report.recipe) for one, other in found] == [(name, name) for name in recipes]
        assert len(notes) == 1


def test_the_name_of_a_target_or_an_engine_is_its_last_runs(place: Place) -> None:
    leave(place, 0)
    record.leave(made.report(target="sim", engine="tflm-host"), made.context(1, dirty=True), place.records)
    assert [key[1] for key in of_name(place, "sim")] == ["sim"]
    assert [key[2] for key in of_name(place, "compiled")] == ["compiled"]
