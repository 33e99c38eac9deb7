"""What the operating system refuses becomes a StorageError that names the place, and costs nothing that was there.

The refusals are real ones and do not depend on who runs the tests: a path below a regular file, a limit on the size of
files, /dev/full, and a file system of 64 KiB, where a user may mount one.
"""

from __future__ import annotations

import errno
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyhil.artifacts import lock, store
from tinyhil.errors import StorageError

OLD = b"old content\n"
LIMIT = 4096
"""Bytes; what is written is longer."""

WRITER = """
import resource, signal, sys
from pathlib import Path
from tinyhil.artifacts import store
from tinyhil.errors import StorageError

path, limit, action = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
# By default the kernel kills a process in the middle of the write that passes the limit; Python ignores the signal.
signal.signal(signal.SIGXFSZ, signal.SIG_DFL if action == "killed" else signal.SIG_IGN)
try:
    store.write_bytes(path, bytes(1 << 20))
except StorageError as error:
    sys.exit(f"{error.message}|{error.hint}")
"""


def write_in_child(
    path: Path, limit: int, action: str, environment: dict[str, str], *wrapper: str
) -> subprocess.CompletedProcess[str]:
    """Writes a mebibyte to ``path`` in a process of its own, where it may be refused or killed."""
    command = [*wrapper, sys.executable, "-c", WRITER, str(path), str(limit), action]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_a_write_that_is_refused_half_way_leaves_the_old_content(
    tmp_path: Path, child_environment: dict[str, str]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    done = write_in_child(path, LIMIT, "refused", child_environment)
    assert done.returncode == 1
    assert str(tmp_path) in done.stderr
    assert "File too large" in done.stderr
    assert "--build-dir" in done.stderr
    assert path.read_bytes() == OLD
    assert list(tmp_path.iterdir()) == [path]


def test_a_process_that_is_killed_half_way_leaves_the_old_content(
    tmp_path: Path, child_environment: dict[str, str]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(OLD)
    done = write_in_child(path, LIMIT, "killed", child_environment)
    assert done.returncode == -signal.SIGXFSZ, done.stderr
    assert path.read_bytes() == OLD
    # It was killed in the middle: what it had written lies beside.
    assert [other.stat().st_size for other in tmp_path.iterdir() if other != path] == [LIMIT]


def test_without_the_limit_the_same_process_writes(tmp_path: Path, child_environment: dict[str, str]) -> None:
    path = tmp_path / "file"
    assert write_in_child(path, 0, "refused", child_environment).returncode == 0
    assert path.stat().st_size == 1 << 20


def test_a_full_disk(tmp_path: Path, child_environment: dict[str, str]) -> None:
    """On a file system of 64 KiB, in a mount namespace that ends with the child."""
    mount = f'mount -t tmpfs -o size=64k tinyhil "{tmp_path}" && printf old > "{tmp_path}/file" && "$@"; code=$?; '
    look = f'ls -A "{tmp_path}"; cat "{tmp_path}/file"; exit $code'
    wrapper = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount + look, "sh")
    if shutil.which("unshare") is None or subprocess.run([*wrapper, "true"], capture_output=True).returncode:
        pytest.skip("a user may not mount a file system here")
    done = write_in_child(tmp_path / "file", 0, "refused", child_environment, *wrapper)
    assert done.returncode == 1
    assert str(tmp_path) in done.stderr
    assert "No space left on device" in done.stderr
    assert done.stdout == "file\nold"


def test_a_full_device(tmp_path: Path) -> None:
    def fill() -> None:
        with store.storage(tmp_path), Path("/dev/full").open("wb", buffering=0) as stream:
            stream.write(b"x")

    with pytest.raises(StorageError, match="No space left on device") as caught:
        fill()
    assert caught.value.hint.startswith("free some space")
    assert str(tmp_path) in caught.value.message
    assert isinstance(caught.value.__cause__, OSError)


def _lock(folder: Path) -> None:
    with lock.exclusive(folder, lambda _: None):
        raise AssertionError("there is nothing to lock")


@pytest.mark.parametrize(
    "attempt",
    [
        store.make_folder,
        store.forget,
        _lock,
        lambda folder: store.write_bytes(folder / "file", b"x"),
        lambda folder: store.write_text(folder / "deeper" / "file", "x"),
    ],
    ids=["make_folder", "forget", "lock", "write_bytes", "write_text"],
)
@pytest.mark.parametrize("below", ["", "build", "build/sine/model"])
def test_a_folder_that_cannot_be(tmp_path: Path, below: str, attempt: Callable[[Path], object]) -> None:
    """At or below a regular file there is no folder, not even for root."""
    blocker = tmp_path / "blocker"
    blocker.write_bytes(OLD)
    with pytest.raises(StorageError) as caught:
        attempt(blocker / below)
    assert str(blocker) in caught.value.message
    assert "--build-dir" in caught.value.hint
    assert blocker.read_bytes() == OLD


def test_a_folder_where_the_file_should_be(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(StorageError, match="Is a directory") as caught:
        store.write_bytes(tmp_path / "file", b"x")
    assert caught.value.hint.startswith("remove the folder that is in its place")
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    (tmp_path / store.MANIFEST).mkdir()
    with pytest.raises(StorageError, match=store.MANIFEST):
        store.forget(tmp_path)


def test_what_is_no_refusal_to_write_passes() -> None:
    """A file that is not there, or a broken pipe, is a defect of ours or another story."""

    def fail(number: int) -> None:
        with store.storage(Path("place")):
            raise OSError(number, "reason")

    for number in (errno.ENOENT, errno.EPIPE, errno.EINTR):
        with pytest.raises(OSError, match="reason") as caught:
            fail(number)
        assert caught.value.errno == number
