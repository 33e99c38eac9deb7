"""The exchanges of the link, one row each: what is asked, what answers it, and what both sides have to keep to.

Theory of operation. The host asks and the device answers, each request exactly once. One request and its one answer are
an exchange, and everything that one exchange has of its own is its row here. From the rows follow:

- *states*: which messages are possible when, and where each leads (``Table.transitions``);
- *admission*: what has to wait until nothing else is on its way (``alone``), and what is refused while the engine has
  not accepted the model (``needs``);
- *repetition*: what is repeated without end because the device may still be booting (``endless``), and how long an
  answer is on the wire at most (``answer_bytes``);
- *answers*: which type answers which request, and which errors are answers like any other (``optional``,
  ``resumes_after``);
- *what the caller hears*: the row's handler turns the answer into an event;
- the diagram and the list of messages of docs/protocol.md (``make diagram``).

Requests are numbered from a random start, an answer carries its request's number, and each number is accepted once. A
request that seems lost is repeated under its old number with the same bytes.

A device that has started again says so to the first request that it gets. All requests on their way are then
forgotten, so that whatever still answers them is dropped, and after a new handshake the unanswered work begins again
under new numbers and its old tickets. Only the caller can do that for a model that keeps state, or where an arena of
another size was asked for, which the device has lost: it is told to.

So a further request is a row, its two payloads and its handler; docs/protocol.md, "Adding a request", goes through one.
The table is a value: a connection takes it as an argument. The device's side of it is ``Server::kExchanges`` of
firmware/lib/server, with the same names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any, Generic, TypeVar

from tinyhil.errors import LocalLinkError
from tinyhil.link import handlers
from tinyhil.link.events import DeviceDescription, WorkDone
from tinyhil.link.fields import Message
from tinyhil.link.inference import Cleared, Data, Infer, Ran, Read, Reset, Result, Run, Write, Written
from tinyhil.link.line_rate import Baud, Switched
from tinyhil.link.messages import MIN_PAYLOAD, Describe, Error, ErrorCode, Goodbye, Hello, Parted, Tensor, Welcome
from tinyhil.link.preprocessing import Preprocess, Preprocessed
from tinyhil.link.resources import Arena, Prepared, Profile, Profiled, Usage, Used
from tinyhil.link.states import EventKind, State

_Q = TypeVar("_Q", bound=Message)
_A = TypeVar("_A", bound=Message)


Handler = Callable[[int, _Q, _A, DeviceDescription], WorkDone]
"""Makes the caller's event of the ticket, a request, its answer and the device. It raises RemoteLinkError where those
do not fit together."""


class Needs(Enum):
    """What a device has to have before it carries a request out. Else it answers `not ready`, or `init failed`."""

    NOTHING = "nothing"
    SESSION = "a session"
    MODEL = "the model"


@dataclass(frozen=True)
class Row(Generic[_Q, _A]):
    """One exchange.

    Attributes:
        request: the message that the host sends.
        answer: the message that answers it; an ERROR may do so as well.
        needs: what the device has to have. Greeting and goodbye need nothing.
        alone: nothing else may be on its way meanwhile.
        optional: a device may be too old to know it, and then answers `unknown type`, which ends nothing.
        resumes_after: an ERROR after which the caller's work goes on by itself.
        answer_bytes: of the longest payload of a sound answer, where it is not that of WELCOME: from the request and
            the device.
        handler: makes the caller's event where the request is all that the caller asks for; None for what is a part of
            the handshake, or of ``infer`` and ``profile``.
        state: in which the answer is waited for.
        leads_to: the state after the last answer of this kind.
    """

    request: type[_Q]
    answer: type[_A]
    needs: Needs = Needs.MODEL
    alone: bool = False
    optional: bool = False
    resumes_after: ErrorCode | None = None
    answer_bytes: Callable[[_Q, DeviceDescription], int] | None = None
    handler: Handler[_Q, _A] | None = None
    state: State = State.READY
    leads_to: State = State.READY

    @property
    def name(self) -> str:
        """The name of the request's type."""
        return self.request.TYPE.name

    @property
    def endless(self) -> bool:
        """Whether it is repeated at the same pace until it is answered, as a greeting is while a board boots."""
        return self.state is State.GREETING

    def is_answer(self, error: Error) -> bool:
        """Whether an ERROR is an answer like any other, rather than the end of the session."""
        return error.code is self.resumes_after or (self.optional and error.code is ErrorCode.UNKNOWN_TYPE)


_ROWS = (
    Row(Hello, Welcome, needs=Needs.NOTHING, state=State.GREETING, leads_to=State.DESCRIBING),
    Row(Describe, Tensor, state=State.DESCRIBING),
    Row(Infer, Result, answer_bytes=lambda infer, device: Result.HEADER_BYTES + infer.count * device.output_bytes),
    Row(Reset, Cleared, handler=handlers.answered),
    Row(Write, Written),
    Row(Run, Ran, resumes_after=ErrorCode.INPUTS_DIFFER),
    Row(Read, Data, answer_bytes=lambda read, device: read.length),
    Row(Usage, Used, needs=Needs.SESSION, alone=True, optional=True, handler=handlers.answered),
    Row(Arena, Prepared, needs=Needs.SESSION, alone=True, optional=True, handler=handlers.answered),
    Row(Profile, Profiled, alone=True, optional=True, answer_bytes=lambda profile, device: device.welcome.max_payload),
    Row(Baud, Switched, needs=Needs.SESSION, alone=True, optional=True, handler=handlers.answered),
    Row(Goodbye, Parted, needs=Needs.NOTHING, alone=True, optional=True, handler=handlers.answered),
    Row(Preprocess, Preprocessed, alone=True, optional=True, handler=handlers.answered),
)
"""In the order of their types."""


class Table:
    """The exchanges that a connection knows, and what follows from them.

    Args:
        rows: one for each request.
    """

    def __init__(self, rows: Iterable[Row[Any, Any]]) -> None:
        self._rows = tuple(rows)
        self._by_request = {row.request: row for row in self._rows}

    def __iter__(self) -> Iterator[Row[Any, Any]]:
        return iter(self._rows)

    def of(self, request: type[Message]) -> Row[Any, Any]:
        """The row of a request.

        Raises:
            LocalLinkError: there is none.
        """
        row = self._by_request.get(request)
        if row is None:
            raise LocalLinkError(f"{request.__name__} is no request of this link: it has no row in the table")
        return row

    @cached_property
    def transitions(self) -> dict[tuple[State, str], State]:
        """The state after each event that is possible in a state. A pair that is not here is refused."""
        ways = {(State.IDLE, str(EventKind.HELLO)): State.GREETING}
        for state in (State.GREETING, State.DESCRIBING, State.READY):
            rows = [row for row in self._rows if row.state is state]
            for row in rows:
                ways |= {(state, kind): target for kind, target in _moves(row)}
            if any(row.optional for row in rows):
                ways[state, label(ErrorCode.UNKNOWN_TYPE)] = state
            endless = all(row.endless for row in rows)
            if not endless:
                ways[state, EventKind.RESTART] = State.GREETING
            ways[state, EventKind.ERROR] = State.FAILED
            ways[state, EventKind.BROKEN_PROTOCOL] = State.FAILED
            if not endless:
                ways[state, EventKind.SILENCE] = State.FAILED
        return ways

    def diagram(self) -> str:
        """The transitions as the Mermaid diagram of docs/protocol.md: one arrow for each pair of states."""
        events: dict[tuple[State, State], list[str]] = {}
        for (source, kind), target in self.transitions.items():
            events.setdefault((source, target), []).append(kind)
        arrows = [f"    {a.name} --> {b.name}: {', '.join(kinds)}\n" for (a, b), kinds in events.items()]
        return "".join(["stateDiagram-v2\n", f"    [*] --> {State.IDLE.name}\n", *arrows])

    def list_of_messages(self) -> str:
        """The rows as the table of docs/protocol.md, "Messages"."""
        lines = [
            "| type | request | type | answer | the device needs | sent alone | optional |\n",
            "|---|---|---|---|---|---|---|\n",
        ]
        for row in self._rows:
            request, answer = row.request.TYPE, row.answer.TYPE
            marks = ["yes" if mark else "" for mark in (row.alone, row.optional)]
            cells = [f"0x{request:02X}", request.name, f"0x{answer:02X}", answer.name, row.needs.value, *marks]
            lines.append(f"| {' | '.join(cells)} |\n")
        return "".join([*lines, f"| | | 0x{Error.TYPE:02X} | {Error.TYPE.name} (to any request) | | | |\n"])


EXCHANGES = Table(_ROWS)
"""All exchanges of the protocol."""


def longest_answer(row: Row[Any, Any], request: Message, device: DeviceDescription | None) -> int:
    """Bytes of the longest payload of a sound answer to a request.

    Args:
        device: None where the handshake is not complete; no exchange of the handshake depends on it.
    """
    if row.answer_bytes is None or device is None:
        return MIN_PAYLOAD
    return row.answer_bytes(request, device)


def label(code: ErrorCode) -> str:
    """An error's name, as docs/protocol.md has it."""
    return code.name.lower().replace("_", " ")


def last(row: Row[Any, Any]) -> str:
    """What moves a session on where several requests of one kind are asked."""
    return f"last {row.answer.TYPE.name}"


def _moves(row: Row[Any, Any]) -> Iterator[tuple[str, State]]:
    """What happens to a session by one exchange, and the state after it."""
    answer = row.answer.TYPE.name
    if row.leads_to is row.state:
        yield row.name, row.state
    if row.endless or row.leads_to is row.state:
        yield answer, row.leads_to
    else:
        yield answer, row.state
        yield last(row), row.leads_to
    if row.resumes_after is not None:
        yield label(row.resumes_after), row.state
