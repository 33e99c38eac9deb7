"""What GitHub's runner is told without being asked: a summary of the step, and an annotation at the recipe's file.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands: a command is a line of the log, in
which the properties and the text are escaped; a summary is Markdown that is appended to a file, 1 MiB a step at most.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tinyhil.cli.session import Output

if TYPE_CHECKING:
    from tinyhil.pipeline.run import Run

MOST_BYTES = 1 << 20
_TEXT = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_TEXT, ":": "%3A", ",": "%2C"}


def is_runner() -> bool:
    """Whether this is a job of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def tell(output: Output, run: Run) -> str:
    """Says what became of a run that has ended.

    Returns:
        Why the summary could not be written, in a line; empty where it was, or where nothing is to be said.
    """
    if not is_runner() or run.concluded is None:
        return ""
    from tinyhil.report import terminal
    from tinyhil.report.markdown import to_markdown

    report, _ = run.concluded
    if report.verdict != "pass":
        title = f"tinyhil: {report.recipe} on {report.target}"
        # Past the console, which writes out what a CI system obeys: this is to be obeyed.
        output.console.file.write(f"{annotation(terminal.verdict(report), title, file_of(run))}\n")
    return summarize(to_markdown(report))


def annotation(text: str, title: str, file: str = "") -> str:
    """The command that shows an error, at a file of the repository where there is one."""
    properties = [("file", file)] if file else []
    properties.append(("title", title))
    said = ",".join(f"{name}={_escaped(value, _PROPERTY)}" for name, value in properties)
    return f"::error {said}::{_escaped(text, _TEXT)}"


def summarize(markdown: str) -> str:
    """Appends to the summary of the step; what is folded away is left out where it would be too long.

    Returns:
        Why it could not be written; empty where it was, or where there is none.
    """
    path = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if not is_runner() or not path:
        return ""
    content = markdown.encode(errors="backslashreplace")
    try:
        there = Path(path).stat().st_size if Path(path).exists() else 0
        if there + len(content) > MOST_BYTES:
            content = markdown.partition("<details>")[0].encode(errors="backslashreplace")[: max(0, MOST_BYTES - there)]
        with Path(path).open("ab") as stream:
            stream.write(content + b"\n")
    except OSError as error:
        return f"the summary of this step is not written: {path}: {error.strerror}"
    return ""


def file_of(run: Run) -> str:
    """The recipe's or the model's file below the current folder; empty where it is none of the repository's."""
    from tinyhil.config import recipe
    from tinyhil.errors import TinyhilError

    try:
        path = Path(run.source.file) if run.source.file else recipe.find(run.name)
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except (TinyhilError, ValueError):
        return ""


def _escaped(text: str, signs: dict[str, str]) -> str:
    return "".join(signs.get(letter, letter) for letter in text)
