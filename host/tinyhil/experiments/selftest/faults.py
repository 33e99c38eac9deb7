"""What a planted fault is: where it is planted, and which check has to notice it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from tinyhil.artifacts import store
from tinyhil.compare.verdict import Report
from tinyhil.errors import ToolError
from tinyhil.pipeline.observer import Observer
from tinyhil.pipeline.run import Run


class Check(Enum):
    """What can notice that something is wrong; the value is how reports call it."""

    FIDELITY = "fidelity"
    """The outputs against the integer reference."""
    ACCURACY = "accuracy"
    """The outputs against float model and truth."""
    MODEL = "identity of the model"
    """The model's SHA-256 in the handshake."""
    BUILD = "identity of the build"
    """The project's SHA-256 in the handshake."""
    TENSORS = "identity of the tensors"
    """Type, shape, scale and zero point of each tensor in the handshake."""
    CRC = "frame CRC"
    """The CRC-32 of what the device sends."""
    FRAMING = "framing"
    """COBS and the length of what the device sends."""
    SEQUENCE = "sequence number"
    """Each answer belongs to a request that was sent and is unanswered."""
    ANSWER = "form of the answer"
    """Type, length and count of an answer, held against what was asked."""
    DEVICE = "the device's refusal"
    """The device's own checks of what it is asked, which it tells in an ERROR."""
    FILE = "hash of the model file"
    """Where nothing is compiled: the device holds its model file against its description."""
    HEALTH = "health of the model"
    """What ``--strict`` fails a run for."""
    FINITE = "finite numbers of the model file"
    """Weights, constants and scales that are no finite numbers are refused."""
    SOUND = "soundness of the model file"
    """The parts of the file, held against one another."""
    SAMPLES = "reading of samples"
    """What is no file of samples, or has none that a model takes, is refused."""
    MANIFEST = "hash of a manifest"
    """What was kept is made again where it is not as it was written."""
    REPORT = "consistency of a report"
    """Figures and words of a report, held against one another."""
    ASKED = "identity of a report"
    """What a report is about, held against what is asked for."""


@dataclass(frozen=True)
class Edit:
    """A change in one source file of a rendered project.

    Attributes:
        path: of the file, relative to the project.
        old: a regular expression that matches at exactly one place.
        new: what is put there, or a function of the match.
    """

    path: str
    old: str
    new: str | Callable[[re.Match[str]], str]

    def apply(self, project: Path) -> None:
        """Changes the file.

        Raises:
            ToolError: there is not exactly one such place: the sources have moved on, and the fault has not.
            StorageError: the file cannot be written.
        """
        path = project / self.path
        text = path.read_text(encoding="utf-8")
        new = self.new
        changed, times = re.subn(self.old, (lambda _: new) if isinstance(new, str) else new, text)
        if times != 1 or changed == text:
            raise ToolError(f"{self.path} has {times} places of the kind that the self-test changes, not 1")
        store.write_text(path, changed)


@dataclass(frozen=True)
class Given:
    """What a fault of files is planted in.

    Attributes:
        true: the run without a fault.
        report: its report, a pass.
        folder: an empty one.
        observer: told of the stages.
    """

    true: Run
    report: Report
    folder: Path
    observer: Observer


@dataclass(frozen=True)
class Fault:
    """Something wrong that a run has to notice.

    Attributes:
        kind: what sort of fault.
        name: what is wrong, in words; no two faults of a plan share it.
        check: what has to notice it.
        change: changes the unpacked model (the schema's ``ModelT``) that the device is built from.
        told: whether the device then says whose model it has, as yesterday's firmware does; otherwise it claims to be
            the model.
        edits: changes in the project's sources, whose hash the device still claims.
        trial: plants a fault that no device has to do with, and has it read: returns what was noticed, nothing where
            nothing was, None where the fault is none in this model; or raises the refusal.
    """

    kind: str
    name: str
    check: Check
    change: Callable[[Any], None] | None = None
    told: bool = False
    edits: tuple[Edit, ...] = ()
    trial: Callable[[Given], str | None] | None = None


@dataclass(frozen=True)
class LeftOut:
    """Faults that a model or target offers no place for, and why."""

    kind: str
    why: str
