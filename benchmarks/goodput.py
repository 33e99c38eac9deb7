"""Measures how much of a wire the link turns into payload, beside a text protocol, the wire's limit and a bare echo.

Two parts, all in one run:

- *A wire*, modelled by the fault proxy (8N1 at a baud rate): the firmware with an engine that only copies, asked by
  the product's own session, and a device that is asked in text, one command at a time (text_host.py). Payload is the
  inputs' bytes, handshake included in the time; the line's limit is a byte per ten bits. A busy computer adds a delay
  to each command of the text, which says nothing about the protocol, so the link is held against what the wire alone
  would let the text do (the rows *limit*) and not against what the text did.
- *Bytes as fast as they go*: on an emulated chip the link against an echo of the same bytes, by turns, because other
  work on this computer disturbs both, and beside the same echo by semihosting; and on this computer itself.

It prints tables and a summary line, and ends with 1 if the link stays below what is promised, else with 3 if something
could not be measured. Run it with ``--help`` for its options.
"""

from __future__ import annotations

import argparse
import math
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

import support
import text_host
from support import BLOCK, PATIENCE, Goodput, Shape
from tinyhil import process
from tinyhil.artifacts.types import Vectors
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import MissingToolError
from tinyhil.proxy import FaultProxy
from tinyhil.targets import registry
from tinyhil.targets.model import FIRMWARE, SEMIHOSTING, UART, Emulator, LineName, Target
from tinyhil.transport import Pollable, Transport, open_transport

BAUDS = (115200, 921600)
IMAGE, SINE = Shape(784, 10), Shape(1, 1)

LOOK_SECONDS = 0.002
"""How often the echo is looked at: far less than what a pseudo-terminal buffers passes in it."""

LEAST_OF_LINE = 0.95
LEAST_OF_TEXT = 15.0
LEAST_OF_ECHO = 0.90
LEAST_OF_UART = 20.0
LEAST_NATIVE = 1e6


@dataclass(frozen=True)
class Promise:
    """A figure that the link has to reach."""

    what: str
    least: float
    found: float
    form: str

    @property
    def kept(self) -> bool:
        """Whether it is reached."""
        return self.found >= self.least

    def __str__(self) -> str:
        sign = ">=" if self.kept else "BELOW"
        return f"{self.what} {self.found:{self.form}} ({sign} {self.least:{self.form}})"


@contextmanager
def running(target: Target, firmware: Path, line: LineName = UART) -> Iterator[tuple[str, EmulatorDevice]]:
    """A device that runs, and its port."""
    assert target.emulator is not None
    with EmulatorDevice(target.emulator, line=line) as device:
        yield device.start(firmware, Deadline.after(PATIENCE)), device


@contextmanager
def running_text(program: Path, shape: Shape) -> Iterator[str]:
    """The port of the baseline's device."""
    emulator = Emulator(
        program=FIRMWARE, arguments=(str(shape.inputs), str(shape.outputs)), serial_port=r"redirected to (\S+)"
    )
    with EmulatorDevice(emulator) as device:
        yield device.start(program, Deadline.after(PATIENCE))


def link(target: Target, firmware: Path, shape: Shape, vectors: Vectors, baud: int | None = None) -> Goodput:
    """Asks a device through the product; behind a modelled wire if there is a baud rate."""
    with running(target, firmware) as (port, device):
        if baud is None:
            return support.ask(port, target, support.copying(shape), vectors, device.check)
        told = msgspec.structs.replace(target, link=msgspec.structs.replace(target.link, baud=baud))
        with FaultProxy(port, baud=baud) as proxy:
            return support.ask(proxy.port, told, support.copying(shape), vectors, device.check)


def text(program: Path, shape: Shape, vectors: Vectors, baud: int | None = None) -> Goodput:
    """Asks the baseline's device for the same in text; behind a modelled wire if there is a baud rate."""
    with running_text(program, shape) as port:
        if baud is None:
            return _text(port, shape, vectors)
        with FaultProxy(port, baud=baud) as proxy:
            return _text(proxy.port, shape, vectors)


def _text(port: str, shape: Shape, vectors: Vectors) -> Goodput:
    with _opened(port) as transport:
        host = text_host.TextHost(transport, PATIENCE)
        started = time.perf_counter()
        for vector in vectors.inputs[0]:
            if host.infer(vector.tobytes()) != [0.0] * shape.outputs:
                raise SystemExit("the text device answered wrong: the figures would mean nothing")
        return Goodput(vectors.count, shape.inputs, time.perf_counter() - started)


def echo(target: Target, firmware: Path, size: int, line: LineName = UART) -> float:
    """Bytes per second that come back from a device that echoes them: ``size`` of them, or a few more for a block."""
    with running(target, firmware, line) as (port, _), _opened(port) as transport:
        _exchange(transport, bytes(BLOCK))  # the emulator has noticed us when this returns
        data = secrets.token_bytes(-(-size // BLOCK) * BLOCK)
        started = time.perf_counter()
        if _exchange(transport, data) != data:
            raise SystemExit("the echo differs: the figures would mean nothing")
        return len(data) / (time.perf_counter() - started)


def _exchange(transport: Transport, data: bytes) -> bytes:
    """Sends and receives at once. It looks at the line only now and then: waking up for each byte slows the echo."""
    assert isinstance(transport, Pollable)
    deadline = Deadline.after(10 * PATIENCE)
    left = memoryview(data)
    back = bytearray()
    while len(back) < len(data) and not deadline.expired:
        left = left[transport.write_some(left) :] if left else left
        back += transport.read(65536, 0.0)
        time.sleep(LOOK_SECONDS)
    return bytes(back)


@contextmanager
def _opened(port: str) -> Iterator[Transport]:
    transport = open_transport(port, baud=max(BAUDS), deadline=Deadline.after(PATIENCE))
    try:
        yield transport
    finally:
        transport.close()


def on_a_wire(folder: Path, seconds: float) -> list[Promise]:
    """The first part: each baud rate and each shape with both protocols, every one for about so many seconds."""
    target = registry.get("native")
    program = support.text_device(folder)
    firmwares = {shape: support.firmware(folder, target, shape) for shape in (IMAGE, SINE)}
    least_of_line = least_of_text = math.inf
    heads = f"{'payload B/s':>12} {'of line':>8} {'inferences/s':>13} {'tinyhil is':>11}"
    print(f"{'baud':>7} {'input':>6}  {'protocol':<8} {heads}")
    for baud in BAUDS:
        for shape in (IMAGE, SINE):
            alone = text_host.wire_seconds(shape.inputs, shape.outputs, baud)
            limit = Goodput(1, shape.inputs, alone)
            by_text = text(program, shape, support.some_vectors(math.ceil(seconds / alone), shape), baud)
            asked = math.ceil(seconds * baud / 10 / shape.inputs)
            by_link = link(target, firmwares[shape], shape, support.some_vectors(asked, shape), baud)
            _row(baud, "text", by_text, by_link)
            _row(baud, "limit", limit, by_link)
            _row(baud, "tinyhil", by_link, None)
            if shape is IMAGE:
                least_of_line = min(least_of_line, by_link.rate / (baud / 10))
            else:
                least_of_text = min(least_of_text, by_link.rate / max(by_text.rate, limit.rate))
    return [
        Promise("of the line", LEAST_OF_LINE, least_of_line, ".1%"),
        Promise("times text", LEAST_OF_TEXT, least_of_text, ".1f"),
    ]


def _row(baud: int, name: str, got: Goodput, link: Goodput | None) -> None:
    if got.rate > baud / 10:
        raise SystemExit("the modelled wire carried more than a wire can: the figures would mean nothing")
    ratio = f"{link.rate / got.rate:.1f}x" if link else f"{got.resends} resent" if got.resends else ""
    print(
        f"{baud:>7} {got.inputs:>4} B  {name:<8} {got.rate:>12,.0f} {got.rate / (baud / 10):>8.1%} "
        f"{got.rate / got.inputs:>13,.1f} {ratio:>11}",
        flush=True,
    )


def beside_an_echo(folder: Path, seconds: float, rounds: int) -> list[Promise]:
    """The second part on the emulated chip; the first exchanges only find out how much fits into the time."""
    target = registry.get("qemu-m4")
    assert target.emulator is not None
    assert target.emulator.on_path is not None
    process.require(target.emulator.program, debian=target.emulator.on_path.debian, purpose="run the firmware")
    echoing, linked = support.echo(folder, target), support.firmware(folder, target, IMAGE)
    vectors = support.some_vectors(math.ceil(seconds * echo(target, echoing, 1 << 14) / IMAGE.inputs), IMAGE)
    size = vectors.inputs[0].nbytes
    echoes, links, fast = [], [], []
    most = int(LEAST_OF_UART) * size  # for about as long as by the UART
    print(f"\n{target.name}, {size:,} bytes of 784-byte inputs by the UART; an echo of {most:,} by semihosting")
    print(f"{'round':>7} {'echo B/s':>12} {'link B/s':>12} {'share':>7} {SEMIHOSTING:>14} {'of the UART':>12}")

    def row(name: str, one: float, other: float, third: float) -> None:
        print(
            f"{name:>7} {one:>12,.0f} {other:>12,.0f} {other / one:>7.1%} {third:>14,.0f} {third / one:>11.1f}x",
            flush=True,
        )

    for index in range(rounds):
        echoes.append(echo(target, echoing, size))
        links.append(link(target, linked, IMAGE, vectors).steady)
        fast.append(echo(target, echoing, most, SEMIHOSTING))
        row(str(index + 1), echoes[-1], links[-1], fast[-1])
    one, other, third = statistics.median(echoes), statistics.median(links), statistics.median(fast)
    row("median", one, other, third)
    return [
        Promise(f"of an echo on {target.name}", LEAST_OF_ECHO, other / one, ".1%"),
        Promise("times the UART by semihosting", LEAST_OF_UART, third / one, ".1f"),
    ]


def on_this_computer(folder: Path, seconds: float, rounds: int) -> list[Promise]:
    """The second part on the target ``native``."""
    target = registry.get("native")
    linked = support.firmware(folder, target, IMAGE)
    vectors = support.some_vectors(math.ceil(seconds * LEAST_NATIVE / IMAGE.inputs), IMAGE)
    rate = statistics.median(link(target, linked, IMAGE, vectors).steady for _ in range(rounds))
    print(f"\nnative, {vectors.inputs[0].nbytes:,} bytes of 784-byte inputs: {rate:,.0f} B/s, median of {rounds}")
    return [Promise("MB/s on native", LEAST_NATIVE / 1e6, rate / 1e6, ".1f")]


def main() -> None:
    """Measures, prints, judges."""
    options = argparse.ArgumentParser(description="payload over the link beside text, the line's limit and an echo")
    options.add_argument("--seconds", type=float, default=5.0, help="length of each measurement (default: %(default)s)")
    options.add_argument(
        "--rounds",
        type=int,
        default=11,
        help="without a wire, of half that length (default: %(default)s)",
    )
    given = options.parse_args()
    promises: list[Promise] = []
    skipped: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts: list[Callable[[], list[Promise]]] = [
            lambda: on_a_wire(folder, given.seconds),
            lambda: beside_an_echo(folder, given.seconds / 2, given.rounds),
            lambda: on_this_computer(folder, given.seconds / 2, given.rounds),
        ]
        for part in parts:
            try:
                promises += part()
            except MissingToolError as error:
                skipped.append(error.message)
                print(f"\nskipped: {error.message}: {error.hint}")
    broken = not all(promise.kept for promise in promises)
    verdict = "below what is promised" if broken else "incomplete" if skipped else "as promised"
    print(f"\ngoodput: {', '.join([*map(str, promises), *skipped])}: {verdict}")
    sys.exit(1 if broken else 3 if skipped else 0)


if __name__ == "__main__":
    main()
