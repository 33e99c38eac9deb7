"""Child processes that cannot outlive us.

A child runs in its own process group, so a Ctrl-C in the terminal reaches only tinyhil, which then ends the whole group
in order. For the case that tinyhil itself is killed, the kernel is asked to kill the child with its parent, through
util-linux' ``setpriv --pdeathsig`` (an exec wrapper: no code of ours runs between fork and exec, so threads are safe).
A parent that was killed before the kernel was asked is not noticed by it; so the child looks, after asking, whether it
still has the parent that started it.
Where setpriv does not exist (not Linux), only the orderly end is guaranteed; ``tinyhil doctor`` says so.

A signal goes to a group only while its number is certainly ours: before the child is reaped, or at once afterwards.
Later the number may belong to somebody else. So ask :func:`poll`, not ``Popen.poll``, whether a child has ended.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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


def spawn(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bool = False,
    limits: Limits = UNLIMITED,
) -> subprocess.Popen[str]:
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
    try:
        return subprocess.Popen(
            guarded(argv, os.getpid(), limits),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            process_group=0,
        )
    except OSError as error:
        raise ToolError(f"cannot start {argv[0]}: {error}", hint=f"look at the rights of {argv[0]}") from error


def guarded(argv: Sequence[str], parent: int, limits: Limits = UNLIMITED) -> list[str]:
    """The command that runs ``argv`` in a process that ends with its parent, whose process id is ``parent``.

    ``argv`` as it is where setpriv does not exist.
    """
    guard = shutil.which("setpriv")
    if guard is None:
        return list(argv)
    still_ours = f'{limits.commands}[ "$PPID" = "$0" ] && exec "$@"'
    return [guard, "--pdeathsig", "KILL", "--", "/bin/sh", "-c", still_ours, str(parent), *argv]


def poll(child: subprocess.Popen[str], within: float = 0.0) -> int | None:
    """The exit code of a child that ends by itself within some seconds, or None.

    What it left behind in its group is killed.
    """
    if child.returncode is None:
        try:
            child.wait(within)
        except subprocess.TimeoutExpired:
            return None
        _signal(child, signal.SIGKILL)
    return child.returncode


def describe_exit(code: int) -> str:
    """An exit code of :mod:`subprocess` in words; a negative one is the number of a signal."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:  # a real-time signal, which has no name
        return f"signal {-code}"


def end(child: subprocess.Popen[str], *, gently: bool = True) -> None:
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
            _signal(child, signal.SIGKILL)
        child.wait()
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
) -> str:
    """Runs a program to its end and returns all it printed.

    Args:
        argv: program and arguments.
        what: the work in words, for the error: "build the firmware".
        cwd: where it runs, by default where we run.
        env: variables added to ours.
        on_line: called with each line as it comes.

    Raises:
        MissingToolError: the program is not there.
        ToolError: it exited with another code than 0, or by a signal; ``detail`` is its output.
    """
    child = spawn(argv, cwd=cwd, env=env)
    lines: list[str] = []
    try:
        assert child.stdout is not None
        for line in child.stdout:
            lines.append(line)
            if on_line is not None:
                on_line(line.rstrip("\n"))
        code = child.wait()
        _signal(child, signal.SIGKILL)
    finally:
        end(child)
    output = "".join(lines)
    if code != 0:
        raise ToolError(f"could not {what}: {Path(argv[0]).name} ended with {describe_exit(code)}", detail=output)
    return output


def _signal(child: subprocess.Popen[str], number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)
