"""Child processes that cannot outlive us.

A child runs in its own process group, so a Ctrl-C in the terminal reaches only tinyhil, which then ends the whole group
in order. For the case that tinyhil itself is killed, the kernel is asked to kill the child with its parent, through
util-linux' ``setpriv --pdeathsig`` (an exec wrapper: no code of ours runs between fork and exec, so threads are safe).
A parent that was killed before the kernel was asked is not noticed by it; so the child looks, after asking, whether it
still has the parent that started it.

The kernel kills the child only, and not what the child has started (PlatformIO's SCons, its compilers). So a watcher
stands in the child's group from before the child begins: a shell that waits for the end of a pipe, whose other end only
tinyhil holds, and kills the group then. It ends with the group, and while it is there the group's number is ours.
Where setpriv does not exist (not Linux), only the orderly end is guaranteed; ``tinyhil doctor`` says so.

A signal goes to a group only while its number is certainly ours: before the child is reaped, or at once afterwards.
Later the number may belong to somebody else. So ask :func:`poll`, not ``Popen.poll``, whether a child has ended.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import re
import select
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyhil.deadline import Deadline
from tinyhil.errors import MissingToolError, ToolError


@dataclass(frozen=True)
class Limits:
    """What a child may take of this computer; None for what is not limited.

    Attributes:
        memory_bytes: of its own data (RLIMIT_DATA): what it allocates, not the programs and files that it maps. A
            process beyond it gets no more, as if there were none.
        processor_seconds: of all its threads (RLIMIT_CPU): beyond it, it gets SIGXCPU.
    """

    memory_bytes: int | None = None
    processor_seconds: int | None = None

    @property
    def commands(self) -> str:
        """The same for a shell, which its child inherits it from; soft, so that a child may have less."""
        said = []
        if self.memory_bytes is not None:
            said.append(f"ulimit -S -d {self.memory_bytes // 1024}")
        if self.processor_seconds is not None:
            said.append(f"ulimit -S -t {self.processor_seconds}")
        return "".join(f"{each} 2>/dev/null; " for each in said)


UNLIMITED = Limits()
GRACE_SECONDS = 2.0
"""How long a process group may take to end after SIGTERM before it is killed."""
_LOOK_MILLISECONDS = 200
"""How often a child that prints nothing is looked at: it may have ended, and something of it keep its output open."""
_READ_BYTES = 1 << 16
_PIPE_BYTES = 1 << 20
"""The most that a pipe holds: what a child may have printed before its end that was not read yet."""


def physical_memory() -> int:
    """Bytes of memory that this computer has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def require(program: str, *, purpose: str, debian: str = "", install: str = "") -> Path:
    """The path of a program on PATH.

    Args:
        program: its name.
        purpose: what it is needed to do, for the error.
        debian: the Debian packages that bring it.
        install: how to get it where Debian has it not.

    Raises:
        MissingToolError: it is not there; the hint is the Debian command that installs it, or ``install``.
    """
    found = shutil.which(program)
    if found is None:
        hint = f"sudo apt-get install {debian}" if debian else install
        raise MissingToolError(f"{program} is not installed, it is needed to {purpose}", hint=hint)
    return Path(found)


def answers(program: str, arguments: Sequence[str], expects: str) -> bool:
    """Whether what a program prints, when it is run with ``arguments``, has a line that matches ``expects``.

    Raises:
        MissingToolError: the program is not there.
    """
    try:
        output = run([program, *arguments], what=f"ask {program} what it can do")
    except ToolError as error:
        output = error.detail
    return re.search(expects, output, re.MULTILINE) is not None


class Child(subprocess.Popen[str]):
    """A child with its group.

    Attributes:
        lease: what tells the group's watcher that we live; closed when the group has ended. None without a watcher.
    """

    lease: io.FileIO | None = None


def spawn(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bool = False,
    limits: Limits = UNLIMITED,
) -> Child:
    """Starts a program whose standard output and error come through one text pipe.

    The kernel's promise to kill the child holds for the thread that calls this: the child dies when that thread ends.

    Args:
        argv: program and arguments.
        cwd: where it runs, by default where we run.
        env: variables added to ours.
        stdin: whether standard input is a pipe too; otherwise it is empty.
        limits: what it may take, where setpriv exists.

    Raises:
        MissingToolError: the program is not there.
        ToolError: it is there, but cannot be started.
    """
    if shutil.which(argv[0]) is None:
        raise MissingToolError(f"{argv[0]} is not installed", hint=f"install {argv[0]}, or put it on the PATH")
    watched, ours = os.pipe()
    lease = os.fdopen(ours, "wb", buffering=0)
    try:
        child = Child(
            guarded(argv, os.getpid(), limits, watched),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            process_group=0,
            pass_fds=[watched],
        )
    except OSError as error:
        lease.close()
        raise ToolError(f"cannot start {argv[0]}: {error}", hint=f"look at the rights of {argv[0]}") from error
    finally:
        os.close(watched)
    if shutil.which(_GUARD) is None:
        lease.close()  # nobody watches
    child.lease = lease
    return child


_GUARD = "setpriv"

_WATCH = (
    '( ( trap "" TERM INT HUP; exec /bin/sh -c "read -r over <\\"/dev/fd/\\$1\\" || kill -KILL 0" watcher "$1" ) '
    "</dev/null >/dev/null 2>&1 & ); shift; "
)
"""A watcher, which is no child of the program that the shell becomes."""


def guarded(argv: Sequence[str], parent: int, limits: Limits = UNLIMITED, lease: int | None = None) -> list[str]:
    """The command that runs ``argv`` in a process that ends with its parent, whose process id is ``parent``.

    ``argv`` as it is where setpriv does not exist.

    Args:
        lease: a descriptor of the process, in a group of its own, at whose end the whole group is killed.
    """
    guard = shutil.which(_GUARD)
    if guard is None:
        return list(argv)
    watch, held = ("", []) if lease is None else (_WATCH, [str(lease)])
    still_ours = f'{watch}{limits.commands}[ "$PPID" = "$0" ] && exec "$@"'
    return [guard, "--pdeathsig", "KILL", "--", "/bin/sh", "-c", still_ours, str(parent), *held, *argv]


def poll(child: Child, within: float = 0.0) -> int | None:
    """The exit code of a child that ends by itself within some seconds, or None.

    What it left behind in its group is killed.
    """
    if child.returncode is None:
        try:
            child.wait(within)
        except subprocess.TimeoutExpired:
            return None
        _sweep(child)
    return child.returncode


def lines(child: Child, until: Deadline | None = None) -> Iterator[str]:
    """Each line that a child prints, with its end, until it has ended; or until a deadline, and then it runs on.

    A process that it left behind and that keeps its output open, in a group of its own perhaps, is not waited for.
    """
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)
    begun = ""
    for chunk in _chunks(child, until):
        *whole, begun = (begun + decoder.decode(chunk, final=not chunk)).split("\n")
        yield from (f"{line}\n" for line in whole)
    if begun:
        yield begun


def _chunks(child: Child, until: Deadline | None) -> Iterator[bytes]:
    """What a child prints as it comes, and nothing at the end."""
    assert child.stdout is not None
    output = child.stdout.fileno()
    readable = select.poll()
    readable.register(output, select.POLLIN)
    left = _PIPE_BYTES
    while left > 0:
        ended = poll(child) is not None
        if readable.poll(0 if ended else _LOOK_MILLISECONDS):
            chunk = os.read(output, _READ_BYTES)
            if not chunk:
                break
            left -= len(chunk) if ended else 0
            yield chunk
        elif ended:
            break
        if until is not None and until.expired:
            break
    yield b""


def describe_exit(code: int) -> str:
    """An exit code of :mod:`subprocess` in words; a negative one is the number of a signal."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal, which has no name
        return f"signal {-code}"


def end(child: Child, *, gently: bool = True) -> None:
    """Ends a child and its whole process group, and returns when the child is gone. May be called again.

    Args:
        child: the child.
        gently: whether it is asked with SIGTERM first, and killed only if it does not end.
    """
    if child.returncode is None:
        _signal(child, signal.SIGTERM if gently else signal.SIGKILL)
        try:
            child.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:  # also when a second Ctrl-C interrupts the wait
            _sweep(child)
        child.wait()
    if child.lease is not None and not child.lease.closed:
        _sweep(child)  # its watcher keeps the group's number ours
    if child.stdout is not None:
        child.stdout.close()
    if child.stdin is not None:
        with contextlib.suppress(OSError):
            child.stdin.close()


def run(
    argv: Sequence[str],
    *,
    what: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    on_line: Callable[[str], None] | None = None,
    within: float | None = None,
) -> str:
    """Runs a program to its end and returns all it printed.

    Args:
        argv: program and arguments.
        what: the work in words, for the error: "build the firmware".
        cwd: where it runs, by default where we run.
        env: variables added to ours.
        on_line: called with each line as it comes.
        within: seconds that it may take; None for as long as it likes.

    Raises:
        MissingToolError: the program is not there.
        ToolError: it exited with another code than 0, or by a signal, or took too long; ``detail`` is its output.
    """
    child = spawn(argv, cwd=cwd, env=env)
    until = None if within is None else Deadline.after(within)
    printed: list[str] = []
    try:
        for line in lines(child, until):
            printed.append(line)
            if on_line is not None:
                on_line(line.rstrip("\n"))
        code = child.wait() if until is None else poll(child, until.remaining)
        if code is None:
            raise ToolError(
                f"could not {what}: {Path(argv[0]).name} has not ended within {within:g} s", detail="".join(printed)
            )
        _sweep(child)
    finally:
        end(child)
    output = "".join(printed)
    if code != 0:
        raise ToolError(f"could not {what}: {Path(argv[0]).name} ended with {describe_exit(code)}", detail=output)
    return output


def _sweep(child: Child) -> None:
    """Kills what is left of a child's group, its watcher too."""
    _signal(child, signal.SIGKILL)
    if child.lease is not None:
        child.lease.close()


def _signal(child: Child, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)
