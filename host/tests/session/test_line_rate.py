"""The rate of a line, without one: a device that goes back by itself, and a clock of the test's own."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest

from tinyhil.deadline import Deadline
from tinyhil.link.connection import Connection
from tinyhil.link.events import Answered, ConnectionEvent, NotKnown, Restarted
from tinyhil.link.fields import Message
from tinyhil.link.line_rate import RATE_QUIET_MS, RATE_TRIAL_MS, Baud, Switched
from tinyhil.link.messages import Goodbye
from tinyhil.progress import Silent
from tinyhil.session.line_rate import CHANCES, LineRate

from ..link.by_hand import FIRST, STATE_IN, X, Y, model, vectors
from ..link.device_role import DeviceRole

BASE = 115_200
TICK = 0.05
FOREVER = 60.0
ANSWER_WITHIN = 20.0


class World:
    """A host, a device and the wire between them.

    Args:
        highest: that the host asks for.
        most: that the device takes; None for one that is older than the question.
        carries: the highest rate at which anything arrives.
        older: whether the device is older than GOODBYE.

    Attributes:
        device_rate: what the device's end is at.
        loses: how many of the next answers get lost on the wire.
        asked: the rates that the device was asked for.
    """

    name = "world"

    def __init__(
        self, highest: int = 921_600, most: int | None = 2_000_000, carries: int = 3_000_000, older: bool = False
    ) -> None:
        self.now = 0.0
        self.loses = 0
        self.carries = carries
        self.device_rate = self.host_rate = BASE
        self.asked: list[int] = []
        self.cut = False
        self._most = most or 0
        self._next = BASE
        self._heard = 0.0
        self._proven = False
        more: dict[int, Callable[[bytes], Message]] = {Baud.TYPE: self._baud} if most is not None else {}
        self.role = DeviceRole([X, STATE_IN], [Y], model, more=more, knows_resources=not older)
        self.connection = Connection(FIRST, max_tries=None)
        self.rate = LineRate(self, BASE, highest, ANSWER_WITHIN, Silent())
        self.connection.hello(0.0)
        self.until(lambda: self.connection.can_send)
        self.rate.want()

    def set_rate(self, baud: int) -> None:
        self.host_rate = baud

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        raise AssertionError("the rate of a line reads nothing")

    def write(self, data: bytes, deadline: Deadline) -> None:
        raise AssertionError("nor does it write")

    def close(self) -> None:
        """There is nothing to give up."""

    def _baud(self, payload: bytes) -> Message:
        (rate,) = struct.unpack("<I", payload)
        self.asked.append(rate)
        self._next = rate if 0 < rate <= self._most else BASE
        return Switched(rate if self._next == rate else 0)

    def turn(self) -> list[ConnectionEvent]:
        """One turn of a session's loop, of which the events are left that are the caller's."""
        self.rate.step(self.connection, self.now)
        sent = self.connection.data_to_send()
        self.connection.handed_over(self.now)
        heard = bool(sent) and not self.cut and self.host_rate == self.device_rate <= self.carries
        answers = self.role.receive(sent) if heard else []
        events: list[ConnectionEvent] = []
        if answers:
            if self.role.goodbyes:
                self._next = BASE
            arrives = self.device_rate == self.host_rate and not self.loses
            self.loses = max(0, self.loses - 1)
            self._proven = self.device_rate == self._next
            self._heard, self.device_rate = self.now, self._next
            if arrives:
                events = self.connection.receive(b"".join(answers), self.now)
                self.rate.heard(self.now)
        patience = (RATE_QUIET_MS if self._proven else RATE_TRIAL_MS) / 1000
        if self.device_rate != BASE and self.now - self._heard >= patience:
            self.device_rate = self._next = BASE
        if not sent:
            self.now += TICK
            events += self.connection.on_time(self.now)
        return [event for event in events if not self.rate.take(event, self.connection, self.now)]

    def until(self, done: Callable[[], bool]) -> list[ConnectionEvent]:
        """Turns until something is so."""
        events: list[ConnectionEvent] = []
        limit = self.now + FOREVER
        while not done():
            assert self.now < limit, "waited in vain"
            events += self.turn()
        return events

    def settle(self) -> list[ConnectionEvent]:
        """Lets the line find its rate."""
        return self.until(lambda: not self.rate.busy and not self.connection.in_flight)

    def infer(self) -> list[ConnectionEvent]:
        """Has one vector answered."""
        self.connection.infer(vectors(1), 1, self.now)
        return self.until(lambda: not self.connection.in_flight)

    def press_reset(self) -> None:
        """The device's reset button."""
        self.role.restart()
        self.device_rate = self._next = BASE

    @property
    def rates(self) -> tuple[int, int]:
        return self.host_rate, self.device_rate


def test_both_ends_go_over_and_nobody_else_hears_of_it() -> None:
    world = World()
    assert world.settle() == []
    assert world.rates == (921_600, 921_600)
    assert world.rate.bytes_per_second == 92_160
    assert len(world.infer()) == 1


def test_the_highest_rate_is_asked_for_first_whatever_it_is() -> None:
    world = World(highest=1_500_000)
    world.settle()
    assert world.asked == [1_500_000]


@pytest.mark.parametrize("most", [None, 0], ids=["older", "cannot"])
def test_a_device_that_cannot_is_asked_once(most: int | None) -> None:
    world = World(most=most)
    world.settle()
    world.rate.want()
    world.settle()
    assert len(world.asked) == (0 if most is None else 1)
    assert world.rates == (BASE, BASE)
    assert not world.rate.busy


def test_a_line_without_rates_is_left_alone() -> None:
    world = World(highest=0)
    assert not world.rate.busy
    world.infer()
    assert world.asked == []


def test_a_rate_that_the_wire_does_not_carry_is_left_for_the_next_one() -> None:
    world = World(highest=2_000_000, carries=1_000_000)
    world.settle()
    for _ in range(CHANCES):
        world.infer()
        world.settle()
    assert world.rates == (921_600, 921_600)
    assert world.asked == [2_000_000] * CHANCES + [921_600]


def test_a_wire_that_carries_none_stays_as_it_was() -> None:
    world = World(highest=921_600, carries=BASE)
    for _ in range(10):
        world.settle()
        assert len(world.infer()) == 1
    assert world.asked == [921_600] * CHANCES + [460_800] * CHANCES + [230_400] * CHANCES
    assert world.rates == (BASE, BASE)


def test_what_is_unanswered_when_the_wire_gets_worse_is_answered_at_the_first_rate() -> None:
    world = World()
    world.settle()
    world.carries = BASE
    assert len(world.infer()) == 1
    assert world.rates == (BASE, BASE)
    assert world.rate.busy, "it is asked for again"


def test_a_restart_is_noticed_and_costs_no_rate_its_chance() -> None:
    world = World()
    for boots in range(1, 2 * CHANCES + 2):
        world.settle()
        assert world.rates == (921_600, 921_600)
        world.press_reset()
        _greeted, restarted, answered = world.infer()
        assert isinstance(restarted, Restarted)
        assert world.role.boots == boots
        assert hasattr(answered, "outputs")
    world.settle()
    assert world.rates == (921_600, 921_600)


def test_after_an_idle_time_the_rate_is_proven_again() -> None:
    world = World()
    world.settle()
    for seconds in (RATE_QUIET_MS / 1000 * 0.7, RATE_QUIET_MS / 1000 * 5, 50.0) * CHANCES:
        world.until(lambda end=world.now + seconds: world.now >= end)  # type: ignore[misc]
        world.rate.renew(world.connection, world.now)
        world.settle()
        world.settle()
        assert world.rates == (921_600, 921_600)
    assert set(world.asked) == {921_600}, "an idle time costs no chance"


def test_a_slow_model_is_no_silence() -> None:
    world = World()
    world.settle()
    world.cut = True
    world.connection.infer(vectors(1), 1, world.now)
    world.until(lambda end=world.now + ANSWER_WITHIN / 4: world.now >= end)  # type: ignore[misc]
    assert world.host_rate == 921_600, "not yet"
    world.until(lambda: world.host_rate == BASE)


def test_another_connection_on_the_same_line_knows_its_rate() -> None:
    world = World()
    world.settle()
    world.connection = Connection(world.connection.next_sequence, max_tries=None)
    world.rate.begin_again()
    world.connection.hello(world.now)
    world.until(lambda: world.connection.can_send)
    world.rate.want()
    world.settle()
    assert world.rates == (921_600, 921_600)
    assert world.asked == [921_600]


def test_at_the_end_the_line_is_given_back() -> None:
    world = World()
    assert not world.rate.give_back(world.connection, world.now), "it is at its first rate"
    world.settle()
    assert world.rate.give_back(world.connection, world.now)
    (answer,) = world.until(lambda: not world.connection.in_flight)
    assert isinstance(answer, Answered)
    assert world.device_rate == BASE


def leave(world: World) -> list[ConnectionEvent]:
    """Says goodbye, as a conversation does at its end."""
    world.connection.ask(Goodbye(), world.now)
    world.rate.leave(world.now)
    return world.until(lambda: not world.connection.in_flight)


@pytest.mark.parametrize("idle", [0.0, RATE_QUIET_MS / 1000 * 5], ids=["at once", "after a while"])
def test_a_goodbye_is_heard_at_whatever_rate_the_device_has(idle: float) -> None:
    world = World()
    world.settle()
    world.until(lambda end=world.now + idle: world.now >= end)  # type: ignore[misc]
    (answer,) = leave(world)
    assert isinstance(answer, Answered)
    assert world.device_rate == BASE
    assert world.role.goodbyes == 1
    assert world.asked == [921_600], "no rate is asked for any more"


def test_a_goodbye_is_tried_at_the_rate_before_it_is_given_up() -> None:
    """A host that was busy with something else has not looked at the line meanwhile."""
    world = World()
    world.settle()
    world.now += RATE_QUIET_MS / 1000 * 0.7
    assert len(leave(world)) == 1
    assert world.rates == (921_600, BASE)


def test_a_goodbye_whose_answer_is_lost_is_said_again_at_the_first_rate() -> None:
    world = World()
    world.settle()
    world.loses = 1
    assert len(leave(world)) == 1
    assert world.rates == (BASE, BASE)
    assert world.role.goodbyes == 1, "the second time it was answered from what was kept"


def test_an_older_device_is_asked_for_the_first_rate_after_the_goodbye() -> None:
    world = World(older=True)
    world.settle()
    (answer,) = leave(world)
    assert isinstance(answer, NotKnown)
    assert world.rates == (921_600, 921_600)
    assert world.rate.give_back(world.connection, world.now)
    world.until(lambda: not world.connection.in_flight)
    assert world.device_rate == BASE


def test_nothing_is_asked_in_the_middle_of_something() -> None:
    world = World()
    world.connection.infer(vectors(1), 1, world.now)
    assert world.rate.step(world.connection, world.now) is False
    assert world.connection.in_flight == 1
    world.settle()
    assert world.rates == (921_600, 921_600)
