"""Measures what a faster line is worth: ``digits`` on ``native``, at 115,200 and at 921,600 bit/s, in one run.

The firmware is built as for a board with a UART: with requests of at most 1,024 bytes, and a rate that it may go over
to. Both times a session begins at 115,200 bit/s and asks all vectors; the second time it may take the line to 921,600.
Between host and device is the wire of the fault proxy: it carries 8N1 at the rate that both its ends are set to, and
noise where they differ, so what is fast went over on both sides. The time is the whole session's, with the handshake
and the change of rate. The faster line is asked several times and its best time counts: a busy computer keeps up with
115,200 bit/s, but not always with 921,600.

It prints a table and a summary line, and ends with 1 if the faster line is less than seven times as fast. Run it with
``--help`` for its options.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import msgspec
from rich.console import Console

import support
from goodput import Promise
from support import PATIENCE, Goodput
from tinyhil.artifacts.types import Vectors
from tinyhil.build import build
from tinyhil.cli.console import ConsoleObserver, show_error
from tinyhil.deadline import Deadline
from tinyhil.device.emulator import EmulatorDevice
from tinyhil.errors import TinyhilError
from tinyhil.options import Options
from tinyhil.pipeline.opening import open_run
from tinyhil.proxy import FaultProxy
from tinyhil.render import render
from tinyhil.session import Identity
from tinyhil.targets import registry
from tinyhil.targets.model import Target

SLOW, FAST = 115_200, 921_600
LEAST = 7.0


def board() -> Target:
    """The target ``native`` with the line of a board."""
    native = registry.get("native")
    line = msgspec.structs.replace(native.link, baud=SLOW, max_baud=FAST, max_payload=1024)
    return msgspec.structs.replace(native, link=line)


def at(rate: int, firmware: Path, target: Target, identity: Identity, vectors: Vectors) -> Goodput:
    """Asks a device that is started for it, over a line that a session may take from 115,200 bit/s to ``rate``.

    Raises:
        SystemExit: it answered wrong, or the wire carried more than it can.
    """
    line = msgspec.structs.replace(target.link, max_baud=rate if rate > target.link.baud else 0)
    told = msgspec.structs.replace(target, link=line)
    assert target.emulator is not None
    with EmulatorDevice(target.emulator) as device:
        port = device.start(firmware, Deadline.after(PATIENCE))
        with FaultProxy(port, rated=FAST) as proxy:
            got = support.ask(proxy.port, told, identity, vectors, device.check)
    if got.rate > rate / 10:
        raise SystemExit(f"the wire carried more than {rate:,} bit/s can: the figures would mean nothing")
    return got


def main() -> None:
    """Measures, prints, judges."""
    options = argparse.ArgumentParser(description="digits on native over a modelled wire, at 115,200 and 921,600 bit/s")
    options.add_argument("--build-dir", type=Path, default=Path("build"), help="(default: %(default)s)")
    options.add_argument("--rounds", type=int, default=3, help="at the faster rate (default: %(default)s)")
    given = options.parse_args()
    console = Console(stderr=True)
    observer = ConsoleObserver(console, verbose=False)
    target, folder = board(), given.build_dir / "digits" / "line-rate"
    found = []
    try:
        model = open_run("digits", Options(target=target.name, build_dir=given.build_dir), observer).quantize()
        with observer.stage("build") as reporter:
            project, _ = render(model, target, target.default_engine, folder / "project")
            image, _ = build(project, target, folder / "firmware", reporter)
        identity = Identity(model.sha256, image.project_sha256, model.inputs, model.outputs)
        print(f"{'bit/s':>8} {'vectors':>8} {'seconds':>8} {'payload B/s':>12} {'of line':>8} {'resent':>7}")
        for rate in (SLOW, *[FAST] * given.rounds):
            got = at(rate, image.elf, target, identity, model.vectors)
            print(
                f"{rate:>8,} {got.vectors:>8,} {got.seconds:>8.1f} {got.rate:>12,.0f} {got.rate / (rate / 10):>8.1%} "
                f"{got.resends:>7,}",
                flush=True,
            )
            found.append(got.seconds)
    except TinyhilError as error:
        show_error(console, error, verbose=False)
        sys.exit(error.exit_code)
    slow, *fast = found
    promise = Promise(f"at {FAST:,} bit/s times as fast as at {SLOW:,}", LEAST, slow / min(fast), ".2f")
    print(f"\nline rate: {promise}: {'as promised' if promise.kept else 'below what is promised'}")
    sys.exit(not promise.kept)


if __name__ == "__main__":
    main()
