"""A bad line costs time, and nothing else: through tinyhil's own fault proxy, every output stays exact."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

import pytest

from tinyhil.artifacts.types import Array
from tinyhil.pipeline.answers import RunningDevice
from tinyhil.proxy import FaultProxy
from tinyhil.pytest_plugin import Dut, Soft

ROWS = 12
"""Requests of one session: enough of them for each kind of fault to come up."""
FLIPS = 0.4
"""Bits that are inverted, on average, in a request and a greeting together."""
GREETING_BYTES = 100


@pytest.mark.parametrize(
    ("faults", "counters"),
    [
        ({"bit_flip": FLIPS, "insert_garbage": 0.5}, ("bit_flips", "garbage_bytes")),
        ({"drop_frame": 0.1, "truncate_frame": 0.1}, ("dropped_frames", "truncated_frames")),
        ({"duplicate_frame": 0.5}, ("duplicated_frames",)),
        ({"disconnect_every": 8, "disconnect_seconds": 0.05}, ("disconnects",)),
    ],
    ids=["noise", "loss", "doubles", "disconnects"],
)
def test_outputs_stay_exact(
    faults: dict[str, float],
    counters: tuple[str, ...],
    dut: Dut,
    device: RunningDevice,
    soft: Soft,
    few: tuple[Array, ...],
    fault_proxy: Callable[..., FaultProxy],
) -> None:
    size = sum(spec.nbytes for spec in dut.model.inputs)
    count = max(1, min(len(few[0]), 100 // size))
    if "bit_flip" in faults:
        faults = {**faults, "bit_flip": faults["bit_flip"] / (8 * (size * count + GREETING_BYTES))}
    proxy = fault_proxy(device.port, seed=7, **faults)
    with device.session(proxy.port) as session:
        for row in range(ROWS):
            soft.exact(session.infer(*(part[:count] for part in few)), f"row {row}")
    done = [asdict(direction) for direction in proxy.counters.values()]
    for counter in counters:
        soft.that(sum(each[counter] for each in done), f"no {counter}: the line was too good")
