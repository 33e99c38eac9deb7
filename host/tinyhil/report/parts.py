"""What each command of a CI job has found, kept in a folder until the job's files are made of all of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from tinyhil.artifacts import hashing, store
from tinyhil.artifacts.foreign import UNREADABLE
from tinyhil.report import files
from tinyhil.report.problems import Problem

MOST_CHARACTERS = 65_536
"""Of a comment at GitHub; GitLab takes more."""
_DETAILS = re.compile(r"<details>.*?</details>\n*", re.DOTALL)
_NAME_CHARACTERS = 16
_CUT = "\n\nThe rest is in the reports of this job.\n"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one command has found.

    Attributes:
        name: tells it from those of other commands of the job.
        rank: of its place in the comment, the lowest first.
        markdown: for the comment.
        problems: what is wrong.
        labels: what its figures are of.
        figures: by the names of the metrics.
        junit: of the gate; empty for none.
        job: that it belongs to.
    """

    name: str
    rank: int
    markdown: str
    problems: tuple[Problem, ...] = ()
    labels: dict[str, str] = {}
    figures: dict[str, float] = {}
    junit: str = ""
    job: str = ""


def leave(folder: Path, job: str, part: Part) -> None:
    """Writes a part, in the place of an earlier one of the same name.

    Raises:
        StorageError: the folder cannot be written.
    """
    values = files.carried(msgspec.to_builtins(msgspec.structs.replace(part, job=job)))
    name = hashing.of_json(values["name"])[:_NAME_CHARACTERS]
    store.write_bytes(folder / f"{name}.json", msgspec.json.encode(values))


def of_job(folder: Path, job: str) -> list[Part]:
    """The parts of a job, in their order: without those of earlier jobs, which a computer may keep."""
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            part = msgspec.json.decode(path.read_bytes(), type=Part)
        except UNREADABLE:
            continue  # of another version, or damaged: it says nothing of this job
        if part.job == job:
            found.append(part)
    return sorted(found, key=lambda part: (part.rank, part.name))


def comment(parts: Sequence[Part], name: str) -> str:
    """A comment on a pull request. Its first line, which is not shown, is by which it is found and updated.

    Where it would be too long, what is folded away is left out, of the last parts first.

    Args:
        name: of the comment; without a sign that ends a comment of HTML.
    """
    marker = f"<!-- tinyhil: {name} -->\n"
    texts = [part.markdown for part in parts if part.markdown]
    for number in reversed(range(len(texts))):
        if len(marker) + sum(map(len, texts)) + len(texts) <= MOST_CHARACTERS:
            break
        texts[number] = without_details(texts[number])
    return shortened(marker + "\n".join(texts), MOST_CHARACTERS)


def without_details(markdown: str) -> str:
    """Without what is folded away."""
    return _DETAILS.sub("", markdown)


def shortened(markdown: str, most: int) -> str:
    """At most so many characters; whole lines, and a word on what is missing where something is."""
    if len(markdown) <= most:
        return markdown
    kept = markdown[: max(0, most - len(_CUT))]
    return f"{kept.rpartition(chr(10))[0]}{_CUT}" if most >= len(_CUT) else ""
