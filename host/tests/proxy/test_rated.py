"""A wire at the rate that its two ends are set to."""

from __future__ import annotations

import termios

import pytest

from tinyhil.deadline import Deadline
from tinyhil.errors import ConfigError
from tinyhil.proxy import FaultProxy, Faults
from tinyhil.proxy.line import Line
from tinyhil.transport import Rated

from .ends import PATIENCE_S, Device, Opens, read_all, until

LIMIT = 3_000_000
BASE, FAST = 115_200, 921_600
DATA = bytes(range(256)) * 4


def line(sender: int, receiver: int, limit: int = LIMIT) -> Line:
    made = Line(Faults(), seed=1, direction="to_device", baud=BASE)
    made.set_rates(sender, receiver, limit)
    return made


def carried(wire: Line, data: bytes) -> tuple[bytes, float]:
    """What arrives, and after how many seconds all of it has, for who hands over as much as there is room for."""
    now, sent, arrived = 0.0, 0, b""
    while sent < len(data) or wire.next_due(now) is not None:
        while (what := wire.due(now)) is not None:
            assert isinstance(what, bytes)
            arrived += what
            wire.done(len(what))
        piece = data[sent : sent + wire.room]
        wire.push(piece, now)
        sent += len(piece)
        now = wire.next_due(now) or now
    return arrived, now


@pytest.mark.parametrize("rate", [BASE, FAST, 2_000_000])
def test_it_carries_what_its_rate_lets_it(rate: int) -> None:
    data = DATA * 50
    arrived, seconds = carried(line(rate, rate), data)
    assert arrived == data
    assert 0.95 * rate <= len(data) * 10 / seconds <= 1.0001 * rate


@pytest.mark.parametrize(
    ("sender", "receiver", "limit"),
    [(BASE, FAST, LIMIT), (FAST, BASE, LIMIT), (FAST, FAST, BASE), (FAST, 0, LIMIT)],
    ids=["receiver too fast", "sender too fast", "above the limit", "no rate"],
)
def test_where_the_rates_differ_noise_arrives(sender: int, receiver: int, limit: int) -> None:
    wire = line(sender, receiver, limit)
    arrived, seconds = carried(wire, DATA)
    assert seconds == pytest.approx(len(DATA) * 10 / sender)
    assert wire.counters.noise_bytes == len(DATA)
    assert arrived[:8] != DATA[:8]


def test_what_is_being_sent_keeps_the_rate_that_it_was_sent_at() -> None:
    wire = line(BASE, BASE)
    wire.push(DATA, 0.0)
    wire.set_rates(FAST, BASE, LIMIT)
    assert wire.room == 0, "the sender's UART still has it"
    arrived, seconds = carried(wire, b"")
    assert arrived == DATA
    assert seconds == pytest.approx(len(DATA) * 10 / BASE)
    assert wire.room > 0, "it takes what is sent at the new rate, without being told of it again"
    wire.set_rates(FAST, FAST, LIMIT)
    assert carried(wire, DATA)[0] == DATA


def set_rate(device: Device, code: int) -> None:
    settings = termios.tcgetattr(device.master)
    settings[4] = settings[5] = code
    termios.tcsetattr(device.master, termios.TCSANOW, settings)


def test_the_ends_are_those_of_real_terminals(device: Device, host_opens: Opens) -> None:
    with FaultProxy(device.port, rated=LIMIT) as proxy:
        host = host_opens(proxy.port)
        assert isinstance(host, Rated)
        host.write(DATA, Deadline.after(PATIENCE_S))
        assert device.read_all(len(DATA)) == DATA
        set_rate(device, termios.B921600)
        host.write(DATA, Deadline.after(PATIENCE_S))
        until(lambda: proxy.counters["to_device"].noise_bytes == len(DATA), "the noise")
        device.read_all(len(DATA) * FAST // BASE - 8)
        until(lambda: not device.read(), "the rest")
        host.set_rate(FAST)
        host.write(DATA, Deadline.after(PATIENCE_S))
        assert device.read_all(len(DATA)) == DATA
        device.write(DATA)
        assert read_all(host, len(DATA)) == DATA
        assert proxy.counters["to_host"].noise_bytes == 0
        host.close()


def test_a_wire_has_one_rate_or_those_of_its_ends() -> None:
    with pytest.raises(ConfigError, match="one rate"):
        FaultProxy("/dev/null", baud=9600, rated=LIMIT)
