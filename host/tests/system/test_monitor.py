"""The monitor as scripts have it: real processes at real pseudo-terminals."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tinyhil.link.frames import Frame, encode_frame

from .cli import Cli

PATIENCE_S = 60.0
EVERY_S = 0.01


class Board:
    """A sketch at a pseudo-terminal: prints a line every 10 ms for as long as it lives."""

    def __init__(self, *lines: bytes) -> None:
        self.master, self._cable = os.openpty()
        tty.setraw(self._cable)
        os.set_blocking(self.master, False)
        self.path = os.ttyname(self._cable)
        self.heard = b""
        self._lines = lines
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._print)
        self._thread.start()

    def stop(self) -> None:
        if not self._stopping.is_set():
            self._stopping.set()
            self._thread.join()
            os.close(self.master)
            os.close(self._cable)

    def _print(self) -> None:
        count = 0
        while not self._stopping.wait(EVERY_S):
            with contextlib.suppress(BlockingIOError):
                self.heard += os.read(self.master, 4096)
            with contextlib.suppress(BlockingIOError):
                for line in self._lines:
                    os.write(self.master, line.replace(b"#", b"%d" % count))
            count += 1


@pytest.fixture
def board() -> Iterator[Board]:
    """Prints numbers, words with a colour and a command for terminals and CI systems, and a frame."""
    words = b"\x1b[32mgreen\x1b[0m \x1b[2Jbell\x07\n::error::no\n"
    made = Board(b"x:# y:2\r\n", words, encode_frame(Frame(0x84, 5, b"")))
    yield made
    made.stop()


def test_until_a_line_has_come(tinyhil: Cli, board: Board) -> None:
    done = tinyhil("monitor", "--plain", "--port", board.path, "--until", r"^x:\d+ y:", "--timeout", "60s")
    assert done.code == 0, done.err
    assert re.fullmatch(r"x:\d+ y:2", done.out.splitlines()[-1])
    assert f"{board.path} is open" in done.err


def test_a_device_that_does_not_say_it(tinyhil: Cli) -> None:
    silent = Board()
    try:
        done = tinyhil("monitor", "--plain", "--port", silent.path, "--until", "y:", "--timeout", "1s", "--send", "hi")
        assert (done.code, done.out) == (3, "")
        assert "TH-363" in done.err
        assert silent.heard == b"hi\n"
    finally:
        silent.stop()


def test_what_it_writes(tinyhil: Cli, board: Board, tmp_path: Path) -> None:
    done = tinyhil(
        *("monitor", "--port", board.path, "--timeout", "1s", "--frames", "--time", "relative"),
        *("--log", "log.txt", "--csv", "numbers.npz", "--json", "result.json"),
    )
    assert done.code == 0, done.err
    assert not set(done.out) & set("\x1b\x07\r")
    times = [float(line.split()[0]) for line in done.out.splitlines()]
    assert times == sorted(times)
    said = {re.sub(r"\d+ y", "# y", line.split("  ", 1)[1]) for line in map(str.strip, done.out.splitlines()[2:])}
    expected = {"x:# y:2", r"green \x1b[2Jbell\x07", r"\x3a:error::no", "[frame] CLEARED #00000005"}
    assert said == expected
    assert (tmp_path / "log.txt").read_text() == done.out
    with np.load(tmp_path / "numbers.npz") as numbers:
        assert (np.diff(numbers["x"]) == 1).all()
        assert set(numbers["y"].tolist()) == {2.0}
        count = len(numbers["x"])
    (result,) = json.loads((tmp_path / "result.json").read_text())
    assert result["dropped"] == 0
    assert result["frames"] > 10
    assert [each["name"] for each in result["series"]] == ["x", "y"]
    assert {each["samples"] for each in result["series"]} == {count}


def test_two_boards_a_filter_and_control_c(tinyhil: Cli, board: Board) -> None:
    other = Board(b"other #\n")
    try:
        child = tinyhil.start("monitor", "-p", board.path, "-p", other.path, "--filter", "^(x:|other)")
        assert child.stdout is not None
        seen: set[str] = set()
        while len(seen) < 2:
            line = child.stdout.readline()
            assert line
            seen.add(re.sub(r"\d+", "#", line))
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=PATIENCE_S)
        assert child.returncode == 0
    finally:
        other.stop()
    assert seen == {"[#] x:# y:#\n", "[#] other #\n"}


def test_bytes_as_they_are(tinyhil: Cli, board: Board) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "tinyhil", "monitor", "--port", board.path, "--raw", "--timeout", "1s"],
        cwd=tinyhil.cwd,
        env=tinyhil.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = child.communicate(b"typed\n", timeout=PATIENCE_S)
    assert child.returncode == 0, err
    assert b"\x1b[2Jbell\x07\n::error::no\n" + encode_frame(Frame(0x84, 5, b"")) in out
    assert board.heard == b"typed\n"


def takes_terminal() -> None:
    """The terminal at standard input is that of this process, as of a shell's."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_keys_and_bytes_as_they_are_typed(tinyhil: Cli) -> None:
    """A key at a terminal, which is as it was afterwards; bytes through a pipe, where a wrong line is told of."""
    board = Board(b"# here\n")
    terminal, end = os.openpty()
    before = termios.tcgetattr(end)
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "tinyhil", "monitor", "--port", board.path, "--by-key"],
            cwd=tinyhil.cwd,
            env=tinyhil.environment(),
            stdin=end,
            stdout=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=takes_terminal,
        )
        assert child.stdout is not None
        assert child.stdout.readline()
        os.write(terminal, b"k")
        while board.heard != b"k":
            assert child.stdout.readline()
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=PATIENCE_S)
        assert child.returncode == 0
        assert termios.tcgetattr(end) == before
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tinyhil", "monitor", "--port", board.path),
                *("--hex-input", "--send", "0x01,02", "--timeout", "1s"),
            ],
            cwd=tinyhil.cwd,
            env=tinyhil.environment(),
            input="zz\nFF 0",
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        assert "'zz' is no row of bytes" in done.stderr
        assert board.heard == b"k\x01\x02\xff\x00"
    finally:
        board.stop()
        os.close(terminal)
        os.close(end)


def test_a_port_that_ends(tinyhil: Cli, board: Board) -> None:
    child = tinyhil.start("monitor", "--port", board.path, "--hex")
    assert child.stdout is not None
    assert re.match(r"00000000  [0-9a-f ]{48}  .{16}$", child.stdout.readline().rstrip("\n"))
    board.stop()
    _, err = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 3
    assert "is gone" in err


def test_who_wants_the_port_gets_it_and_the_monitor_comes_back(tinyhil: Cli, board: Board) -> None:
    """``proxy`` stands for everything that opens a port and keeps it for a while."""
    child = tinyhil.start("monitor", "--port", board.path)
    assert child.stdout is not None
    assert child.stderr is not None
    assert child.stdout.readline()
    asked = tinyhil("ports", board.path)
    assert "a monitor" in asked.out  # who only lists ports does not disturb it
    borrower = tinyhil.start("proxy", "--port", board.path)
    assert borrower.stdout is not None
    assert "redirected" in borrower.stdout.readline()
    borrower.send_signal(signal.SIGINT)
    borrower.communicate(timeout=PATIENCE_S)
    told = "".join(child.stderr.readline() for _ in range(3))
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=PATIENCE_S)
    assert re.fullmatch(".*is open\n.*is lent to another tinyhil process\n.*is open again\n", told, re.DOTALL), told


def test_a_second_monitor_is_told_how_to_look_on_and_does(tinyhil: Cli, board: Board) -> None:
    child = tinyhil.start("monitor", "--port", board.path)
    assert child.stdout is not None
    assert child.stdout.readline()
    second = tinyhil("monitor", "--port", board.path, "--timeout", "5s")
    assert second.code == 3
    assert f"held by PID {child.pid}, a monitor" in second.err
    assert f"look on with tinyhil monitor --port {board.path} --follow" in second.err
    viewer = tinyhil("monitor", "--port", board.path, "--follow", "--until", r"^x:\d+ y:2", "--timeout", "60s")
    assert (viewer.code, viewer.out.splitlines()[-1][:2]) == (0, "x:"), viewer.err
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 0


def test_what_was_recorded_is_played(tinyhil: Cli, board: Board, tmp_path: Path) -> None:
    """The lines, the numbers and the result are those that were seen live."""
    frames = ("--frames", "--time", "relative")
    live = tinyhil(
        *("monitor", "--port", board.path, "--timeout", "0.5s", "--record", "a.rec", "--send", "hi", *frames),
        *("--csv", "live.csv", "--json", "live.json", "--log", "live.txt"),
    )
    assert live.code == 0, live.err
    board.stop()
    again = tinyhil("monitor", "a.rec", *frames, "--csv", "again.csv", "--json", "again.json", "--log", "again.txt")
    assert again.code == 0, again.err
    assert again.out == live.out
    for name in ("csv", "json", "txt"):
        assert (tmp_path / f"again.{name}").read_text() == (tmp_path / f"live.{name}").read_text()
    assert len((tmp_path / "live.csv").read_text().splitlines()) > 10


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--follow",),
        ("none.rec",),
        ("--port", "/dev/none", "--speed", "2"),
        ("--port", "/dev/none", "--parity", "strange"),
        ("--port", "/dev/none", "--hex-input", "--send", "xyz"),
        ("--port", "/dev/none", "--hex-input", "--by-key"),
        ("--port", "/dev/none", "--csv", "a.csv", "--record", "a.csv"),
        ("--port", "/dev/none", "--time", "noon"),
        ("--port", "/dev/none", "--until", "("),
        ("--port", "/dev/none", "--timeout", "soon"),
        ("--port", "/dev/none", "--raw", "--until", "a"),
    ],
)
@pytest.mark.long
def test_wrong_usage(tinyhil: Cli, arguments: tuple[str, ...]) -> None:
    done = tinyhil("monitor", *arguments)
    assert done.code == 2
    assert "next:" in done.err


def test_the_full_screen_of_a_real_terminal(tinyhil: Cli, board: Board) -> None:
    terminal, end = os.openpty()
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    child = subprocess.Popen(
        [sys.executable, "-m", "tinyhil", "monitor", "--port", board.path],
        cwd=tinyhil.cwd,
        env={**tinyhil.environment(), "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},
        stdin=end,
        stdout=end,
        stderr=end,
        start_new_session=True,
    )
    os.close(end)
    shown = b""
    with contextlib.suppress(OSError):  # its end
        while chunk := os.read(terminal, 65536):
            before, shown = shown, shown + chunk
            if b"green" in shown and b"y:2" in shown and not (b"green" in before and b"y:2" in before):
                os.write(terminal, b"q")
    assert child.wait(PATIENCE_S) == 0
    os.close(terminal)
    assert b"\x1b[2Jbell" not in shown
    assert b"bell\x07" not in shown
    assert rb"\x1b[2Jbell\x07" in shown


@pytest.fixture
def model(tinyhil: Cli, tiny_model: bytes) -> tuple[str, ...]:
    """A model file and its samples, for the target ``sim``."""
    (tinyhil.cwd / "tiny.tflite").write_bytes(tiny_model)
    np.savez(tinyhil.cwd / "samples.npz", x=np.zeros((4, 3)))
    return ("--samples", "samples.npz", "--target", "sim")


def test_questions_through_a_pipe(tinyhil: Cli, model: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tinyhil", "ask", "tiny.tflite", "-", "--json-lines", *model],
        cwd=tinyhil.cwd,
        env=tinyhil.environment(),
        input="".join(f"{value} 0 1\n" for value in range(63)),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["input"] for row in rows] == [[value, 0, 1] for value in range(63)]
    assert {row["distance"] for row in rows} == {0}


def test_a_device_that_is_started_for_it(tinyhil: Cli, model: tuple[str, ...]) -> None:
    done = tinyhil("monitor", "tiny.tflite", *model, "--timeout", "0.3s")
    assert (done.code, done.out) == (0, "")
    assert "is open" in done.err
