"""What GitHub's runner reads: annotations at files of the repository, and the summary of a step.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands: a command is a line of the log, in
which the properties and the text are escaped; a summary is Markdown that is appended to a file, 1 MiB a step at most.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinyhil.report.problems import Problem

MOST_BYTES = 1 << 20
MOST_ANNOTATIONS = 10
"""Of one level, that GitHub shows of a step."""
_LEVELS = {"blocker": "error", "critical": "error", "major": "error", "minor": "warning", "info": "notice"}
_TEXT = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_TEXT, ":": "%3A", ",": "%2C"}


def commands(found: Iterable[Problem]) -> Iterator[str]:
    """A command for all problems of one level that are about the same; the last one says how many are not shown."""
    grouped: dict[str, dict[tuple[str, str], list[str]]] = {}
    for one in found:
        grouped.setdefault(_LEVELS[one.severity], {}).setdefault((one.about, one.file), []).append(one.text)
    for level, groups in grouped.items():
        shown = list(groups.items())
        more = len(shown) - MOST_ANNOTATIONS
        if more > 0:
            shown = [*shown[: MOST_ANNOTATIONS - 1], (("", ""), [f"{more + 1} more of this kind are in the log"])]
        for (about, file), texts in shown:
            yield annotation("\n".join(texts), f"tinyhil: {about}" if about else "tinyhil", file, level)


def annotation(text: str, title: str, file: str = "", level: str = "error") -> str:
    """The command that shows an error, a warning or a notice, at a file of the repository where there is one."""
    properties = [("file", file)] if file else []
    properties.append(("title", title))
    said = ",".join(f"{name}={_escaped(value, _PROPERTY)}" for name, value in properties)
    return f"::{level} {said}::{_escaped(text, _TEXT)}"


def summarize(markdown: str) -> str:
    """Appends to the summary of the step; what is folded away is left out where it would be too long, then the end.

    Returns:
        Why it could not be written; empty where it was, or where there is none.
    """
    path = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if not path:
        return ""
    from tinyhil.report.parts import shortened, without_details

    try:
        there = Path(path).stat().st_size if Path(path).exists() else 0
        room = MOST_BYTES - there - 1
        content = _bytes(markdown)
        if len(content) > room:
            content = _bytes(without_details(markdown))
        if len(content) > room:  # in characters as many as bytes would fit if each had the most that UTF-8 has
            content = _bytes(shortened(without_details(markdown), max(0, room // 4)))
        with Path(path).open("ab") as stream:
            stream.write(content + b"\n" if content else b"")
    except OSError as error:
        return f"the summary of this step is not written: {path}: {error.strerror}"
    return ""


def _bytes(text: str) -> bytes:
    return text.encode(errors="backslashreplace")


def _escaped(text: str, signs: dict[str, str]) -> str:
    return "".join(signs.get(letter, letter) for letter in text)
