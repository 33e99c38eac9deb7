"""What a test leaves behind in its process, found and taken away, so that it cannot make another test fail.

A test that fails leaves open what it would have closed at its end. Descriptors that are left are not closed, because
whoever owns them may yet do so, and would then close one that is somebody else's by then: they are led to /dev/null,
which lets go of the terminal, the socket, the pipe or the lock.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from tinyhil.transport import owner

GRACE_S = 5.0
"""For threads that are about to end."""

INSTALLED = (sys.prefix, sys.base_prefix, "/usr")
"""Below these, libraries keep files open for themselves, such as fonts."""


@dataclass(frozen=True)
class Snapshot:
    """What a process has at a moment.

    Attributes:
        descriptors: what each leads to, but for files that are installed.
        threads: of Python's only; libraries keep pools of their own.
        children: the processes that are not over.
        ports: the lock files of the serial ports that it holds.
    """

    descriptors: dict[int, str]
    threads: frozenset[threading.Thread]
    children: frozenset[int]
    ports: frozenset[Path]


def snapshot() -> Snapshot:
    """What there is now."""
    return Snapshot(_descriptors(), frozenset(threading.enumerate()), _children(), frozenset(owner._held))


def take_away(before: Snapshot) -> list[str]:
    """Ends and lets go of what has come since ``before``, and says what that was."""
    if snapshot() == before:
        return []
    gc.collect()  # what only waits for its memory to be freed is not left behind
    for thread in threading.enumerate():
        if thread not in before.threads:
            thread.join(GRACE_S)
    now = snapshot()
    found = [f"the thread {thread.name}" for thread in now.threads - before.threads]
    for child in now.children - before.children:
        found.append(f"the process {child}: {_command(child)}")
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    for number, target in now.descriptors.items():
        if before.descriptors.get(number) != target:
            found.append(f"descriptor {number}: {target}")
            _lead_nowhere(number)
    for path in now.ports - before.ports:
        found.append(f"the port of {path.name}")
        del owner._held[path]
    return sorted(found)


def _descriptors() -> dict[int, str]:
    found = {}
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the one by which the folder is read
            target = str(link.readlink())
            if target != os.devnull and not target.startswith(tuple(f"{folder}/" for folder in INSTALLED)):
                found[int(link.name)] = target
    return found


def _children() -> frozenset[int]:
    found = set()
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(FileNotFoundError):  # it is over
            found |= {int(word) for word in (task / "children").read_text().split()}
    return frozenset(child for child in found if _runs(child))


def _runs(child: int) -> bool:
    try:
        return Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _command(child: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return "?"


def _lead_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, number, inheritable=False)
    os.close(nowhere)
