"""The rate of one line: asked for when nothing else is on its way, proven by a question, and given up in silence.

::

    FIRST  --want-->  WANTED  --BAUD-->  ASKED  --SWITCHED-->  PROVING  --answer-->  FAST
      ^                  ^                                        |                    |
      '-- no rate left --'-------------- an answer ------------ FALLEN  <-- silence ---'

A device goes back to its first rate by itself (docs/protocol.md, "BAUD and SWITCHED"), also by a restart. So silence at
another rate means: back to the first one, where everything that is unanswered is sent anew at once: nothing of it can
still be on its way. Once something is answered there, a rate is asked for again. Each gets ``CHANCES``, then it is the
turn of the next lower one, and after the last the line stays as it is. A fall that a restart explains, or an idle time,
costs none.
"""

from __future__ import annotations

from collections import deque
from enum import Enum, auto

from tinyhil.link.connection import Connection
from tinyhil.link.events import Answered, ConnectionEvent, Restarted, WorkDone
from tinyhil.link.line_rate import RATE_QUIET_MS, RATE_TRIAL_MS, Baud, Switched
from tinyhil.link.states import State
from tinyhil.progress import Reporter
from tinyhil.transport import Rated, Transport

RATES = (2_000_000, 921_600, 460_800, 230_400)
"""In bit/s, what serial converters commonly have, highest first."""

CHANCES = 2
"""How often a rate is tried before a lower one is."""

BITS_PER_BYTE = 10
"""On a serial line: a start bit, eight of data, a stop bit."""

_PROOF_S = RATE_TRIAL_MS / 1000
_SILENCE_S = 1.25 * RATE_QUIET_MS / 1000
"""By then the device is back at its first rate."""

_OF_PATIENCE = 0.3
"""The part of ``answer_within`` after which a rate is given up: the rest is for the first rate."""

_IDLE_S = RATE_QUIET_MS / 2000
"""After so long without a question it is not certain that the device has kept the rate."""


def above(first: int, highest: int) -> list[int]:
    """The rates in bit/s that a line is taken to from its first one, highest first; none where ``highest`` is 0."""
    return [rate for rate in sorted({highest, *RATES}, reverse=True) if first < rate <= highest]


class Stage(Enum):
    """Where a line stands."""

    FIRST = auto()
    WANTED = auto()
    ASKED = auto()
    PROVING = auto()
    FAST = auto()
    FALLEN = auto()


class LineRate:
    """The rate of one line.

    Args:
        transport: of the line, at its first rate.
        first: that rate, in bit/s.
        highest: that may be asked for; 0 where the line keeps its first rate.
        answer_within: seconds in which the device has to answer; a model may be slow.
        reporter: told of each change.
    """

    def __init__(
        self, transport: Transport, first: int, highest: int, answer_within: float, reporter: Reporter
    ) -> None:
        self._left = deque(rate for rate in above(first, highest) for _ in range(CHANCES))
        self._transport = transport
        self._first = self._now_at = first
        self._reporter = reporter
        self._stage = Stage.FIRST
        self._ticket: int | None = None
        self._free = False
        self._charged: int | None = None
        self._since = self._heard_at = 0.0
        self._silence = max(_SILENCE_S, _OF_PATIENCE * answer_within)

    @property
    def rate(self) -> int:
        """What the line is set to, in bit/s."""
        return self._now_at

    @property
    def bytes_per_second(self) -> float:
        """What the line carries at most."""
        return self._now_at / BITS_PER_BYTE

    @property
    def busy(self) -> bool:
        """Whether it needs the line for itself: nothing else is to be asked until it is done."""
        return self._stage in (Stage.WANTED, Stage.ASKED, Stage.PROVING)

    def want(self) -> None:
        """A device has greeted: the line may become faster."""
        if self._stage is Stage.FIRST and self._left:
            self._stage = Stage.WANTED

    def begin_again(self) -> None:
        """There is another connection on the same line, which knows nothing of what was asked."""
        self._ticket = None
        if self._stage is Stage.ASKED:
            self._stage = Stage.WANTED
        elif self._stage is Stage.PROVING:
            self._stage = Stage.FAST

    def renew(self, connection: Connection, now: float) -> None:
        """Something is about to be asked after a while."""
        if self._stage is not Stage.FAST or now - self._heard_at <= _IDLE_S or connection.state is not State.READY:
            return
        self._free, self._stage, self._since = True, Stage.PROVING, now
        self._ticket = connection.usage(now)

    def step(self, connection: Connection, now: float) -> bool:
        """What is due; whether the line has just been given up at its rate."""
        if not connection.in_flight and connection.state is State.READY:
            self._since = now
        fallen = self._now_at != self._first and now - max(self._since, self._heard_at) > self._patience
        if fallen:
            self._fall(connection, now)
        if self._stage is Stage.WANTED and connection.can_send and not connection.in_flight:
            self._stage, self._charged = Stage.ASKED, None
            self._ticket = connection.ask(Baud(self._left[0]), now)
        return fallen

    def heard(self, now: float) -> None:
        """Something was answered."""
        self._heard_at = now
        if self._stage is Stage.FALLEN:
            self._stage = Stage.WANTED if self._left else Stage.FIRST

    def take(self, event: ConnectionEvent, connection: Connection, now: float) -> bool:
        """Takes what has happened; whether that was nobody else's affair."""
        if isinstance(event, Restarted):
            self._restarted(connection)
        if not isinstance(event, WorkDone) or event.ticket != self._ticket:
            return False
        self._ticket = None
        if self._stage is Stage.ASKED:
            self._switch(event, connection, now)
        elif self._stage is Stage.PROVING:
            self._stage, self._free = Stage.FAST, False
        return True

    def leave(self, now: float) -> None:
        """The last question is on its way. If the device is back at its first rate, that has to be found out soon."""
        self._free, self._since = True, now
        self._stage = Stage.FIRST if self._now_at == self._first else Stage.PROVING

    def give_back(self, connection: Connection, now: float) -> bool:
        """Asks for the first rate, so that who comes next need not wait for it; whether there was a need to."""
        if self._now_at == self._first or not connection.can_send or connection.in_flight:
            return False
        connection.ask(Baud(0), now)
        self._stage = Stage.FIRST
        return True

    @property
    def _patience(self) -> float:
        """Seconds of silence that are borne at a rate that is not the first."""
        return _PROOF_S if self._stage is Stage.PROVING else self._silence

    def _switch(self, event: WorkDone, connection: Connection, now: float) -> None:
        asked = self._left[0]
        if not isinstance(event, Answered) or event.answer != Switched(asked):
            self._left.clear()
            self._stage = Stage.FIRST
            self._reporter.text(f"the device keeps the line at {self._first:,} bit/s")
            return
        self._set(asked, connection)
        self._stage = Stage.PROVING
        self._reporter.text(f"the line goes over to {asked:,} bit/s")
        self._ticket = connection.usage(now)

    def _fall(self, connection: Connection, now: float) -> None:
        self._reporter.text(f"silence at {self._now_at:,} bit/s: the line is back at {self._first:,}")
        self._set(self._first, connection)
        connection.send_anew(now)
        self._stage = Stage.FALLEN
        if not self._free:
            self._charged = self._left.popleft()
        self._free = False

    def _restarted(self, connection: Connection) -> None:
        """The device is at its first rate; whatever this has asked is asked again, or gone."""
        if self._now_at != self._first:
            self._set(self._first, connection)
        if self._charged is not None:
            self._left.appendleft(self._charged)
            self._charged = None
        if not (self._stage is Stage.ASKED and connection.in_flight):
            self._stage = Stage.WANTED if self._left else Stage.FIRST

    def _set(self, rate: int, connection: Connection) -> None:
        assert isinstance(self._transport, Rated), "a line that has no rates is never asked to change it"
        self._transport.set_rate(rate)
        self._now_at = rate
        connection.set_line_rate(self.bytes_per_second)
