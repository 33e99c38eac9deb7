"""A session with a running device: what a run, a search, a measurement, the sizing of an arena and a user's test use.

One place for what can go wrong in between:

- *The port goes away.* The session waits for it, opens it under whatever name it has by then, greets the device, and
  asks for what is unanswered. It gives up when the port stays away for ``answer_within``, or is lost again and again
  without the device coming further than before.
- *The device restarts.* What is asked for vector by vector goes on; a model that keeps state is reset and begins again
  with the first vector. What has to be asked without a break (:meth:`Session.in_one_go`) is asked from its beginning.
- *The run is killed.* Answers that go to a journal are there for the next one (journal.py); errors name them.

A port that is lost ends what was going on, from the outermost :meth:`Session.over_losses` on: the whole of it is begun
again, and the answers that its ledgers hold are not asked for a second time.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Self, TypeVar

import numpy.typing as npt

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array, OperatorTicks, Resources
from tinyhil.deadline import Deadline
from tinyhil.errors import BlockedError, DeviceError, PortLostError, UnansweredError
from tinyhil.link.connection import Connection
from tinyhil.link.counters import Counters
from tinyhil.link.events import Answered, OperatorsTimed, WorkDone
from tinyhil.link.evidence import Evidence
from tinyhil.link.frames import MAX_PAYLOAD
from tinyhil.link.messages import Welcome
from tinyhil.link.resources import Used
from tinyhil.progress import Reporter
from tinyhil.session.answers import Answers, resources_of
from tinyhil.session.conversation import Check, Conversation, RestartError
from tinyhil.session.explained import LongLostError, explain, name_what_is_kept
from tinyhil.session.grid import Grid
from tinyhil.session.identity import Identity
from tinyhil.session.journal import Answer, Ledger, Memory
from tinyhil.session.lengths import REGREET_SECONDS, shorter
from tinyhil.session.lines import Lines
from tinyhil.session.losses import Losses
from tinyhil.session.tensors import outputs_of, quantized, records_of
from tinyhil.targets.model import Target

_A = TypeVar("_A")

Question = Callable[[Connection, float], int]
"""A method of the connection that asks for one thing: told the time, it returns a ticket."""

OnAnswer = Callable[[int], None]
"""Told after each answer how many vectors are answered."""


class Session:
    """A device that was greeted and is who it should be; nothing is on its way between two calls.

    Ownership: opens a line, and holds it until it is closed. Not for use by two threads.

    Args:
        lines: how the device is reached.
        identity: what it has to be.
        target: its facts.
        check: raises DeviceError if the device's program has died.
        reporter: told what the device prints.
        ledger: where answers are kept that errors have to name; one that nobody reads later by default.

    Attributes:
        target: the device's facts.
        reporter: told what the device prints.
        ledger: where answers are kept.
        welcome: what the device has said of itself last.
        longest_payload: bytes of a payload at most; fewer than the protocol's where long ones were lost.

    Raises:
        DeviceError, LinkError: here and in every method, as ``open_session``. What was answered is in the ledger.
    """

    welcome: Welcome

    def __init__(
        self,
        lines: Lines,
        identity: Identity,
        target: Target,
        check: Check,
        reporter: Reporter,
        ledger: Ledger | None = None,
    ) -> None:
        self.target = target
        self.ledger: Ledger = Memory() if ledger is None else ledger
        self.reporter = reporter
        self._lines = lines
        self._identity = identity
        self._check = check
        self._talk: Conversation | None = None
        self._was_open = self._closed = False
        self._losses = Losses(target.link.answer_within)
        self._losses_covered = self._restarts_covered = False
        self._kept_of = self._reopened = 0
        self._before, self._evidence = Counters(), Evidence()
        self.longest_payload = MAX_PAYLOAD
        try:
            self.over_losses(lambda: None)
        except BaseException:
            self._give_up_line()
            raise

    @property
    def inputs(self) -> tuple[TensorSpec, ...]:
        """The model's input tensors."""
        return self._identity.inputs

    @property
    def outputs(self) -> tuple[TensorSpec, ...]:
        """The model's output tensors."""
        return self._identity.outputs

    @property
    def link_counters(self) -> Counters:
        """Figures of the link since the session was opened, over all lines that it has had."""
        return self._before if self._talk is None else self._before + self._talk.counters

    @property
    def line_rate(self) -> int:
        """Rate of the line in bit/s: where it can be raised, that may take until something has been asked."""
        return self._conversation.line_rate

    @property
    def counters(self) -> dict[str, int]:
        """The same by name: ``resends``, ``restarts``, ``rejected``, ...; and ``ports_reopened``."""
        return {**self.link_counters.numbers, "ports_reopened": self._reopened}

    def infer(self, *inputs: npt.ArrayLike, on_answer: OnAnswer | None = None) -> Answers:
        """Has the device compute outputs for inputs, in one row; a model that keeps state is reset before it.

        Args:
            inputs: for each input tensor its values, the first axis the vector. Floats are real values, which are
                quantized as the tensor says; integers are taken as they are.
            on_answer: told after each answer how many vectors are answered.

        Raises:
            InputError: the values do not fit the tensors.
        """
        return self.answers_to(quantized(inputs, self.inputs), on_answer=on_answer)

    def answers_to(
        self, inputs: tuple[Array, ...], ledger: Ledger | None = None, on_answer: OnAnswer | None = None
    ) -> Answers:
        """As ``infer``, for inputs that are as the tensors take them, and asking only for what a ledger lacks.

        Args:
            inputs: one array per input tensor, (vectors, *shape) in its dtype.
            ledger: has the answers so far, which are worth nothing to a model that keeps state; each new answer is
                added at once.
            on_answer: as for ``infer``.
        """
        records = records_of(inputs)
        kept = Memory() if ledger is None else ledger
        if kept is self.ledger:
            self._kept_of = len(records)
        answers = self.over_losses(lambda: self._fetch_in_any_length(records, kept, on_answer))
        return Answers(
            inputs=inputs,
            outputs=outputs_of(b"".join(answer.outputs for answer in answers), self.outputs),
            specs=self.outputs,
            ticks=sum(answer.ticks for answer in answers) if self.welcome.tick_rate else None,
            requests=len(answers),
        )

    def greet(self) -> Welcome:
        """Greets the device anew and returns what it says; another ``boot_id`` than before is another start."""

        def again() -> Welcome:
            self._conversation.begin_again()
            self.welcome = self._conversation.handshake(self._identity)
            return self.welcome

        return self.over_losses(again)

    def reset(self) -> None:
        """Puts a model that keeps state back to its state after start; the device goes on running."""
        self._answer_in_one_go(Connection.reset, "a reset")

    def usage(self) -> Resources | None:
        """The memory that the device uses; None where its firmware is older than the question."""
        told = self._answer_in_one_go(Connection.usage, "the question for its memory")
        return resources_of(told.answer) if isinstance(told, Answered) and isinstance(told.answer, Used) else None

    def profile(self) -> tuple[OperatorTicks, ...] | None:
        """Times each operator in one inference on the inputs as they stand, which is that of the last answer.

        Returns:
            The operators in the order of execution; None where the firmware is older than the question.
        """
        told = self._answer_in_one_go(Connection.profile, "a profile")
        return told.operators if isinstance(told, OperatorsTimed) else None

    def answer_to(self, question: Question, what: str) -> WorkDone:
        """Asks for one thing, with nothing else on its way, and returns the answer.

        Args:
            question: such as ``Connection.usage``.
            what: in words, for errors.

        Raises:
            RestartError: the device has restarted meanwhile; for who asks for more than one thing ``in_one_go``.
        """

        def ask() -> WorkDone:
            talk = self._conversation
            return talk.answer_to(lambda now: question(talk.connection, now), what)

        return self.over_losses(ask)

    def over_losses(self, work: Callable[[], _A]) -> _A:
        """Carries work out, and begins it again on a new line where the port was lost.

        Within other such work a loss is that one's affair.
        """
        if self._losses_covered:
            return work()
        self._losses_covered = True
        self._losses = Losses(self.target.link.answer_within)
        try:
            return self._again_and_again(work)
        except BlockedError as error:
            explain(error, self._evidence)
            name_what_is_kept(error, self.ledger, self._kept_of)
            raise
        finally:
            self._losses_covered = False

    def in_one_go(self, work: Callable[[], _A], what: str) -> _A:
        """Carries work out without a break: all of it again where the device has restarted or the port was lost.

        Args:
            work: asks this session.
            what: in words, for errors.
        """

        def ask() -> _A:
            if self._restarts_covered:
                return work()
            restarts = 0
            self._restarts_covered = True
            try:
                while True:
                    try:
                        return work()
                    except RestartError:
                        restarts += 1
                        self._conversation.give_up_after(restarts, what)
            finally:
                self._restarts_covered = False

        return self.over_losses(ask)

    @contextlib.contextmanager
    def one_attempt(self) -> Iterator[None]:
        """Nothing is asked twice in it: a port that is lost and a device that restarts are raised at once."""
        before = self._losses_covered, self._restarts_covered
        self._losses_covered = self._restarts_covered = True
        try:
            yield
        except PortLostError:
            self._give_up_line()
            raise
        finally:
            self._losses_covered, self._restarts_covered = before

    def close(self) -> None:
        """Gives up the line, and says goodbye to a device that stays; it goes on running."""
        self._closed = True
        self._give_up_line(parting=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._give_up_line()
        elif self._talk is not None:
            self.reporter.text(f"link: {self.link_counters.describe()}")
        self.close()

    @property
    def _conversation(self) -> Conversation:
        self._open()
        assert self._talk is not None
        return self._talk

    def _answer_in_one_go(self, question: Question, what: str) -> WorkDone:
        return self.in_one_go(lambda: self.answer_to(question, what), what)

    def _fetch_in_any_length(self, records: list[bytes], ledger: Ledger, on_answer: OnAnswer | None) -> list[Answer]:
        """As ``_fetch``, in shorter requests where long ones are lost again and again."""
        while True:
            try:
                return self._fetch(records, ledger, on_answer)
            except LongLostError as error:
                self._shorten(error)

    def _shorten(self, lost: LongLostError) -> None:
        """Greets the device anew and asks less of it at once; raises UnansweredError where that is in vain."""
        talk = self._conversation
        limit = shorter(talk.connection.waiting.longest_frame)
        talk.begin_again(limit)
        try:
            self.welcome = talk.handshake(self._identity, REGREET_SECONDS)
        except UnansweredError:
            raise lost.silent from None
        if limit is None:
            raise lost.proven from None
        self.longest_payload = limit
        self.reporter.text(f"{lost.proven.message}; going on with at most {limit} bytes in a request")

    def _fetch(self, records: list[bytes], ledger: Ledger, on_answer: OnAnswer | None) -> list[Answer]:
        """Asks for what the ledger lacks."""
        talk, count = self._conversation, len(records)
        size = min(talk.connection.capacity, self.target.link.max_batch)
        grid = Grid(count, size, sum(spec.nbytes for spec in self.outputs))
        # What a model with state answers depends on all that it was asked before.
        missing = grid.missing({} if self.welcome.stateful else ledger.answers)
        self._losses.skip(len(grid.requests()) - len(missing))
        done = count - sum(vectors for _, vectors in missing)
        answered: set[int] = set()
        batches = [b"".join(records[start : start + vectors]) for start, vectors in missing]
        for index, answer in talk.answers(batches, [vectors for _, vectors in missing]):
            ledger.add(Answer(missing[index][0], answer.count, answer.ticks, answer.outputs))
            if index not in answered:
                answered.add(index)
                self._losses.step()
                done += answer.count
            if on_answer is not None:
                on_answer(done)
        return [ledger.answers[start] for start, _ in grid.requests()]

    def _again_and_again(self, work: Callable[[], _A]) -> _A:
        while True:
            try:
                self._open()
                return work()
            except PortLostError as error:
                self._check()  # if the device's program has died, that is the cause to report
                self._give_up_line()
                self._losses.count(error)
                self.reporter.text(f"{error.message}; waiting for the port to come back")
            except DeviceError:
                self._check()  # likewise
                raise

    def _open(self) -> None:
        """Opens a line where there is none, and greets the device."""
        if self._closed:
            raise DeviceError("the session is closed", hint="open another one")
        if self._talk is not None:
            return
        link = self.target.link
        patience = Deadline.after(link.answer_within)
        if self._was_open:
            line = self._lines.reopen(self._losses.back_by or patience, self._check)
            self._reopened += 1
        else:
            self._was_open = True
            line = self._lines.open(patience)
        self._talk = Conversation(
            *(line, link.baud, link.answer_within, self._check, self.reporter, self._evidence, self.longest_payload)
        )
        self.welcome = self._talk.handshake(self._identity)

    def _give_up_line(self, *, parting: bool = False) -> None:
        talk, self._talk = self._talk, None
        if talk is not None:
            self._before += talk.counters  # its farewell is no part of them
            talk.close(parting=parting)


def open_session(
    lines: Lines,
    identity: Identity,
    target: Target,
    check: Check,
    reporter: Reporter,
    *,
    ledger: Ledger | None = None,
) -> Session:
    """Opens a line, greets the device, and sees that it is the one that is meant. Use it as a context manager.

    Args:
        lines: how the device is reached: :class:`tinyhil.session.lines.PortLines`, or a recording.
        identity, target, check, reporter, ledger: as for :class:`Session`.

    Raises:
        DeviceError: it cannot be reached, never answers, or is not the one that is meant (StaleFirmwareError).
        LinkError: it does not speak the protocol, or reports an error.
    """
    return Session(lines, identity, target, check, reporter, ledger)
