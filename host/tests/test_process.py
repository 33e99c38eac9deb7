from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyhil import process
from tinyhil.errors import MissingToolError, ToolError

FOREVER = "1000"
PATIENCE_SECONDS = 10.0


def ends(pid: int) -> bool:
    """Waits until a process of any parent has ended; False if it still runs after all patience."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], PATIENCE_SECONDS)[0])
    finally:
        os.close(handle)


@pytest.fixture
def spawned() -> Iterator[list[process.Child]]:
    children: list[process.Child] = []
    yield children
    for child in children:
        process.end(child)


def first_line(child: process.Child) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def test_run_returns_everything_and_tells_each_line() -> None:
    lines: list[str] = []
    output = process.run(["sh", "-c", "echo one; echo two >&2"], what="speak", on_line=lines.append)
    assert output == "one\ntwo\n"
    assert lines == ["one", "two"]


def test_run_uses_folder_and_adds_variables(tmp_path: Path) -> None:
    output = process.run(
        ["sh", "-c", 'echo "$PWD $ADDED ${PATH:+kept}"'], what="look", cwd=tmp_path, env={"ADDED": "x"}
    )
    assert output == f"{tmp_path} x kept\n"


def test_run_has_no_input() -> None:
    assert process.run(["cat"], what="read") == ""


def test_output_that_is_not_text_is_replaced() -> None:
    assert process.run(["printf", r"a\377b"], what="print") == "a\N{REPLACEMENT CHARACTER}b"


def test_failure_names_work_program_and_code_and_keeps_the_output() -> None:
    with pytest.raises(ToolError, match="could not build it: sh ended with exit code 7") as caught:
        process.run(["sh", "-c", "echo because; exit 7"], what="build it")
    assert caught.value.detail == "because\n"


def test_failure_by_signal_names_the_signal() -> None:
    with pytest.raises(ToolError, match="ended with signal SIGSEGV"):
        process.run(["sh", "-c", "kill -SEGV $$"], what="run")


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "exit code 0"), (3, "exit code 3"), (-signal.SIGKILL, "signal SIGKILL"), (-(signal.SIGRTMIN + 1), "signal ")],
)
def test_exit_codes_in_words(code: int, words: str) -> None:
    assert process.describe_exit(code).startswith(words)


def test_missing_program() -> None:
    with pytest.raises(MissingToolError, match="no-such-program is not installed"):
        process.run(["no-such-program"], what="run")
    with pytest.raises(MissingToolError, match="no-such-program is not installed, it is needed to fly") as caught:
        process.require("no-such-program", debian="wings feathers", purpose="fly")
    assert caught.value.hint == "sudo apt-get install wings feathers"


def test_require_finds_what_is_there() -> None:
    assert process.require("sh", debian="dash", purpose="x").is_file()


@pytest.mark.parametrize("guarded", [True, False])
def test_program_that_cannot_be_executed(guarded: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not guarded:
        monkeypatch.setenv("PATH", str(tmp_path))
    broken = tmp_path / "broken"
    broken.write_bytes(b"\x7fELF but not really")
    broken.chmod(0o755)
    with pytest.raises(ToolError):
        process.run([str(broken)], what="run it")


def test_a_missing_folder_is_a_tool_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="cannot start sh"):
        process.run(["sh"], what="run", cwd=tmp_path / "absent")


def test_child_leads_a_group_of_its_own(spawned: list[process.Child]) -> None:
    child = process.spawn(["sleep", FOREVER])
    spawned.append(child)
    assert os.getpgid(child.pid) == child.pid != os.getpgrp()


def test_end_kills_the_whole_group_even_if_it_ignores_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.1)
    child = process.spawn(["sh", "-c", f'trap "" TERM; sleep {FOREVER} & echo $!; wait; wait'])
    grandchild = int(first_line(child))
    process.end(child)
    assert child.returncode == -signal.SIGKILL
    assert ends(grandchild)


def test_end_asks_before_it_kills() -> None:
    child = process.spawn(["sh", "-c", f'trap "exit 5" TERM; echo ready; sleep {FOREVER} & wait'])
    assert first_line(child) == "ready"
    process.end(child)
    assert child.returncode == 5
    process.end(child)


def test_end_never_signals_a_number_that_may_belong_to_somebody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is ours as long as the watcher is in the group; where there is none, it may be anybody's."""
    signalled: list[int] = []
    kill = os.killpg

    def killpg(group: int, number: int) -> None:
        signalled.append(group)
        kill(group, number)

    monkeypatch.setattr(os, "killpg", killpg)
    child = process.spawn(["true"], stdin=True)
    child.wait()
    process.end(child)
    process.end(child)
    assert signalled == [child.pid]
    assert child.stdin is not None
    assert child.stdin.closed
    monkeypatch.setattr(process, "_GUARD", "no-such-program")
    child = process.spawn(["true"])
    child.wait()
    process.end(child)
    assert signalled[1:] == []


def test_poll_sweeps_up_what_a_dead_child_left(spawned: list[process.Child]) -> None:
    child = process.spawn(["sh", "-c", f"sleep {FOREVER} >/dev/null 2>&1 & echo $!; read -r line; exit 4"], stdin=True)
    spawned.append(child)
    left = int(first_line(child))
    assert process.poll(child) is None
    assert child.stdin is not None
    child.stdin.close()
    assert process.poll(child, PATIENCE_SECONDS) == 4
    assert ends(left)


def test_run_sweeps_up_too() -> None:
    output = process.run(["sh", "-c", f"sleep {FOREVER} >/dev/null 2>&1 & echo $!"], what="leave something")
    assert ends(int(output))


def test_interrupt_while_running_ends_the_group() -> None:
    pids: list[int] = []

    def interrupt(line: str) -> None:
        pids.extend(int(word) for word in line.split())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process.run(["sh", "-c", f"sleep {FOREVER} & echo $$ $!; wait"], what="wait", on_line=interrupt)
    assert len(pids) == 2
    assert all(ends(pid) for pid in pids)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed")
def test_a_child_whose_parent_is_gone_already_does_not_begin(tmp_path: Path) -> None:
    """As if the parent had been killed before the kernel was asked to watch it."""
    for parent, begins in ((os.getpid(), True), (os.getppid(), False)):
        trace = tmp_path / str(parent)
        done = subprocess.run(process.guarded(["touch", str(trace)], parent), check=False)
        assert (done.returncode == 0) is begins
        assert trace.exists() is begins


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed")
def test_child_dies_with_a_parent_that_is_killed() -> None:
    code = f"from tinyhil import process\nprint(process.spawn(['sleep', '{FOREVER}']).pid, flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        parent.kill()
    assert ends(pid)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed")
def test_grandchildren_die_with_a_parent_that_is_killed() -> None:
    """Also those whose own parent has ended before, and those that a polite signal does not end."""
    script = f"(trap '' TERM; sleep {FOREVER} & echo $!) & (trap '' TERM; exec sleep {FOREVER}) & echo $!; wait"
    code = (
        f"from tinyhil import process\nchild = process.spawn(['sh', '-c', \"{script}\"])\n"
        "print(child.stdout.readline() + child.stdout.readline(), flush=True)\ninput()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as parent:
        assert parent.stdout is not None
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        assert all(Path(f"/proc/{pid}").exists() for pid in pids)
        parent.kill()
    assert all(ends(pid) for pid in pids)


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv (util-linux) is not installed")
def test_no_watcher_is_left_of_a_child_that_has_ended() -> None:
    child = process.spawn(["true"])
    assert process.poll(child, PATIENCE_SECONDS) == 0
    process.end(child)
    for _ in range(1000):
        try:
            os.killpg(child.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)
    pytest.fail("somebody is left in its group")


def environment() -> dict[str, str]:
    """Ours, with the package that is under test found first."""
    package = Path(process.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")])}


def begun(apart: str, command: str) -> str:
    """The start of a script: what runs behind it has left its number in ``pid``, and the script's group if it does."""
    return f"{apart}sh -c 'echo $$ > new; mv new pid; exec {command}' & until [ -e pid ]; do sleep 0.01; done"


@pytest.mark.parametrize("apart", ["", "setsid "])
def test_whoever_keeps_the_output_open_is_not_waited_for(apart: str, tmp_path: Path) -> None:
    script = f"{begun(apart, f'sleep {FOREVER}')}; echo last words; printf unfinished; exit 3"
    with pytest.raises(ToolError, match="exit code 3") as caught:
        process.run(["sh", "-c", script], what="speak", cwd=tmp_path)
    assert caught.value.detail == "last words\nunfinished"
    left = int((tmp_path / "pid").read_text())
    if apart:
        os.kill(left, signal.SIGKILL)
    assert ends(left)


def test_nor_is_whoever_goes_on_talking(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="exit code 3"):
        process.run(["sh", "-c", f"{begun('setsid ', 'yes')}; exit 3"], what="speak", cwd=tmp_path)
    left = int((tmp_path / "pid").read_text())
    assert ends(left), "nobody reads it any more"


def test_ends_of_lines_and_characters_may_come_in_pieces() -> None:
    pieces = r"printf 'one\r'; sleep 0.01; printf '\ntwo\rthree\303'; sleep 0.01; printf '\274\n\303'"
    assert process.run(["sh", "-c", pieces], what="speak") == "one\ntwo\nthree\u00fc\n\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("talks", ["", "while :; do echo on; done & "])
def test_who_takes_too_long_is_ended_and_named(talks: str) -> None:
    """Whether it is silent, or keeps printing."""
    with pytest.raises(ToolError, match=r"could not wait: sh has not ended within 0\.3 s") as caught:
        process.run(["sh", "-c", f"echo $$; {talks}sleep {FOREVER}"], what="wait", within=0.3)
    assert ends(int(caught.value.detail.split()[0]))
