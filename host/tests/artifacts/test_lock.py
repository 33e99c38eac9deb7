"""One process at a time; a second one waits, says for whom, and gets in however the first one ends."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyhil.artifacts import lock
from tinyhil.errors import StorageError

PATIENCE_S = 60.0
"""How long a line may take to come; only a broken test takes that long."""

HOLDER = """
import sys
import threading
from pathlib import Path
from tinyhil.artifacts import lock

with lock.exclusive(Path(sys.argv[1]), lambda line: print(line, flush=True)):
    print("held", flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def holder(folder: Path, environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that takes the lock and holds it until its standard input ends."""
    command = [sys.executable, "-c", HOLDER, str(folder)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[bytes]) -> str:
    """The next line that a process prints; lines come whole, because they are flushed."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], PATIENCE_S)[0], "nothing came"
    return process.stdout.readline().decode().rstrip("\n")


def let_go(process: subprocess.Popen[bytes]) -> int:
    assert process.stdin is not None
    process.stdin.close()
    return process.wait(PATIENCE_S)


def never(_line: str) -> None:
    raise AssertionError("there was nobody to wait for")


def test_a_second_process_waits_until_the_first_one_lets_go(tmp_path: Path, child_environment: dict[str, str]) -> None:
    folder = tmp_path / "is" / "made"
    with holder(folder, child_environment) as first:
        assert line(first) == "held"
        with holder(folder, child_environment) as second:
            assert line(second) == f"waiting for process {first.pid}, which works in {folder}"
            assert let_go(first) == 0
            assert line(second) == "held"
            with holder(folder, child_environment) as third:
                assert line(third) == f"waiting for process {second.pid}, which works in {folder}"


def test_a_killed_process_holds_nothing(tmp_path: Path, child_environment: dict[str, str]) -> None:
    with holder(tmp_path, child_environment) as first:
        assert line(first) == "held"
        with holder(tmp_path, child_environment) as second:
            assert line(second) == f"waiting for process {first.pid}, which works in {tmp_path}"
            first.send_signal(signal.SIGKILL)
            assert line(second) == "held"
            assert first.wait(PATIENCE_S) == -signal.SIGKILL
            assert let_go(second) == 0


def test_an_error_lets_go(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), lock.exclusive(tmp_path, never):
        raise RuntimeError
    with lock.exclusive(tmp_path, never):
        pass


def test_it_is_really_held_in_between(tmp_path: Path, child_environment: dict[str, str]) -> None:
    with contextlib.ExitStack() as stack:
        with lock.exclusive(tmp_path, never):
            second = stack.enter_context(holder(tmp_path, child_environment))
            assert line(second) == f"waiting for process {os.getpid()}, which works in {tmp_path}"
        assert line(second) == "held"


def test_a_child_does_not_hold_it_for_us(tmp_path: Path) -> None:
    with contextlib.ExitStack() as stack:
        with lock.exclusive(tmp_path, never):
            # A child that inherits whatever may be inherited, and outlives the lock.
            child = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    bufsize=0,
                    close_fds=False,
                )
            )
            assert line(child) == "up"
        with lock.exclusive(tmp_path, never):
            assert child.poll() is None


def test_another_folder_has_another_lock(tmp_path: Path) -> None:
    with lock.exclusive(tmp_path / "one", never), lock.exclusive(tmp_path / "two", never):
        pass


def test_a_claim_does_not_wait_and_names_the_holder(tmp_path: Path, child_environment: dict[str, str]) -> None:
    with holder(tmp_path, child_environment) as first:
        assert line(first) == "held"
        with pytest.raises(lock.HeldError) as caught:
            lock.claim(tmp_path / lock.NAME)
        assert caught.value.holder == str(first.pid)
        assert let_go(first) == 0
    lock.release(lock.claim(tmp_path / lock.NAME))


def test_a_stale_process_id_is_not_taken_for_the_holder(tmp_path: Path) -> None:
    """As seen by one who looks between the holder's taking the lock and its writing its id."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait(PATIENCE_S)
    path = tmp_path / lock.NAME
    path.write_text(f"{gone.pid}\n")
    handle = os.open(path, os.O_RDWR)
    fcntl.flock(handle, fcntl.LOCK_EX)
    written = threading.Timer(0.02, lambda: os.pwrite(handle, f"{os.getpid()}\n".encode(), 0))
    written.start()
    with pytest.raises(lock.HeldError) as caught:
        lock.claim(path)
    written.join()
    os.close(handle)
    assert caught.value.holder == str(os.getpid())


def test_what_is_released_names_nobody(tmp_path: Path) -> None:
    path = tmp_path / lock.NAME
    handle = lock.claim(path)
    assert path.read_text() == f"{os.getpid()}\n"
    lock.release(handle)
    assert path.read_text() == ""


def test_a_lock_that_cannot_be_signed_is_named_and_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(StorageError, match=r"\.lock: No space left on device"), lock.exclusive(tmp_path, print):
        pass
    with pytest.raises(StorageError, match="port: No space left on device"):
        lock.claim(tmp_path / "port")
    assert len(list(Path("/proc/self/fd").iterdir())) == before
