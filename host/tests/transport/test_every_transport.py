"""What holds for every transport, over real ends."""

from __future__ import annotations

import select
import threading

import pytest

from tinyhil import terminal
from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError
from tinyhil.transport import Pollable, Transport

from .ends import PATIENCE_S, Peer

EVERY_BYTE = bytes(range(256)) * 3


def read_all(transport: Transport, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = transport.read(65536, PATIENCE_S)
        assert piece, "nothing more arrives"
        data += piece
    return data


def test_who_serves_several_ends_can_wait_for_it(peer: Peer) -> None:
    transport = peer.transport
    assert isinstance(transport, Pollable)
    assert select.select([transport], [], [], 0.0)[0] == []
    peer.send(b"x")
    assert select.select([transport], [], [], PATIENCE_S)[0] == [transport]
    assert transport.write_some(b"abc") == 3
    assert peer.receive_all(3) == b"abc"


def test_every_byte_value_passes_both_ways(peer: Peer) -> None:
    peer.transport.write(EVERY_BYTE, Deadline.after(PATIENCE_S))
    assert peer.receive_all(len(EVERY_BYTE)) == EVERY_BYTE
    peer.send(EVERY_BYTE)
    assert read_all(peer.transport, len(EVERY_BYTE)) == EVERY_BYTE


def test_read_returns_with_what_is_there_and_no_more_than_asked(peer: Peer) -> None:
    peer.send(b"abc")
    assert peer.transport.read(2, PATIENCE_S) == b"ab"
    assert peer.transport.read(1000, PATIENCE_S) == b"c"


@pytest.mark.parametrize("timeout_s", [0.0, 0.02])
def test_read_returns_nothing_at_its_timeout(peer: Peer, timeout_s: float) -> None:
    assert peer.transport.read(10, timeout_s) == b""
    peer.send(b"later")
    assert read_all(peer.transport, 5) == b"later"


def test_writing_nothing_is_nothing(peer: Peer) -> None:
    peer.transport.write(b"", Deadline.after(0.0))
    assert peer.transport.read(1, 0.0) == b""


def test_write_gives_up_at_the_deadline(peer: Peer) -> None:
    with pytest.raises(DeviceError, match=r"took only \d+ of 8388608 bytes within 0.05 s") as caught:
        peer.transport.write(bytes(8 << 20), Deadline.after(0.05))
    assert "does not read" in caught.value.hint


def test_both_ends_may_write_more_than_the_buffers_hold(peer: Peer) -> None:
    ours, theirs = b"a" * (2 << 20), b"b" * (1 << 20)
    received: list[bytes] = []

    def talk_first_and_listen_then() -> None:
        left = memoryview(theirs)
        while left:
            left = left[peer.send(bytes(left[:65536])) :]
        received.append(peer.receive_all(len(ours)))

    thread = threading.Thread(target=talk_first_and_listen_then, daemon=True)
    thread.start()
    peer.transport.write(ours, Deadline.after(PATIENCE_S))
    assert read_all(peer.transport, len(theirs)) == theirs
    thread.join(PATIENCE_S)
    assert received == [ours]


def test_a_peer_that_hangs_up_ends_reading(peer: Peer) -> None:
    peer.hang_up()
    with pytest.raises(DeviceError, match="the other end is gone"):
        peer.transport.read(10, PATIENCE_S)


def test_a_peer_that_hangs_up_ends_writing(peer: Peer) -> None:
    peer.hang_up()
    with pytest.raises(DeviceError, match="the other end is gone"):
        # The kernel may still take some bytes before it has heard that nobody will read them.
        peer.transport.write(bytes(8 << 20), Deadline.after(PATIENCE_S))


def test_closing_is_final_and_may_be_repeated(peer: Peer) -> None:
    peer.transport.close()
    peer.transport.close()
    with pytest.raises(DeviceError, match="closed"):
        peer.transport.read(1, 0.0)
    with pytest.raises(DeviceError, match="closed"):
        peer.transport.write(b"x", Deadline.after(0.0))


def test_closing_is_seen_by_the_peer(peer: Peer) -> None:
    if peer.transport.name.startswith(terminal.SCHEME):
        pytest.skip("a line to a program of ours stays: the next session takes it")
    peer.transport.close()
    try:
        assert peer.receive(1) == b""
    except OSError:
        # A terminal reports its end as an error, a socket as an empty read.
        assert peer.transport.name.startswith("/dev/")
