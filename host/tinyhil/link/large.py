"""One inference with tensors that are larger than the largest payload (docs/protocol.md, "WRITE and WRITTEN" and on).

Theory of operation. All inputs are written in parts, several at a time. When every part is answered, RUN carries the
CRC of all inputs, so that nothing is computed on inputs of which a part is missing or old; and when that is answered,
all outputs are read in parts. The three never overlap, because an inference may destroy the inputs and a WRITE the
outputs. Where the device finds another CRC, the vector is written again.

Parts are made when the window has space for them, so a device that claims huge tensors costs no memory that it does
not fill.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from tinyhil.affine import TensorSpec
from tinyhil.errors import RemoteLinkError
from tinyhil.link.events import DeviceDescription, DeviceReportedError, Inferred
from tinyhil.link.fields import Message
from tinyhil.link.inference import Data, Ran, Read, Run, Write
from tinyhil.link.messages import Error
from tinyhil.link.work import Work


class LargeInference(Work):
    """One vector on its way.

    Args:
        ticket: of the event.
        vector: all input tensors, one after the other.
        device: whose tensors and largest payload decide over the parts.
        max_tries: how often the vector is written before `inputs differ` counts as the device's fault.
    """

    def __init__(self, ticket: int, vector: bytes, device: DeviceDescription, max_tries: int) -> None:
        self._ticket = ticket
        self._vector = vector
        self._device = device
        self._max_tries = max_tries
        self._crc = zlib.crc32(vector)
        self._unsent: Iterator[Message]
        self._tries = 0
        self._start()

    def begin(self) -> None:
        """See ``Work.begin``."""
        self._tries = 0
        self._start()

    def next_request(self) -> Message | None:
        """See ``Work.next_request``."""
        return next(self._unsent, None)

    def take(self, request: Message, answer: Message) -> Inferred | None:
        """See ``Work.take``. An ERROR is `inputs differ`."""
        match request, answer:
            case Write(), _:
                self._bytes_written += len(request.data)
                if self._bytes_written == len(self._vector):
                    self._unsent = iter([Run(self._crc)])
            case Run(), Error():
                if self._tries >= self._max_tries:
                    raise DeviceReportedError(Run.TYPE, answer)
                self._start()
            case Run(), Ran(ticks):
                self._ticks = ticks
                self._unsent = self._reads()
            case Read(), Data(data):
                return self._take_part(request, data)
        return None

    def _start(self) -> None:
        self._tries += 1
        self._bytes_written = 0
        self._bytes_read = 0
        self._ticks = 0
        self._outputs: dict[tuple[int, int], bytes] = {}
        self._unsent = self._writes()

    def _take_part(self, read: Read, data: bytes) -> Inferred | None:
        if len(data) != read.length:
            raise RemoteLinkError(
                f"asked for {read.length} bytes of output {read.index}, the device answered {len(data)}"
            )
        self._outputs[read.index, read.offset] = data
        self._bytes_read += len(data)
        if self._bytes_read < self._device.output_bytes:
            return None
        outputs = b"".join(self._outputs[part] for part in sorted(self._outputs))
        return Inferred(self._ticket, 1, self._ticks, outputs)

    def _writes(self) -> Iterator[Write]:
        start = 0
        for index, offset, size in _parts(self._device.inputs, self._device.payload_bytes - Write.HEADER_BYTES):
            yield Write(index, offset, self._vector[start : start + size])
            start += size

    def _reads(self) -> Iterator[Read]:
        for part in _parts(self._device.outputs, self._device.payload_bytes):
            yield Read(*part)


def _parts(tensors: tuple[TensorSpec, ...], longest: int) -> Iterator[tuple[int, int, int]]:
    """Index, offset and size of every part of all tensors, in order."""
    for index, spec in enumerate(tensors):
        for offset in range(0, spec.nbytes, longest):
            yield index, offset, min(longest, spec.nbytes - offset)
