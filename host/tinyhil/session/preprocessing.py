"""The preprocessing of a user's own firmware: raw samples go in, and what it makes of them for the model comes back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinyhil import kinds
from tinyhil.affine import TensorSpec
from tinyhil.artifacts.types import Array
from tinyhil.errors import DeviceError, InputError
from tinyhil.link.connection import Connection
from tinyhil.link.events import Answered, SamplePreprocessed
from tinyhil.link.preprocessing import Preprocess, Preprocessed
from tinyhil.session.session import Session
from tinyhil.session.tensors import outputs_of

_HIGHEST_NUMBER = 0xFF
"""Of a tensor in WRITE and READ."""


@dataclass(frozen=True)
class Features:
    """What a device has made of raw samples.

    Attributes:
        inputs: one array per input tensor of the model, (samples, *shape) in its dtype.
        ticks: of the device's clock that all samples took; None where it has no clock.
    """

    inputs: tuple[Array, ...]
    ticks: int | None


def features(session: Session, raw: Array, told: Callable[[int], None]) -> Features:
    """Has a device preprocess raw samples, one after the other.

    Args:
        session: the device.
        raw: (samples, *shape); integers of another type than the device's are taken for its own where they fit.
        told: after each sample how many are done.

    Raises:
        DeviceError: its firmware has no preprocessing, or the device stopped answering.
        InputError: the samples are none as its preprocessing takes.
        LinkError: it does not speak the protocol, or reports an error.
    """
    inputs = session.inputs
    if len(inputs) + len(session.outputs) > _HIGHEST_NUMBER + 1 or len(inputs) > _HIGHEST_NUMBER:
        raise DeviceError(
            "the model has too many tensors for its inputs to be read from the device",
            hint="preprocessing can be verified with up to 256 inputs and outputs together: leave out --raw",
        )
    fitted = _fitted(raw, _raw_sample(session))
    taken: list[bytes] = []
    ticks = 0
    for sample in fitted:
        done = session.in_one_go(lambda sample=sample: _one(session, sample.tobytes()), "a raw sample")  # type: ignore[misc]
        taken.append(done.inputs)
        ticks += done.ticks
        told(len(taken))
    return Features(outputs_of(b"".join(taken), inputs), ticks if session.welcome.tick_rate else None)


def _one(session: Session, sample: bytes) -> SamplePreprocessed:
    def ask(connection: Connection, now: float) -> int:
        return connection.preprocess(sample, now)

    done = session.answer_to(ask, "a raw sample")
    assert isinstance(done, SamplePreprocessed)
    return done


def _raw_sample(session: Session) -> Preprocessed:
    """What the device takes for a raw sample."""

    def ask(connection: Connection, now: float) -> int:
        return connection.ask(Preprocess(0), now)

    what = "the question for its preprocessing"
    told = session.in_one_go(lambda: session.answer_to(ask, what), what)
    if isinstance(told, Answered) and isinstance(told.answer, Preprocessed):
        return told.answer
    raise DeviceError(
        "the firmware has no preprocessing that could be asked for",
        hint="call tinyhil_preprocess(FUNCTION, RAW) behind tinyhil_setup() in the sketch, or leave out --raw",
        kind=kinds.NO_PREPROCESSING,
    )


def _fitted(raw: Array, wanted: Preprocessed) -> Array:
    """The samples as the device takes them: (samples, *shape) in its type."""
    spec = TensorSpec("raw", wanted.dtype, wanted.shape, 0.0, 0)
    if not raw.ndim or [size for size in raw.shape[1:] if size != 1] != [size for size in spec.shape if size != 1]:
        raise _wrong(f"have the shape {raw.shape[1:]}, and the device takes {spec.shape[1:]}")
    dtype = spec.dtype.numpy
    whole = raw.dtype.kind in "iu" and dtype.kind in "iu"
    if not whole and raw.dtype.kind != dtype.kind:
        raise _wrong(f"are {raw.dtype.name}, and the device takes {dtype.name}")
    if whole and not spec.dtype.limits[0] <= int(raw.min()) <= int(raw.max()) <= spec.dtype.limits[1]:
        raise _wrong(f"are from {raw.min()} to {raw.max()}, and the device takes {dtype.name}")
    return raw.astype(dtype).reshape(len(raw), *spec.shape)


def _wrong(what: str) -> InputError:
    return InputError(
        f"the raw samples {what}",
        hint="give them as the array that the sketch has registered, with an axis for the samples in front of it",
        kind=kinds.SAMPLES,
    )
