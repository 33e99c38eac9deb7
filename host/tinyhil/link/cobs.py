"""Consistent Overhead Byte Stuffing (Cheshire and Baker, 1999), in its one canonical form.

An encoding is a row of blocks. Each begins with a code byte c and carries c - 1 non-zero bytes; between two blocks
stands a zero that was taken out, except after a *full* block (code 0xFF, 254 bytes), which is only cut for length.
Hence a body ending in a full block could also be written with an empty block behind it; docs/protocol.md forbids
that, so that every body has exactly one encoding and ``encode(decode(chunk)) == chunk`` for all that is accepted.

Both functions do work per block, not per byte: the bytes inside a block are moved by slices.
"""

from __future__ import annotations

_FULL = 0xFF
_FULL_BYTES = 254


def longest_encoding(body_bytes: int) -> int:
    """The most bytes that a body of ``body_bytes`` (at least 1) can take when encoded, delimiters excluded."""
    return body_bytes + -(-body_bytes // _FULL_BYTES)


def encode(body: bytes) -> bytes:
    """Encodes ``body`` without a single zero byte, delimiters excluded."""
    runs = body.split(b"\0")
    last = runs.pop()
    encoded = bytearray()
    for run in runs:
        if len(run) >= _FULL_BYTES:
            run = _append_full_blocks(encoded, run, len(run) // _FULL_BYTES)
        encoded.append(len(run) + 1)
        encoded += run
    last = _append_full_blocks(encoded, last, max(len(last) - 1, 0) // _FULL_BYTES)
    encoded.append(len(last) + 1)
    encoded += last
    return bytes(encoded)


def _append_full_blocks(encoded: bytearray, run: bytes, blocks: int) -> bytes:
    """Appends the first ``blocks`` full blocks of ``run`` and returns its rest."""
    for start in range(0, blocks * _FULL_BYTES, _FULL_BYTES):
        encoded.append(_FULL)
        encoded += run[start : start + _FULL_BYTES]
    return run[blocks * _FULL_BYTES :]


def decode(chunk: bytes) -> bytes | None:
    """The body of ``chunk``, or None where ``chunk`` is not the canonical encoding of any body.

    Corrupt input is nothing exceptional on a wire, hence no exception.
    """
    if not chunk or 0 in chunk:
        return None
    body = bytearray(chunk)
    end = len(chunk)
    behind_full = []
    code_at = 0
    while code_at < end:
        body[code_at] = 0
        code = chunk[code_at]
        code_at += code
        if code == _FULL:
            behind_full.append(code_at)
    # A block that begins on the last byte is empty.
    if code_at != end or (behind_full and behind_full[-1] == end - 1):
        return None
    for position in reversed(behind_full):
        del body[position : position + 1]
    return bytes(memoryview(body)[1:])
