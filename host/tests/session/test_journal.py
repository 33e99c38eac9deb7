"""What was answered is in the journal, whatever ends the process; nothing of another run is ever taken for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil.artifacts import lock
from tinyhil.session import journal
from tinyhil.session.grid import Grid
from tinyhil.session.journal import Answer, Journal

from .pty_device import ORIGIN, vectors

FIRST, SECOND = Answer(0, 2, 70, b"abcd"), Answer(2, 2, 2**40, b"efgh")

KILLED = """
import os, signal, sys
from pathlib import Path
from tinyhil.session.journal import Answer, Journal, Origin

journal = Journal(Path(sys.argv[1]), Origin("m" * 64, "p" * 64, "f" * 64, "v" * 64), resume=False)
journal.add(Answer(0, 2, 70, b"abcd"))
journal.add(Answer(2, 2, 2**40, b"efgh"))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "new" / journal.NAME


def write(path: Path, *answers: Answer) -> None:
    with Journal(path, ORIGIN, resume=False) as kept:
        for answer in answers:
            kept.add(answer)


def test_a_killed_process_loses_nothing_that_was_answered(path: Path, child_environment: dict[str, str]) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], env=child_environment)
    assert done.returncode == -signal.SIGKILL
    kept = Journal(path, ORIGIN, resume=True)
    assert kept.answers == {0: FIRST, 2: SECOND}
    assert (kept.resumed, kept.afresh) == (4, "")


def test_a_resumed_journal_goes_on(path: Path) -> None:
    write(path, FIRST)
    with Journal(path, ORIGIN, resume=True) as kept:
        kept.add(SECOND)
        assert kept.resumed == 2
    assert Journal(path, ORIGIN, resume=True).answers == {0: FIRST, 2: SECOND}


def test_a_torn_tail_costs_one_answer(path: Path) -> None:
    write(path, FIRST, SECOND)
    os.truncate(path, path.stat().st_size - 1)
    with Journal(path, ORIGIN, resume=True) as kept:
        assert kept.answers == {0: FIRST}
        kept.add(SECOND)
    assert Journal(path, ORIGIN, resume=True).answers == {0: FIRST, 2: SECOND}


def test_without_resume_an_earlier_journal_is_replaced(path: Path) -> None:
    write(path, FIRST)
    with Journal(path, ORIGIN, resume=False) as kept:
        assert kept.answers == {}
        kept.add(SECOND)
    assert Journal(path, ORIGIN, resume=True).answers == {2: SECOND}


def test_a_run_that_gets_no_answer_leaves_an_earlier_journal_alone(path: Path) -> None:
    write(path, FIRST)
    Journal(path, ORIGIN, resume=False).close()
    assert Journal(path, ORIGIN, resume=True).answers == {0: FIRST}


@pytest.mark.parametrize("what", ["model", "project", "firmware", "vectors", "format"])
def test_another_identity_starts_afresh_and_says_so(path: Path, what: str) -> None:
    write(path, FIRST)
    changes: dict[str, Any] = {"format": 99} if what == "format" else {f"{what}_sha256": "0" * 64}
    other = replace(ORIGIN, **changes)
    with Journal(path, other, resume=True) as kept:
        assert (kept.answers, kept.resumed) == ({}, 0)
        assert kept.afresh == f"the journal is of another {what}"
        kept.add(SECOND)
    assert Journal(path, other, resume=True).answers == {2: SECOND}


def test_what_has_led_to_a_report_is_not_resumed(path: Path) -> None:
    write(path, FIRST)
    journal.conclude(path)
    kept = Journal(path, ORIGIN, resume=True)
    assert kept.answers == {}
    assert kept.afresh == "the run that wrote the journal is complete"


def test_the_journal_of_a_run_that_has_begun_meanwhile_is_not_ended(
    path: Path, child_environment: dict[str, str]
) -> None:
    write(path, FIRST)
    program = (
        "import sys; from pathlib import Path; from tinyhil.artifacts import lock\n"
        "with lock.exclusive(Path(sys.argv[1]), print): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(path.parent)]
    with subprocess.Popen(command, env=child_environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        journal.conclude(path)
        other.communicate()
    assert Journal(path, ORIGIN, resume=True).answers == {0: FIRST}
    with lock.exclusive(path.parent, print):
        pass


@pytest.mark.parametrize("content", [b"", b"no journal at all", bytes(100)])
def test_what_is_no_journal(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with Journal(path, ORIGIN, resume=True) as kept:
        assert kept.answers == {}
        assert kept.afresh
        kept.add(FIRST)
    assert Journal(path, ORIGIN, resume=True).answers == {0: FIRST}


def test_no_journal(path: Path) -> None:
    assert Journal(path, ORIGIN, resume=True).afresh == "there is no journal"


def test_the_hash_of_the_vectors_sees_values_types_and_shapes() -> None:
    plain = vectors()
    part = plain.inputs[0]
    changed = part.copy()
    changed[-1, 0, -1] ^= 1
    others = [changed, part.view(np.uint8), part.reshape(-1, 4)]
    hashes = {journal.of_vectors(replace(plain, inputs=(other,))) for other in (part, *others)}
    assert len(hashes) == 4
    assert journal.of_vectors(plain) in hashes


def test_the_grid_does_not_depend_on_what_was_answered() -> None:
    grid = Grid(vectors=10, size=4, output_bytes=2)
    assert grid.requests() == [(0, 4), (4, 4), (8, 2)]
    assert grid.missing({}) == grid.requests()
    assert grid.missing({4: Answer(4, 4, 0, bytes(8))}) == [(0, 4), (8, 2)]


@pytest.mark.parametrize("misfit", [Answer(4, 3, 0, bytes(6)), Answer(4, 4, 0, bytes(7)), Answer(3, 4, 0, bytes(8))])
def test_an_answer_that_is_not_on_the_grid_is_asked_again(misfit: Answer) -> None:
    grid = Grid(vectors=10, size=4, output_bytes=2)
    assert grid.missing({misfit.start: misfit}) == grid.requests()
