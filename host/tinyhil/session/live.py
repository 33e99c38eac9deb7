"""An open session with a running device, to be asked whatever its owner wants to know.

:func:`tinyhil.session.capture` asks for all vectors of a model and judges nothing else. This is for the rest: a few
inputs of one's own, the memory in use, a second greeting. A line that is lost is waited for, as there: what was not
answered is asked again when it is back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Self, TypeVar

import numpy as np
import numpy.typing as npt

from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array, Reals, Resources
from tinyhil.deadline import Deadline
from tinyhil.errors import DeviceError, InputError, PortLostError
from tinyhil.link.events import Inferred, UsageTold, WorkDone
from tinyhil.link.messages import Welcome
from tinyhil.progress import Reporter
from tinyhil.session.conversation import Check, Conversation, RestartError
from tinyhil.session.identity import Identity
from tinyhil.session.lines import Lines
from tinyhil.session.measuring import resources_of
from tinyhil.session.stage import batches_of, outputs_of, records_of
from tinyhil.targets.model import Target

_A = TypeVar("_A")


@dataclass(frozen=True)
class Answers:
    """What a device has answered.

    Attributes:
        inputs: what it was given: one array per input tensor, (vectors, *shape) in the tensor's dtype.
        outputs: one array per output tensor, likewise.
        specs: the output tensors.
        ticks: of the device's clock, for all vectors together; None where it has no clock.
    """

    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]
    specs: tuple[TensorSpec, ...]
    ticks: int | None

    @property
    def count(self) -> int:
        """How many vectors there are."""
        return len(self.inputs[0])

    @property
    def real(self) -> tuple[Reals, ...]:
        """The outputs in real units, (vectors, *shape) as float64."""
        return tuple(spec.dequantize(part) for spec, part in zip(self.specs, self.outputs, strict=True))


class LiveSession:
    """A device that was greeted and is who it should be; nothing is on its way between two calls.

    Ownership: opens a line, and holds it until it is closed. Not for use by two threads.

    Args:
        lines: how the device is reached.
        identity: what it has to be.
        target: its facts.
        check: raises DeviceError if the device's program has died.
        reporter: told what the device prints.

    Attributes:
        welcome: what the device has said of itself last.

    Raises:
        DeviceError: here and in every method: the device cannot be reached, does not answer, or is not the one that is
            meant.
        LinkError: likewise: it does not speak the protocol, or reports an error.
    """

    def __init__(self, lines: Lines, identity: Identity, target: Target, check: Check, reporter: Reporter) -> None:
        self._lines = lines
        self._identity = identity
        self._target = target
        self._check = check
        self._reporter = reporter
        self._lost = False
        self._back_by: Deadline | None = None
        try:
            self._line = lines.open(Deadline.after(target.link.answer_within))
            self._talk = Conversation(self._line, target, check, reporter)
            try:
                self.welcome = self._talk.handshake(identity)
            except BaseException:
                self.close()
                raise
        except DeviceError:
            check()  # if the device's program has died, that is the cause to report
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
    def counters(self) -> dict[str, int]:
        """Figures of the link since the last greeting: ``frames_sent``, ``resends``, ``restarts``, ``rejected``, ..."""
        plain = asdict(self._talk.connection.counters)
        return {**plain, "rejected": sum(plain["rejected"].values())}

    def infer(self, *inputs: npt.ArrayLike, on_answer: Callable[[int], None] | None = None) -> Answers:
        """Has the device compute outputs for inputs, in one row; a model that keeps state is reset before it.

        Args:
            inputs: for each input tensor its values, the first axis the vector. Floats are real values, which are
                quantized as the tensor says; integers are taken as they are.
            on_answer: told after each answer how many vectors are answered.

        Raises:
            InputError: the values do not fit the tensors.
        """
        vectors = quantized(inputs, self.inputs)
        stateful = self.welcome.stateful
        most = min(self._talk.connection.capacity, self._target.link.max_batch)
        batches = batches_of(records_of(vectors), most)
        answers: dict[int, Inferred] = {}

        def ask() -> None:
            if stateful:
                answers.clear()
            missing = [index for index in range(len(batches)) if index not in answers]
            rows = [b"".join(batches[index]) for index in missing]
            for place, answer in self._talk.answers(rows, [len(batches[index]) for index in missing]):
                answers[missing[place]] = answer
                self._back_by = None
                if on_answer is not None:
                    on_answer(sum(each.count for each in answers.values()))

        self._over_losses(ask)
        took = sum(answer.ticks for answer in answers.values())
        return Answers(
            inputs=vectors,
            outputs=outputs_of(b"".join(answers[index].outputs for index in range(len(batches))), self.outputs),
            specs=self.outputs,
            ticks=took if self.welcome.tick_rate else None,
        )

    def greet(self) -> Welcome:
        """Greets the device anew and returns what it says; another ``boot_id`` than before is another start."""

        def ask() -> Welcome:
            self._talk.begin_again()
            self.welcome = self._talk.handshake(self._identity)
            return self.welcome

        return self._over_losses(ask)

    def reset(self) -> None:
        """Puts a model that keeps state back to its state after start; the device goes on running."""
        self._answer_to(lambda now: self._talk.connection.reset(now), "a reset")

    def usage(self) -> Resources | None:
        """The memory that the device uses; None where its firmware is older than the question."""
        told = self._answer_to(lambda now: self._talk.connection.usage(now), "the question for its memory")
        return resources_of(told.used) if isinstance(told, UsageTold) else None

    def close(self) -> None:
        """Gives up the line; the device goes on running."""
        self._line.transport.close()

    def _answer_to(self, question: Callable[[float], int], what: str) -> WorkDone:
        """The answer to a question that a restart does not change."""

        def ask() -> WorkDone:
            restarts = 0
            while True:
                try:
                    return self._talk.answer_to(question, what)
                except RestartError:
                    restarts += 1
                    self._talk.give_up_after(restarts, what)

        return self._over_losses(ask)

    def _over_losses(self, ask: Callable[[], _A]) -> _A:
        """Asks, and asks again on a new line as long as the port was not away for too long without an answer."""
        self._back_by = None
        while True:
            try:
                if self._lost:
                    self._reopen()
                return ask()
            except PortLostError as error:
                self._lost = True
                self._back_by = self._back_by or Deadline.after(self._target.link.answer_within)
                if self._back_by.expired:
                    raise
                self._reporter.text(f"{error.message}; waiting for the port to come back")
            except DeviceError:
                self._check()  # as above
                raise

    def _reopen(self) -> None:
        self.close()
        self._line = self._lines.reopen(self._back_by or Deadline.after(self._target.link.answer_within), self._check)
        self._talk = Conversation(self._line, self._target, self._check, self._reporter)
        self.welcome = self._talk.handshake(self._identity)
        self._lost = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives up the line."""
        self.close()


def quantized(inputs: Sequence[npt.ArrayLike], specs: Sequence[TensorSpec]) -> tuple[Array, ...]:
    """Values of one's own as the tensors take them.

    Args:
        inputs: for each tensor its values, (vectors, *shape), where the shape may lack the batch axis of 1, or be
            missing for a tensor of one element. Floats are real values; integers are the tensor's own.
        specs: the tensors.

    Returns:
        One array per tensor, (vectors, *shape) in its dtype.

    Raises:
        InputError: the values do not fit.
    """
    if len(inputs) != len(specs):
        raise InputError(f"the model has {len(specs)} input tensors, {len(inputs)} were given")
    arrays = [np.asarray(values) for values in inputs]
    counts = {len(values) if values.ndim else 0 for values in arrays}
    if len(counts) != 1 or not min(counts):
        raise InputError("every input needs the same number of vectors, at least one: the first axis is the vector")
    return tuple(_fitted(values, spec) for values, spec in zip(arrays, specs, strict=True))


def _fitted(values: Array, spec: TensorSpec) -> Array:
    shaped = values.shape[1:] == spec.shape or (1, *values.shape[1:]) == spec.shape
    if not shaped and not (values.ndim == 1 and spec.elements == 1):
        raise InputError(
            f"input {spec.name!r} takes vectors of shape {spec.shape}, not {values.shape[1:]}",
            hint="the first axis is the vector",
        )
    values = values.reshape(len(values), *spec.shape)
    if values.dtype.kind == "f":
        try:
            return spec.quantize(values)
        except ValueError as error:
            raise InputError(str(error)) from error
    if values.dtype.kind not in "iu" or spec.dtype.numpy.kind == "f":
        raise InputError(f"input {spec.name!r} is {spec.dtype.name.lower()}, not {values.dtype.name}")
    lowest, highest = spec.dtype.limits
    if values.min() < lowest or values.max() > highest:
        raise InputError(f"input {spec.name!r} takes integers from {lowest} to {highest}")
    return values.astype(spec.dtype.numpy)
