"""What is written and read in parts: tensors larger than the largest payload, and raw samples (docs/protocol.md).

Theory of operation. All that is to be written is written in parts, several at a time. When every part is answered, one
request has it carried out. It has the CRC of everything that was written, so that nothing is computed of which a part
is missing or old; and when that is answered, all results are read in parts. The three never overlap, because an
inference may destroy the inputs and a WRITE the outputs. Where the device finds another CRC, all is written again.

Parts are made when the window has space for them, so a device that claims huge tensors costs no memory that it does
not fill.
"""

from __future__ import annotations

import zlib
from abc import abstractmethod
from collections.abc import Iterator, Sequence

from tinyhil.errors import RemoteLinkError
from tinyhil.link.events import DeviceDescription, DeviceReportedError, Inferred, SamplePreprocessed, WorkDone
from tinyhil.link.fields import Message
from tinyhil.link.inference import Data, Ran, Read, Run, Write
from tinyhil.link.messages import Error
from tinyhil.link.preprocessing import Preprocess, Preprocessed
from tinyhil.link.work import Work


class InParts(Work):
    """What is written, carried out, and read.

    Args:
        ticket: of the event.
        data: all that is written.
        written: number of each tensor that it goes to, as WRITE has it, and its bytes.
        read: number of each tensor that is read then, as READ has it, and its bytes.
        longest: bytes of a payload at most.
        max_tries: how often it is written before another CRC counts as the device's fault.
    """

    def __init__(
        self,
        ticket: int,
        data: bytes,
        written: Sequence[tuple[int, int]],
        read: Sequence[tuple[int, int]],
        longest: int,
        max_tries: int,
    ) -> None:
        self._ticket = ticket
        self._data = data
        self._written = written
        self._read = read
        self._longest = longest
        self._max_tries = max_tries
        self._crc = zlib.crc32(data)
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

    def take(self, request: Message, answer: Message) -> WorkDone | None:
        """See ``Work.take``."""
        match request, answer:
            case Write(), _:
                self._bytes_written += len(request.data)
                if self._bytes_written == len(self._data):
                    self._unsent = iter([self._request()])
            case Read(), Data(data):
                return self._take_part(request, data)
            case _:
                ticks = self._ticks_of(answer)
                if ticks is None:
                    if self._tries >= self._max_tries:
                        raise self._refusal(answer)
                    self._start()
                else:
                    self._ticks = ticks
                    self._unsent = self._reads()
        return None

    @abstractmethod
    def _request(self) -> Message:
        """What has it carried out."""

    @abstractmethod
    def _ticks_of(self, answer: Message) -> int | None:
        """The ticks that it took; None where the device has found another CRC."""

    @abstractmethod
    def _refusal(self, answer: Message) -> RemoteLinkError:
        """What to raise where the device has found another CRC again and again."""

    @abstractmethod
    def _done(self, ticks: int, results: bytes) -> WorkDone:
        """The event."""

    def _start(self) -> None:
        self._tries += 1
        self._bytes_written = 0
        self._ticks = 0
        self._results: dict[tuple[int, int], bytes] = {}
        self._left = sum(size for _, size in self._read)
        self._unsent = self._writes()

    def _take_part(self, read: Read, data: bytes) -> WorkDone | None:
        if len(data) != read.length:
            raise RemoteLinkError(
                f"asked for {read.length} bytes of output {read.index}, the device answered {len(data)}"
            )
        self._results[read.index, read.offset] = data
        self._left -= len(data)
        if self._left:
            return None
        return self._done(self._ticks, b"".join(self._results[part] for part in sorted(self._results)))

    def _writes(self) -> Iterator[Write]:
        start = 0
        for index, offset, size in _parts(self._written, self._longest - Write.HEADER_BYTES):
            yield Write(index, offset, self._data[start : start + size])
            start += size

    def _reads(self) -> Iterator[Read]:
        for part in _parts(self._read, self._longest):
            yield Read(*part)


class LargeInference(InParts):
    """One vector on its way.

    Args:
        ticket: of the event.
        vector: all input tensors, one after the other.
        device: whose tensors and largest payload decide over the parts.
        max_tries: how often the vector is written before `inputs differ` counts as the device's fault.
    """

    def __init__(self, ticket: int, vector: bytes, device: DeviceDescription, max_tries: int) -> None:
        written, read = ([(place, spec.nbytes) for place, spec in enumerate(row)] for row in device.tensors)
        super().__init__(ticket, vector, written, read, device.payload_bytes, max_tries)

    def _request(self) -> Run:
        return Run(self._crc)

    def _ticks_of(self, answer: Message) -> int | None:
        """An ERROR is `inputs differ`."""
        return answer.ticks if isinstance(answer, Ran) else None

    def _refusal(self, answer: Message) -> RemoteLinkError:
        assert isinstance(answer, Error)
        return DeviceReportedError(Run.TYPE, answer)

    def _done(self, ticks: int, results: bytes) -> Inferred:
        return Inferred(self._ticket, 1, ticks, results)


class Preprocessing(InParts):
    """One raw sample on its way to a device that has preprocessing.

    Args:
        ticket: of the event.
        raw: the raw sample, of as many bytes as the device's.
        device: whose inputs are read.
        max_tries: as of ``LargeInference``.
    """

    def __init__(self, ticket: int, raw: bytes, device: DeviceDescription, max_tries: int) -> None:
        first = len(device.outputs)
        read = [(first + place, spec.nbytes) for place, spec in enumerate(device.inputs)]
        super().__init__(ticket, raw, [(len(device.inputs), len(raw))], read, device.payload_bytes, max_tries)

    def _request(self) -> Preprocess:
        return Preprocess(self._crc)

    def _ticks_of(self, answer: Message) -> int | None:
        assert isinstance(answer, Preprocessed)
        return answer.ticks if answer.crc == self._crc else None

    def _refusal(self, answer: Message) -> RemoteLinkError:
        return RemoteLinkError(
            "the raw sample that was written to the device is another one there",
            hint="something else writes to it: no interrupt may, while a host has the model",
        )

    def _done(self, ticks: int, results: bytes) -> SamplePreprocessed:
        return SamplePreprocessed(self._ticket, ticks, results)


def _parts(tensors: Sequence[tuple[int, int]], longest: int) -> Iterator[tuple[int, int, int]]:
    """Number, offset and size of every part of tensors, of which number and bytes are given."""
    for index, nbytes in tensors:
        for offset in range(0, nbytes, longest):
            yield index, offset, min(longest, nbytes - offset)
