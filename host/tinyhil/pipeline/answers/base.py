"""What a run asks of whoever answers in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tinyhil.artifacts.retries import Tally
from tinyhil.artifacts.types import Capture, FirmwareImage, Project, QuantizedModel
from tinyhil.pipeline.run_preprocessing import RunPreprocessing
from tinyhil.pipeline.run_search import RunSearch
from tinyhil.progress import Reporter
from tinyhil.session import Identity
from tinyhil.session.recording import Header
from tinyhil.targets.model import LineName


@dataclass(frozen=True)
class Firmware:
    """What a device runs.

    Attributes:
        project: what it was built from.
        image: what was built.
    """

    project: Project
    image: FirmwareImage


@dataclass(frozen=True)
class Question:
    """What is asked of a device.

    Attributes:
        model: with the vectors that it is sent.
        firmware: what it runs.
        identity: what it has to say of itself.
        search: what is searched behind the vectors; None for nothing.
        header: what a recording of the answers begins with.
        preprocessing: asks for the firmware's own preprocessing, last of all; None where there are no raw samples.
    """

    model: QuantizedModel
    firmware: Firmware
    identity: Identity
    search: RunSearch | None
    header: Header
    preprocessing: RunPreprocessing | None = None


class Maker(Protocol):
    """Makes the firmware of a run."""

    def preflight(self) -> QuantizedModel:
        """The model, if the engine computes it right or the options force it."""

    def render(self) -> Project:
        """The project."""

    def build(self) -> FirmwareImage:
        """The image."""


class Answers(Protocol):
    """Who answers in a run."""

    @property
    def stage(self) -> str:
        """Name of the stage in which it answers."""

    @property
    def line(self) -> LineName | None:
        """What carries the bytes of an emulator that is started for the run; None where none is."""

    @property
    def retries(self) -> Tally:
        """What was done again so far."""

    def require(self, engine: str, *, device: bool = True) -> None:
        """Returns where a run can be carried out, as far as that can be told at once.

        Args:
            engine: name of the engine.
            device: whether the device is needed as well as its firmware.

        Raises:
            ConfigError: the firmware is the user's to build, and the options name none.
            MissingToolError: a program, a package or a library is not there.
            DeviceError: the port or the board is not there.
        """

    def firmware(self, maker: Maker) -> Firmware:
        """What the device runs; made, unless it is known without.

        Raises:
            BlockedError: the device cannot be had.
        """

    def capture(self, question: Question, reporter: Reporter) -> tuple[Capture, str]:
        """The answers to all vectors, and a line about them.

        Raises:
            BlockedError: the device cannot be had, does not answer, or is not the one that is meant.
        """
