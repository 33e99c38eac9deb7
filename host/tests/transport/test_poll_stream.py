"""Deadlines of a write: bytes that the other end takes renew them, those that a buffer takes do not."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError
from tinyhil.transport.poll_stream import PollStream

SIZE = 1 << 20
"""Bytes: more than the buffers hold."""


@pytest.fixture
def pair() -> Iterator[tuple[PollStream, socket.socket]]:
    ours, theirs = socket.socketpair()
    with theirs:
        ours.setblocking(False)
        stream = PollStream("pair", ours.fileno(), ours.recv, ours.send, ours.close)
        yield stream, theirs
        stream.close()


def taken_slowly(theirs: socket.socket, size: int) -> None:
    """Takes so many bytes in a second and a half, a part at a time."""
    left = size
    while left:
        taken = len(theirs.recv(min(left, size // 30)))
        if not taken:
            return
        left -= taken
        time.sleep(0.05)


@pytest.mark.parametrize(("times", "whole"), [(1.0, False), (100.0, True)])
def test_an_end_that_takes_bytes_is_waited_for_if_that_is_allowed(
    pair: tuple[PollStream, socket.socket], times: float, whole: bool
) -> None:
    stream, theirs = pair
    slow = threading.Thread(target=taken_slowly, args=(theirs, SIZE))
    slow.start()
    deadline = Deadline.after(0.4, times)
    if whole:
        stream.write(bytes(SIZE), deadline)
        assert deadline.renewed
    else:
        with pytest.raises(DeviceError, match=r"took only \d+ of \d+ bytes within 0\.4 s"):
            stream.write(bytes(SIZE), deadline)
    stream.close()
    slow.join()


def test_a_buffer_that_takes_bytes_renews_nothing(pair: tuple[PollStream, socket.socket]) -> None:
    stream, _ = pair
    deadline = Deadline.after(0.1, 100.0)
    stream.write(b"a request", deadline)
    assert not deadline.renewed
    with pytest.raises(DeviceError, match=r"within 0\.1 s"):
        stream.write(bytes(SIZE), deadline)
    assert not deadline.renewed
