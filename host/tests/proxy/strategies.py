"""Streams, ways to cut them, and faults."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from tinyhil.proxy.faults import Action, FaultPipe, Faults

seeds = st.integers(0, 2**64)

frames = st.binary(min_size=1, max_size=200).map(lambda body: body.replace(b"\0", b"\1"))

streams = st.one_of(
    st.binary(max_size=600),
    st.lists(frames, max_size=20).map(lambda bodies: b"".join(b"\0" + body + b"\0" for body in bodies)),
)

_p = st.sampled_from([0.0, 0.05, 0.5, 1.0])

faults = st.builds(
    Faults,
    bit_flip=st.sampled_from([0.0, 1e-4, 0.01, 1.0]),
    drop_frame=_p,
    duplicate_frame=_p,
    truncate_frame=_p,
    insert_garbage=_p,
    garbage_bytes=st.integers(1, 30),
    lose_block=_p,
    delay=st.sampled_from([0.0, 0.25]),
    jitter=st.sampled_from([0.0, 0.25]),
    stall_every=st.sampled_from([0, 1, 100]),
    disconnect_every=st.sampled_from([0, 1, 3]),
    reset_every=st.sampled_from([0, 1, 3]),
)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """``data``, cut at the places (taken modulo its length)."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:stop] for start, stop in pairwise(places)]


def pipe(faults: Faults, seed: int = 0, direction: str = "to_device") -> FaultPipe:
    """A pipe of one direction."""
    return FaultPipe(faults, seed=seed, direction=direction)


def carried(pipe: FaultPipe, *parts: bytes, now: float = 0.0) -> list[bytes | Action]:
    """What comes out, whatever the time, bytes between two actions joined."""
    out: list[bytes | Action] = []
    for part in parts:
        for item in pipe.feed(part, now):
            if isinstance(item.what, bytes) and out and isinstance(out[-1], bytes):
                out[-1] += item.what
            else:
                out.append(item.what)
    return out


def bytes_of(out: list[bytes | Action]) -> bytes:
    """The bytes among it."""
    return b"".join(what for what in out if isinstance(what, bytes))


def stream(count: int, size: int = 40) -> list[bytes]:
    """``count`` different frames without delimiters, of ``size`` bytes each."""
    return [b"%04d" % number + b"\x55" * (size - 4) for number in range(count)]


def wired(bodies: list[bytes]) -> bytes:
    """Frames as they go over the wire."""
    return b"".join(b"\0" + body + b"\0" for body in bodies)


def chunks(data: bytes) -> list[bytes]:
    """The runs between zeros."""
    return [chunk for chunk in data.split(b"\0") if chunk]
