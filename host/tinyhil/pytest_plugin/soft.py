"""Checks that go on after a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinyhil.pytest_plugin.dut import Dut

if TYPE_CHECKING:
    from tinyhil.session import Answers


class Soft:
    """Collects what is wrong; the test fails at its end with all of it. Each check says whether it held.

    Args:
        dut: what answers are compared for.

    Attributes:
        findings: what was wrong so far, one text each.
    """

    def __init__(self, dut: Dut) -> None:
        self.findings: list[str] = []
        self._dut = dut

    def exact(self, answers: Answers, what: str = "") -> bool:
        """Every output has to be the integer reference's, bit for bit.

        Args:
            answers: from ``session.infer``, ``dut.infer`` or ``dut.answers``.
            what: in words, what was asked, for the message.
        """
        return self.within(answers, 0, what)

    def within(self, answers: Answers, max_lsb: int, what: str = "") -> bool:
        """No output may differ from the integer reference's by more than ``max_lsb``; otherwise as ``exact``."""
        return self._note(self._dut.diff(answers, max_lsb), what)

    def that(self, condition: object, message: str) -> bool:
        """Something else has to be true."""
        return self._note("" if condition else message, "")

    @property
    def told(self) -> str:
        """All findings as one text."""
        return "\n\n".join(self.findings)

    def _note(self, finding: str, what: str) -> bool:
        if finding:
            self.findings.append(f"{what}: {finding}" if what else finding)
        return not finding
