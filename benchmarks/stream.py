"""How many lines a second the monitor's model takes, in each format, and what they take of memory.

    python benchmarks/stream.py                     the model alone, in each format
    python benchmarks/stream.py 600 50000           10 minutes at 50,000 lines/s through a pseudo-terminal
    python benchmarks/stream.py 30 50000 others     what whole programs take of CPU there: ours, miniterm, PlatformIO's

Everything that happens to a line is in it but drawing: taking the bytes apart, keeping the line, finding its numbers,
adding them to their series. Nothing is asserted: machines differ. A port at 115,200 baud carries 576 lines of 20 bytes
a second, USB a few ten thousand.
"""

from __future__ import annotations

import math
import os
import pty
import select
import signal
import subprocess
import sys
import time
import tty
from collections.abc import Callable, Iterator
from pathlib import Path

from tinyhil.link.frames import Frame, encode_frame
from tinyhil.stream.line_store import LineStore
from tinyhil.stream.model import Stream
from tinyhil.stream.query import Query, search
from tinyhil.stream.source import PortSource, pass_on

LINES = 100_000
CHUNK = 4096
"""Bytes that come at a time."""

FORMATS: dict[str, Callable[[int, float], bytes]] = {
    "name:value (the demo)": lambda index, y: b"x:%.4f y:%.4f\n" % (index / 100, y),
    "columns": lambda index, y: b"%d,%.4f,%.3f\n" % (index, y, y / 2),
    "one number": lambda index, y: b"%.4f\n" % y,
    "Teleplot": lambda index, y: b">y:%d:%.4f\n" % (index, y),
    "JSON": lambda index, y: b'{"x":%d,"y":%.4f}\n' % (index, y),
    "words": lambda index, y: b"[%d] nothing to be drawn is in here\n" % index,
    "frames": lambda index, y: encode_frame(Frame(0x83, index, b"\x01\0\0\0\0\0" + b"%.4f" % y)),
}


def chunks(line: Callable[[int, float], bytes], count: int) -> Iterator[bytes]:
    """So many lines, in pieces as they come."""
    data = b"".join(line(index, math.sin(index / 100)) for index in range(count))
    for at in range(0, len(data), CHUNK):
        yield data[at : at + CHUNK]


def seconds(line: Callable[[int, float], bytes]) -> tuple[float, Stream]:
    """Seconds of the processor that ``LINES`` lines take, and what became of them."""
    pieces = list(chunks(line, LINES))
    stream = Stream(joined=False)
    began = time.process_time()
    for piece in pieces:
        stream.feed(piece, time.monotonic())
    return time.process_time() - began, stream


GENERATOR = """
import os, sys, time
fd, rate = int(sys.argv[1]), int(sys.argv[2])
began, count = time.monotonic(), 0
while True:
    due = int((time.monotonic() - began) * rate)
    if due > count:
        os.write(fd, b"".join(b"x:%d y:%.4f\\n" % (n, n % 1000 / 1000) for n in range(count, min(due, count + 500))))
        count = min(due, count + 500)
    else:
        time.sleep(0.002)
"""
"""Writes numbered lines at a pace; a terminal that is full holds it up."""


def through_port(duration: float, rate: int) -> None:
    """Prints what becomes of lines that come through a pseudo-terminal, every tenth of the time."""
    master, slave = os.openpty()
    tty.setraw(slave)
    command = [sys.executable, "-c", GENERATOR, str(master), str(rate)]
    stream = Stream()
    with PortSource(os.ttyname(slave)) as source, subprocess.Popen(command, pass_fds=[master]) as generator:
        began, first = time.monotonic(), -1
        print(f"{'seconds':>8} {'lines':>12} {'lines/s':>10} {'left out':>9} {'dropped':>8} {'MB':>7} {'CPU':>6}")
        for step in range(1, 11):
            while time.monotonic() - began < step * duration / 10:
                source.wait(0.05)
                pass_on(source.take(), stream)
                if first < 0 and "x" in stream.table.series:
                    first = int(stream.table.series["x"].values[0])
            took, x = time.monotonic() - began, stream.table.series["x"]
            # Every line has the next number: what is missing of them did not come.
            missing = int(x.last) - first + 1 - x.count
            print(
                f"{took:>8.0f} {stream.counts.lines:>12,} {stream.counts.lines / took:>10,.0f} {missing:>9,} "
                f"{stream.counts.dropped:>8,} {_resident_mb():>7.1f} {time.process_time() / took:>6.0%}"
            )
        generator.kill()
    os.close(master)
    os.close(slave)


OTHERS = {
    "tinyhil monitor --plain": ["-m", "tinyhil", "monitor", "--plain", "--port"],
    "tinyhil monitor": ["-m", "tinyhil", "monitor", "--port"],
    "pyserial-miniterm": ["-m", "serial.tools.miniterm", "--raw"],
    "pio device monitor": ["-m", "platformio", "device", "monitor", "--raw", "--quiet", "--port"],
}
"""Programs of this Python, each on a terminal of its own whose output is read and thrown away."""


def of_programs(duration: float, rate: int) -> None:
    """Prints what each program takes, one after the other at the same pseudo-terminal."""
    master, slave = os.openpty()
    tty.setraw(slave)
    print(f"{'program':<26} {'CPU':>6} {'MB':>7} {'port read':>10} {'shown':>9}")
    for name, words in OTHERS.items():
        pid, screen = pty.fork()
        if pid == 0:
            os.chdir("/")  # no project: PlatformIO would prepare its platform
            os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40")
            os.execv(sys.executable, [sys.executable, *words, os.ttyname(slave)])
        shown = _drained(screen, 5.0)  # it starts
        began, took = time.monotonic(), _cpu_seconds(pid)
        command = [sys.executable, "-c", GENERATOR, str(master), str(rate)]
        with subprocess.Popen(command, pass_fds=[master], stderr=subprocess.DEVNULL) as generator:
            shown = _drained(screen, duration)
            seconds = time.monotonic() - began
            written = int(Path(f"/proc/{generator.pid}/io").read_text().split("wchar: ")[1].split()[0])
            used, memory = _cpu_seconds(pid) - took, _resident_mb(pid)
            generator.kill()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(screen)
        print(
            f"{name:<26} {used / seconds:>6.0%} {memory:>7.1f} {written / seconds / 1e3:>5.0f} kB/s "
            f"{shown / seconds / 1e3:>4.0f} kB/s"
        )
    os.close(master)
    os.close(slave)


def _drained(screen: int, duration: float) -> int:
    """Reads what a program shows for a while; how many bytes that were."""
    last, count, until = b"", 0, time.monotonic() + duration
    while (left := until - time.monotonic()) > 0:
        if select.select([screen], [], [], left)[0]:
            try:
                count += len(last := os.read(screen, 1 << 16))
            except OSError:
                sys.exit(f"the program has ended: {last.decode(errors='replace')}")
    return count


def _cpu_seconds(pid: int) -> float:
    """Processor time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_mb(process: int | str = "self") -> float:
    """Memory of a process, in MB."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Prints the table."""
    if len(sys.argv) == 4:
        of_programs(float(sys.argv[1]), int(sys.argv[2]))
        return
    if len(sys.argv) == 3:
        through_port(float(sys.argv[1]), int(sys.argv[2]))
        return
    print(f"{'format':<24} {'lines/s':>10} {'us/line':>8} {'bytes/line':>11}")
    for name, line in FORMATS.items():
        took, stream = seconds(line)
        held = stream.lines.held_bytes / len(stream.lines)
        print(f"{name:<24} {LINES / took:>10,.0f} {took / LINES * 1e6:>8.2f} {held:>11.1f}")
    store = LineStore()
    for index in range(1_000_000):
        store.append(b"x:1.2345 y:-0.%04d" % (index % 10_000), 0.0)
    print(f"a million lines of 18 bytes: {store.held_bytes / 1e6:.1f} MB")
    for query in (Query("Error"), Query("error"), Query(r"y:-0\.1234$", regex=True)):
        began = time.process_time()
        found = sum(1 for _ in search(store, query, 0))
        print(f"search for {query.text!r}: {found} found in {time.process_time() - began:.2f} s")


if __name__ == "__main__":
    main()
