"""What the answer to a request tells the caller, where one request is all that it takes (table.py, ``handler``)."""

from __future__ import annotations

from tinyhil.errors import RemoteLinkError
from tinyhil.link.events import Answered, DeviceDescription, Inferred
from tinyhil.link.fields import Message
from tinyhil.link.inference import Infer, Result


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


def answered(ticket: int, request: Message, answer: Message, device: DeviceDescription) -> Answered:
    """The answer as it is."""
    return Answered(ticket, answer)
