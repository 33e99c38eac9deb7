"""Feeds the same streams to the host's and the device's decoder and compares what they say, chunk by chunk.

A case is a chunk that both have judged. A batch is a number of streams; each stream gets a fresh pair of decoders, and
goes through the C++ one byte by byte and through the Python one in pieces cut anywhere. Compared are

- the row of frames (type, sequence, payload) and rejections with their reasons. Of rejected chunks that consist of
  text bytes only the host has to say nothing in that row, because it reports them as text;
- the text that the host passes on with what firmware/fuzz/differential.cpp says it has to, white space aside.

Where they differ, the stream is cut down as long as they still do.
"""

from __future__ import annotations

import ctypes
import itertools
import struct
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinyhil.link.frames import DecoderEvent, Frame, FrameDecoder, Reason, Rejected

from .cases import Cases

STREAMS_PER_BATCH = 20
PIECES_PER_STREAM = 250

_TRIES = 5000  # to make a stream shorter, which is a second or so

_FRAME = 1
_REASONS = {Reason.OVERSIZE: 2, Reason.COBS: 3, Reason.SHORT: 4, Reason.CRC: 5, Reason.TYPE: 6}
_NAMES = {1: "frame", **{code: reason.value for reason, code in _REASONS.items()}}
_HEADER = struct.Struct("<BHBI")
_WHITE = b"\t\n\r "


class _Tally(ctypes.Structure):
    _fields_ = (
        ("events", ctypes.c_uint32 * 7),
        ("text_only", ctypes.c_uint32 * 7),
        ("types", ctypes.c_uint32 * 256),
        ("text_with_frame", ctypes.c_uint32),
    )


@dataclass(frozen=True)
class Said:
    """What a decoder made of a stream.

    Attributes:
        log: frames and rejections, in the format of firmware/fuzz/differential.cpp.
        text: without white space.
    """

    log: bytes
    text: bytes


@dataclass(frozen=True)
class Divergence:
    """A stream about which the decoders differ, in the words of the table of cases (firmware/lib/link/cases)."""

    seed: int
    max_payload: int
    stream: bytes
    host: Said
    device: Said

    def as_case(self) -> dict[str, Any]:
        """The case for the table; which of its two rows of events is right, a person has to say."""
        return {
            "max_payload": self.max_payload,
            "name": f"divergence of seed {self.seed}",
            "about": "",
            "encodes": False,
            "stream": self.stream.hex(),
            "host events": [*_events(self.host.log), {"text without white space": self.host.text.hex()}],
            "device events": [*_events(self.device.log), {"text without white space": self.device.text.hex()}],
        }


@dataclass
class Outcome:
    """What batches came to.

    Attributes:
        cases: chunks that both decoders judged.
        bytes: of all streams.
        reached: how often each kind of event was seen: "frame 0x03", "crc", "crc, text only".
        divergences: at most one a batch.
    """

    cases: int = 0
    bytes: int = 0
    reached: Counter[str] = field(default_factory=Counter)
    divergences: list[Divergence] = field(default_factory=list)

    def add(self, other: Outcome) -> None:
        """Adds the figures of another outcome to these."""
        self.cases += other.cases
        self.bytes += other.bytes
        self.reached.update(other.reached)
        self.divergences += other.divergences


class DeviceDecoder:
    """The C++ decoder behind ctypes.

    Args:
        library: built by ``programs.library``.
    """

    def __init__(self, library: Path) -> None:
        self._library = ctypes.CDLL(str(library))
        self._library.judge.restype = ctypes.c_size_t
        self._library.tally_size.restype = ctypes.c_size_t
        assert self._library.tally_size() == ctypes.sizeof(_Tally)
        self._tally = _Tally()

    def judge(self, max_payload: int, stream: bytes) -> Said:
        """What a fresh decoder says to a whole stream."""
        log = ctypes.create_string_buffer(2 * len(stream) + 8)
        text = ctypes.create_string_buffer(len(stream) + 1)
        said = ctypes.c_size_t()
        size = self._library.judge(
            ctypes.c_size_t(max_payload),
            stream,
            ctypes.c_size_t(len(stream)),
            log,
            text,
            ctypes.byref(said),
            ctypes.byref(self._tally),
        )
        return Said(ctypes.string_at(log, size), ctypes.string_at(text, said.value))

    def take_tally(self) -> Counter[str]:
        """How often each event was seen since the last call."""
        reached: Counter[str] = Counter()
        for code, name in _NAMES.items():
            reached[name] = self._tally.events[code]
            reached[f"{name}, text only"] = self._tally.text_only[code]
        for type_ in range(256):
            if self._tally.types[type_]:
                reached[f"frame 0x{type_:02x}"] = self._tally.types[type_]
        reached["frame behind text of its own"] = self._tally.text_with_frame
        self._tally = _Tally()
        return reached


def on_host(max_payload: int, pieces: list[bytes]) -> Said:
    """What a fresh Python decoder says to a stream that arrives in pieces."""
    decoder = FrameDecoder(max_payload)
    log = bytearray()
    text: list[bytes] = []
    for piece in pieces:
        for event in decoder.feed(piece):
            _note(event, log, text)
    return Said(bytes(log), b"".join(text).translate(None, _WHITE))


def batch(device: DeviceDecoder, seed: int) -> Outcome:
    """Runs the streams of one seed, up to the first divergence."""
    outcome = Outcome()
    for number in range(STREAMS_PER_BATCH):
        cases = Cases(seed * STREAMS_PER_BATCH + number)
        made = cases.pieces(PIECES_PER_STREAM)
        stream = b"".join(made)
        cuts = cases.cuts(len(stream))
        outcome.bytes += len(stream)
        pieces = [stream[start:end] for start, end in itertools.pairwise(cuts)]
        if on_host(cases.max_payload, pieces) != device.judge(cases.max_payload, stream):
            outcome.divergences.append(shrink(device, seed, cases.max_payload, made, pieces))
            break
    outcome.reached = device.take_tally()
    outcome.cases = sum(outcome.reached[name] for name in _NAMES.values())
    return outcome


def shrink(device: DeviceDecoder, seed: int, max_payload: int, made: list[bytes], pieces: list[bytes]) -> Divergence:
    """The shortest stream that can be had by leaving out pieces, then bytes, so that the decoders still differ.

    Where they differ only if the stream is cut as it was (``pieces``), it stays whole.
    """

    def host(parts: list[bytes], size: int | None) -> Said:
        stream = b"".join(parts)
        step = size or max(len(stream), 1)
        return on_host(max_payload, [stream[at : at + step] for at in range(0, len(stream), step)])

    for size in (None, 1):  # the stream as a whole, and byte by byte

        def differ(parts: list[bytes], size: int | None = size) -> bool:
            return host(parts, size) != device.judge(max_payload, b"".join(parts))

        if differ(made):
            stream = b"".join(_minimise(made, differ))
            stream = b"".join(_minimise([stream[at : at + 1] for at in range(len(stream))], differ))
            return Divergence(seed, max_payload, stream, host([stream], size), device.judge(max_payload, stream))
    stream = b"".join(pieces)
    return Divergence(seed, max_payload, stream, on_host(max_payload, pieces), device.judge(max_payload, stream))


def _minimise(parts: list[bytes], differ: Callable[[list[bytes]], bool]) -> list[bytes]:
    """Leaves out ever smaller slices of ``parts`` as long as ``differ`` holds."""
    size = max(len(parts) // 2, 1)
    tries = _TRIES
    while True:
        at = 0
        before = len(parts)
        while at < len(parts) and tries:
            tries -= 1
            fewer = parts[:at] + parts[at + size :]
            if differ(fewer):
                parts = fewer
            else:
                at += size
        if not tries or (size == 1 and len(parts) == before):
            return parts
        size = max(size // 2, 1)


def _note(event: DecoderEvent, log: bytearray, text: list[bytes]) -> None:
    if isinstance(event, Frame):
        log += _HEADER.pack(_FRAME, len(event.payload), event.type, event.sequence)
        log += event.payload
    elif isinstance(event, Rejected):
        log.append(_REASONS[event.reason])
    else:
        text.append(event.data)


def _events(log: bytes) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    at = 0
    while at < len(log):
        if log[at] != _FRAME:
            events.append({"rejected": _NAMES[log[at]]})
            at += 1
            continue
        _, length, type_, sequence = _HEADER.unpack_from(log, at)
        at += _HEADER.size + length
        events.append({"frame": {"type": type_, "sequence": sequence, "payload": log[at - length : at].hex()}})
    return events
