"""The journal: every answer of the device, written down as it arrives, so that a run that was killed can go on.

::

    build/<recipe>/<target>/journal      identity, answer, answer, ..., end       (records.py)

The first record says what was asked of what: an answer is only worth something to a run with the same model, the same
firmware and the same vectors. Each answer covers the vectors of one request. Requests lie on a fixed grid (vector 0 to
n-1, n to 2n-1, ...), so a resumed run asks the very requests that an unbroken one asks, and ticks add up to the same.
The record *end* follows when the report has been written: device answers are never cached, so what has led to a report
is no longer resumed.

The file is replaced only when the first new answer has arrived: a run that does not even reach the device loses nothing
of an earlier one.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import asdict, dataclass
from dataclasses import fields as fields_of
from enum import IntEnum
from pathlib import Path
from typing import Protocol, Self

import msgspec

from tinyhil.artifacts import foreign, lock, store
from tinyhil.artifacts.types import Vectors
from tinyhil.session.records import RecordFile, fields, unpack

NAME = "journal"
FORMAT = 1

_ANSWER = struct.Struct("<QIQ")


class Kind(IntEnum):
    """What a record of the journal is."""

    IDENTITY = 1
    ANSWER = 2
    END = 3


@dataclass(frozen=True)
class Origin:
    """What answers are worth something for.

    Attributes:
        model_sha256: of the .tflite file.
        project_sha256: of the project that the firmware was built from.
        firmware_sha256: of the ELF file.
        vectors_sha256: see :func:`of_vectors`.
        format: of the file that carries this.
    """

    model_sha256: str
    project_sha256: str
    firmware_sha256: str
    vectors_sha256: str
    format: int = FORMAT

    def difference(self, other: Origin) -> str:
        """The first thing in which they differ, as a word; empty where they are equal."""
        ours, theirs = asdict(self), asdict(other)
        names = [
            field.name.removesuffix("_sha256") for field in fields_of(self) if ours[field.name] != theirs[field.name]
        ]
        return names[0] if names else ""


def of_vectors(vectors: Vectors) -> str:
    """SHA-256 over all that is sent to the device: dtype, shape and bytes of each input array."""
    digest = hashlib.sha256()
    for part in vectors.inputs:
        digest.update(f"{part.dtype.str} {part.shape}\n".encode())
        digest.update(part.tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Answer:
    """What the device answered to one request.

    Attributes:
        start: index of its first vector.
        count: how many vectors.
        ticks: of the device's clock, for all of them.
        outputs: all output tensors of each vector, one after the other.
    """

    start: int
    count: int
    ticks: int
    outputs: bytes

    def pack(self) -> bytes:
        """The answer as the body of a record."""
        return _ANSWER.pack(self.start, self.count, self.ticks) + self.outputs

    @classmethod
    def unpack(cls, body: bytes) -> Answer:
        """The inverse of :meth:`pack`.

        Raises:
            ValueError: the body is too short.
        """
        start, count, ticks = fields(_ANSWER, body, more=True)
        return cls(start, count, ticks, body[_ANSWER.size :])


class Ledger(Protocol):
    """Where a capture finds the answers that there are already, and puts new ones."""

    @property
    def answers(self) -> dict[int, Answer]:
        """The answers so far, by the index of their first vector."""

    @property
    def lasting(self) -> bool:
        """Whether they outlive this process."""

    def add(self, answer: Answer) -> None:
        """Keeps an answer."""


class Memory:
    """A ledger that nobody reads later."""

    lasting = False

    def __init__(self, answers: dict[int, Answer] | None = None) -> None:
        self.answers = answers or {}

    def add(self, answer: Answer) -> None:
        """Keeps an answer."""
        self.answers[answer.start] = answer


class Journal:
    """A ledger in a file.

    Ownership: one process at a time, which holds the lock of the folder.

    Args:
        path: the file.
        origin: what the answers are for.
        resume: whether to go on with what the file has.

    Attributes:
        answers: the answers so far, by the index of their first vector.
        resumed: how many vectors were found in the file.
        afresh: why nothing was found in a file that was to be resumed; empty otherwise.
    """

    lasting = True

    def __init__(self, path: Path, origin: Origin, *, resume: bool) -> None:
        self.answers: dict[int, Answer] = {}
        self.afresh = ""
        self._path = path
        self._origin = origin
        self._keep = 0
        self._file: RecordFile | None = None
        if resume:
            self._read()
        self.resumed = sum(answer.count for answer in self.answers.values())

    def add(self, answer: Answer) -> None:
        """Keeps an answer; it outlives this process from now on.

        Raises:
            StorageError: the disk is full, or the folder cannot be written.
        """
        if self._file is None:
            self._file = RecordFile(self._path, self._keep)
            if not self._keep:
                self._file.append(Kind.IDENTITY, msgspec.json.encode(self._origin))
        self._file.append(Kind.ANSWER, answer.pack())
        self.answers[answer.start] = answer

    def close(self) -> None:
        """Gives the file up."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> None:
        ended = False
        try:
            stream = self._path.open("rb")
        except FileNotFoundError:
            self.afresh = "there is no journal"
            return
        with stream:
            for record in unpack(stream):
                if record.start == 0:
                    self.afresh = self._other_origin(record.kind, record.body)
                    if self.afresh:
                        return
                elif record.kind == Kind.ANSWER:
                    try:
                        answer = Answer.unpack(record.body)
                    except ValueError:  # what is torn is asked for again, and so is what is no answer
                        break
                    self.answers[answer.start] = answer
                ended = record.kind == Kind.END
                self._keep = record.end
        if ended or not self._keep:
            self.afresh = "the run that wrote the journal is complete" if ended else "the journal is empty"
            self.answers.clear()
            self._keep = 0

    def _other_origin(self, kind: int, body: bytes) -> str:
        """Why the journal that begins with this record is none of ours; empty if it is."""
        try:
            found = msgspec.json.decode(body, type=Origin) if kind == Kind.IDENTITY else None
        except foreign.UNREADABLE:
            found = None
        if found is None:
            return "the journal is not of this version"
        difference = self._origin.difference(found)
        return f"the journal is of another {difference}" if difference else ""


def conclude(path: Path) -> None:
    """Notes that the journal's run has led to a report.

    Where another process works in the folder meanwhile, the journal is that one's by now, and left alone.

    Raises:
        StorageError: the folder cannot be written.
    """
    try:
        handle = lock.claim(path.parent / lock.NAME)
    except lock.HeldError:
        return
    try:
        with store.storage(path), path.open("rb") as stream:
            keep = max((record.end for record in unpack(stream)), default=0)
        with RecordFile(path, keep) as file:
            file.append(Kind.END, b"")
    finally:
        lock.release(handle)
