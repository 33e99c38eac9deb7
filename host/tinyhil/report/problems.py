"""What is wrong with a run, as systems show it beside the files of a change: one line each, with a place for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

import msgspec

from tinyhil.artifacts import hashing
from tinyhil.compare.verdict import Report
from tinyhil.report import terminal

Severity = Literal["info", "minor", "major", "critical", "blocker"]
"""As Code Climate has them."""


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        check: what has found it, such as ``fidelity`` or ``gate/flash``.
        about: what it is of: recipe and target.
        text: what is wrong, in a line or a few.
        severity: how bad it is.
        file: of the repository; empty where there is none.
    """

    check: str
    about: str
    text: str
    severity: Severity
    file: str = ""


def of_report(report: Report, file: str = "") -> Iterator[Problem]:
    """The verdict, where it is not a pass, and each warning."""
    about = f"{report.recipe} on {report.target}"
    if report.blocked is not None:
        yield Problem("run", about, terminal.verdict(report), "blocker", file)
    elif report.verdict != "pass":
        wrong = [part for part in (report.fidelity, report.preprocessing) if part is not None and not part.passed]
        check, severity = ("fidelity", "critical") if wrong else ("accuracy", "major")
        yield Problem(check, about, terminal.verdict(report), severity, file)  # type: ignore[arg-type]
    for finding in report.findings:
        if finding.level == "warning":
            yield Problem(f"health/{finding.kind}", about, f"{finding.cause}; next: {finding.hint}", "minor", file)


def to_code_quality(found: Iterable[Problem], elsewhere: str) -> list[dict[str, Any]]:
    """GitLab's report of code quality, https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format.

    A fingerprint is that of what is wrong with what, and not of by how much: so the same problem of two branches is
    known for the same.

    Args:
        elsewhere: the file that is named for what belongs to none: GitLab shows nothing without one.
    """
    return [
        {
            "description": f"{one.about}: {' '.join(one.text.split())}",
            "check_name": f"tinyhil/{one.check}",
            "fingerprint": hashing.of_json([one.check, one.about, one.file]),
            "severity": one.severity,
            "location": {"path": one.file or elsewhere, "lines": {"begin": 1}},
        }
        for one in found
    ]
