"""The file format that the journal and the recording share: records that can be checked one by one.

::

    record = length u32 | kind u8 | body (length bytes) | crc u32      all little-endian

The CRC (CRC-32/ISO-HDLC) is over everything before it. A file is only ever appended to, one ``write`` a record, so
that the kernel has it whole when the call returns: a process that is killed loses none. What a machine that loses
power leaves behind is a torn tail; reading ends in front of it.
"""

from __future__ import annotations

import math
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from tinyhil import kinds
from tinyhil.artifacts import foreign, store
from tinyhil.errors import ConfigError

_HEAD = struct.Struct("<IB")
_CRC = struct.Struct("<I")


@dataclass(frozen=True)
class Record:
    """One record.

    Attributes:
        kind: what it is, by the file's own table.
        body: its content.
        start: offset of its first byte in the file.
        end: offset of the first byte after it.
    """

    kind: int
    body: bytes
    start: int
    end: int


def pack(kind: int, body: bytes) -> bytes:
    """A record as it stands in the file."""
    data = _HEAD.pack(len(body), kind) + body
    return data + _CRC.pack(zlib.crc32(data))


def unpack(stream: BinaryIO) -> Iterator[Record]:
    """The records from the start of a file up to its end, or up to the first one that is torn or damaged."""
    size = os.fstat(stream.fileno()).st_size
    start = 0
    while True:
        head = stream.read(_HEAD.size)
        if len(head) < _HEAD.size:
            return
        length, kind = _HEAD.unpack(head)
        end = start + _HEAD.size + length + _CRC.size
        if end > size:  # also what keeps a damaged length from asking for gigabytes
            return
        body = stream.read(length)
        crc = stream.read(_CRC.size)
        if len(crc) < _CRC.size or _CRC.unpack(crc)[0] != zlib.crc32(head + body):
            return
        yield Record(kind, body, start, end)
        start = end


def split(data: bytes) -> tuple[list[Record], bytes]:
    """The records that came whole of a stream of them, with their places in ``data``, and the bytes behind them.

    Raises:
        ValueError: one is damaged: nothing behind it can be found.
    """
    found, start = [], 0
    while len(data) - start >= _HEAD.size:
        length, kind = _HEAD.unpack_from(data, start)
        body = start + _HEAD.size
        end = body + length + _CRC.size
        if end > len(data):
            break
        (crc,) = _CRC.unpack_from(data, body + length)
        if crc != zlib.crc32(data[start : body + length]):
            raise ValueError(f"the record at byte {start} is damaged")
        found.append(Record(kind, data[body : body + length], start, end))
        start = end
    return found, data[start:]


def fields(layout: struct.Struct, body: bytes, *, more: bool = False) -> tuple[Any, ...]:
    """The numbers that a record's body consists of, or begins with.

    A CRC says that a record is as it was written, and nothing of who has written it.

    Args:
        more: whether something may follow them.

    Raises:
        ValueError: the body is shorter, or longer and nothing may follow; or a number is not finite.
    """
    if len(body) < layout.size or (len(body) > layout.size and not more):
        raise ValueError(f"{len(body)} bytes in place of {layout.size}{' or more' if more else ''}")
    values = layout.unpack_from(body)
    if not all(math.isfinite(value) for value in values):
        raise ValueError("a number that is not finite")
    return values


class RecordFile:
    """A file that records are appended to.

    Ownership: whoever opens it closes it; one process writes it at a time.

    Args:
        path: the file; it is created where it does not exist.
        keep: how many of its bytes stay; what follows them is cut off.

    Raises:
        StorageError: here and in ``append``: the disk is full, or the folder cannot be written.
    """

    def __init__(self, path: Path, keep: int = 0) -> None:
        store.make_folder(path.parent)
        self._path = path
        with store.storage(path):
            self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            os.ftruncate(self._handle, keep)

    def append(self, kind: int, body: bytes) -> None:
        """Adds a record; it outlives this process from now on."""
        left = memoryview(pack(kind, body))
        with store.storage(self._path):
            while left:  # a second turn is needed only where the disk is full, and then raises
                left = left[os.write(self._handle, left) :]

    def close(self) -> None:
        """Gives the file up."""
        os.close(self._handle)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def opened(path: Path) -> BinaryIO:
    """A recording's file, for reading.

    Raises:
        ConfigError: it is no file, or cannot be read.
    """
    other = foreign.why_not_regular(path)
    if other:
        raise ConfigError(f"{path} cannot be read: it is {other}", hint="give a file that --record wrote")
    try:
        return path.open("rb")
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", hint="give a file that --record wrote") from error


def refusal(message: str) -> ConfigError:
    """What is no recording, or has a record that is none, of this version."""
    return ConfigError(
        message, hint="give a file that --record of this version wrote, or record it again", kind=kinds.OTHER_VERSION
    )
