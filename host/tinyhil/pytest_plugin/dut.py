"""The device under test, as tests are given it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tinyhil.plain_text import for_log

if TYPE_CHECKING:
    import numpy.typing as npt

    from tinyhil.artifacts.types import Capture, FirmwareImage, QuantizedModel
    from tinyhil.compare.verdict import Report
    from tinyhil.link.messages import Welcome
    from tinyhil.pipeline.run import Run
    from tinyhil.session import Answers


@dataclass(frozen=True)
class Dut:
    """The device under test: what was built for it, and what it has answered.

    Attributes:
        run: the run that made it.
        model: the quantized model, with its vectors.
        image: the firmware image.
        welcome: what the device said of itself.
        capture: its answers to all vectors.
    """

    run: Run
    model: QuantizedModel
    image: FirmwareImage
    welcome: Welcome
    capture: Capture

    @property
    def answers(self) -> Answers:
        """Its answers to all vectors, as ``infer`` gives them."""
        from tinyhil.session import Answers

        found = self.capture
        return Answers(self.model.vectors.inputs, found.outputs, self.model.outputs, found.ticks)

    @property
    def report(self) -> Report:
        """The whole report, which is also written to the build folder.

        Raises:
            BlockedError: it cannot be written.
            ConfigError: the recipe has a bound on something that it does not know.
        """
        from tinyhil import api

        return api.verify(self.run) if self.run.concluded is None else self.run.verify()

    def check(self) -> None:
        """Fails the test unless both verdicts hold, and shows the outputs that are wrong."""
        report = self.report
        if report.verdict != "pass":
            table = self.diff(self.answers, self.run.fidelity.max_lsb)
            told = filter(None, [f"{report.verdict}: {report.summary}", table])
            pytest.fail(for_log("\n".join(told)), pytrace=False)

    def infer(self, *inputs: npt.ArrayLike) -> Answers:
        """Starts the device, has it compute outputs for inputs, and stops it again.

        The fixture ``session`` is for more than one question: it keeps the device running.

        Args:
            inputs: as ``Session.infer`` takes them.

        Raises:
            BlockedError: the device cannot be had.
            InputError: the inputs do not fit the model.
        """
        from tinyhil import api

        with api.session_with(self.run) as session:
            return session.infer(*inputs)

    def diff(self, answers: Answers, max_lsb: int = 0) -> str:
        """The answers that differ from the integer reference by more than ``max_lsb``, as a table; empty if none does.

        Raises:
            BlockedError: the reference cannot be computed.
        """
        from tinyhil.compare import diff
        from tinyhil.pipeline.reference_outputs import reference_outputs

        wanted = reference_outputs(self.model, answers.inputs, stateful=self.welcome.stateful)
        return diff.table(
            (self.model.inputs, answers.inputs),
            (answers.specs, answers.outputs),
            wanted.reference,
            wanted.floats,
            max_lsb,
        )
