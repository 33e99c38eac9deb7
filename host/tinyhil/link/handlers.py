"""What the answer to a request tells the caller, where one request is all that it takes (table.py, ``handler``)."""

from __future__ import annotations

from tinyhil.errors import RemoteLinkError
from tinyhil.link.events import ArenaPrepared, DeviceDescription, Inferred, StateCleared, UsageTold
from tinyhil.link.inference import Cleared, Infer, Reset, Result
from tinyhil.link.resources import Arena, Prepared, Usage, Used


def inferred(ticket: int, infer: Infer, result: Result, device: DeviceDescription) -> Inferred:
    """Holds a RESULT against its INFER.

    Raises:
        RemoteLinkError: it has another count, or outputs of another size.
    """
    output_bytes = infer.count * device.output_bytes
    if result.count != infer.count or len(result.outputs) != output_bytes:
        raise RemoteLinkError(
            f"asked for {infer.count} vectors, which are {output_bytes} bytes of output, "
            f"the device answered {result.count} in {len(result.outputs)} bytes"
        )
    return Inferred(ticket, result.count, result.ticks, result.outputs)


def state_cleared(ticket: int, reset: Reset, cleared: Cleared, device: DeviceDescription) -> StateCleared:
    """A RESET was carried out."""
    return StateCleared(ticket)


def usage_told(ticket: int, usage: Usage, used: Used, device: DeviceDescription) -> UsageTold:
    """The figures of a USAGE."""
    return UsageTold(ticket, used)


def arena_prepared(ticket: int, arena: Arena, prepared: Prepared, device: DeviceDescription) -> ArenaPrepared:
    """The engine's answer to an ARENA."""
    return ArenaPrepared(ticket, prepared.status, prepared.arena_used)
