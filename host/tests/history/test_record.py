"""What a run leaves, where, and that it never costs the run its verdict."""

from __future__ import annotations

import gzip
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tinyhil import kinds
from tinyhil.errors import ConfigError
from tinyhil.history import context as contexts
from tinyhil.history import database, record
from tinyhil.history import place as places
from tinyhil.history.keep import keep
from tinyhil.history.models import RUNS
from tinyhil.history.place import Place
from tinyhil.options import Options
from tinyhil.report import files
from tinyhil.targets import registry
from tinyhil.transport import finder

from . import made


def run(concluded: Any, target: str = "qemu-m4", port: str | None = None) -> Any:
    """What ``keep`` needs to know of a run."""
    return SimpleNamespace(concluded=concluded, target=registry.get(target), options=Options(port=port))


TOOK = files.Took(made.NOON, 1.5)


def test_a_run_leaves_a_record_that_says_all_of_it(place: Place) -> None:
    found = made.report()
    assert keep(run((found, TOOK))) == ""
    (path,) = record.waiting(place.records)
    one = record.read(path)
    assert one.decoded(str(path)) == found
    assert one.report == files.to_json(found)
    assert (one.context.began, one.context.seconds) == (made.NOON, 1.5)


def test_a_run_without_a_report_and_one_with_history_off_leave_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert keep(run(None)) == ""
    monkeypatch.setenv(places.VARIABLE, "off")
    assert keep(run((made.report(), TOOK))) == ""
    assert list(record.waiting(place.records)) == []


@pytest.mark.parametrize(
    "value", ["/proc/none/history.db", "mysql://u:secret@h/d", "postgresql://u:secret@127.0.0.1:9/d"]
)
def test_what_cannot_be_written_is_said_in_one_line_without_the_password(
    value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(places.VARIABLE, value)
    said = keep(run((made.report(), TOOK)))
    assert said
    assert "\n" not in said
    assert "secret" not in said
    waits = list(record.waiting(tmp_path / ".tinyhil/history.records"))
    assert len(waits) == value.startswith("postgresql")  # the server may come back


def test_neither_the_help_nor_a_run_waits_for_sqlalchemy(child_environment: dict[str, str]) -> None:
    program = (
        "import sys; import tinyhil.api, tinyhil.history.keep; from tinyhil.cli.app import application; application();"
        "sys.exit(len({'sqlalchemy', 'alembic', 'psycopg'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", program], env=child_environment, check=False).returncode == 0


def test_a_server_gets_the_run_at_once_and_a_file_with_the_next_command(any_place: Place) -> None:
    assert keep(run((made.report(), TOOK))) == ""
    assert len(list(record.waiting(any_place.records))) == (any_place.database is not None)
    with database.opened(any_place) as history, history.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(RUNS)).scalar_one() == 1
        assert history.taken_in.new == (any_place.database is not None)


@dataclass(frozen=True)
class Plugged:
    """A serial port, as pyserial lists it."""

    device: str
    serial_number: str | None
    vid: int | None = 0x2341
    pid: int | None = 0x805A


@pytest.mark.parametrize(
    ("target", "port", "plugged", "board"),
    [
        ("qemu-m4", None, [Plugged("/dev/ttyACM0", "N1")], None),
        ("nano33ble", None, [], ""),
        ("nano33ble", None, [Plugged("/dev/ttyACM0", "N1"), Plugged("/dev/ttyUSB0", "X", 1, 1)], "N1"),
        ("nano33ble", None, [Plugged("/dev/ttyACM0", "N1"), Plugged("/dev/ttyACM1", "N2")], ""),
        ("nano33ble", None, [Plugged("/dev/ttyACM0", None)], "/dev/ttyACM0"),
        ("nano33ble", "/dev/ttyACM1", [Plugged("/dev/ttyACM0", "N1"), Plugged("/dev/ttyACM1", "N2")], "N2"),
        ("nano33ble", "usb:N3", [], "N3"),
        ("qemu-m4", "socket://lab:5000", [], "socket://lab:5000"),
    ],
)
def test_a_board_is_known_by_its_serial_number_or_port(
    place: Place,
    target: str,
    port: str | None,
    plugged: list[Plugged],
    board: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finder, "present", lambda: plugged)
    assert keep(run((made.report(), TOOK), target, port)) == ""
    (path,) = record.waiting(place.records)
    assert record.read(path).context.board == board


def test_git_does_not_see_the_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(places.VARIABLE)
    git("init", "--quiet")
    assert keep(run((made.report(), TOOK))) == ""
    assert (tmp_path / ".tinyhil/history.records").is_dir()
    assert git("status", "--porcelain") == ""


def git(*arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *who, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*contexts._BRANCH_OF_CI, *contexts._COMMIT_OF_CI):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_no_ci")
def test_commit_branch_and_changes_are_git_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert contexts.git(tmp_path) == ("", "", None)
    git("init", "--quiet")
    assert contexts.git(tmp_path) == ("", "main", None)  # no commit yet
    Path("file").write_text("1")
    git("add", "file")
    git("commit", "--quiet", "-m", "one")
    commit = git("rev-parse", "HEAD").strip()
    Path("other").write_text("not tracked")
    assert contexts.git(tmp_path) == (commit, "main", False)
    Path("file").write_text("2")
    assert contexts.git(tmp_path) == (commit, "main", True)
    git("checkout", "--quiet", "--detach")
    assert contexts.git(tmp_path) == (commit, "", True)
    monkeypatch.setenv("GITHUB_REF_NAME", "feature")
    assert contexts.git(tmp_path) == (commit, "feature", True)


@pytest.mark.usefixtures("_no_ci")
def test_where_git_is_not_installed_ci_says_the_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI_COMMIT_SHA", made.COMMITS[0])
    assert contexts.here(datetime.now(UTC), 1.0).commit == made.COMMITS[0]


@given(st.binary(max_size=200))
def test_a_damaged_record_is_an_error_of_the_file(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / f"damaged{record.SUFFIX}"
    for written in (content, gzip.compress(content)):
        path.write_bytes(written)
        with pytest.raises(ConfigError) as caught:
            record.read(path)
        assert caught.value.kind is kinds.OTHER_VERSION


def test_a_record_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / f"later{record.SUFFIX}"
    later = msgspec.structs.replace(record.of_report(made.report(), made.context()), schema=record.SCHEMA + 1)
    path.write_bytes(gzip.compress(msgspec.json.encode(later)))
    with pytest.raises(ConfigError, match="another version"):
        record.read(path)


@pytest.mark.parametrize(
    ("value", "database", "url"),
    [
        ("", ".tinyhil/history.db", ""),
        ("team.db", "team.db", ""),
        ("sqlite:///team.db", "team.db", ""),
        ("postgres://u@h/d", None, "postgresql+psycopg://u@h/d"),
        ("postgresql+psycopg://u@h/d?x=1", None, "postgresql+psycopg://u@h/d?x=1"),
    ],
)
def test_the_environment_names_the_place(
    value: str, database: str | None, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(places.VARIABLE, value)
    found = places.place()
    assert found is not None
    assert (found.database, found.url) == (None if database is None else Path(database), url)
