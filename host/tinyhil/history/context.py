"""What a report does not say of its run: when and where it was carried out, and of which commit."""

from __future__ import annotations

import math
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tinyhil import process
from tinyhil.errors import BlockedError

_GIT_SECONDS = 5.0
"""Longer than any checkout needs whose files are cached; a run that has ended does not wait longer for it."""
_YEARS = range(1970, 2200)
"""In which runs begin: no zone and no second more or less leads out of what a date can be."""
_CHANGED = ("1 ", "2 ", "u ")
"""How lines of ``git status --porcelain=v2`` begin that are about tracked files that differ from the commit."""
_BRANCH_OF_CI = ("GITHUB_HEAD_REF", "GITHUB_REF_NAME", "CI_COMMIT_REF_NAME", "BRANCH_NAME")
"""CI systems check out a commit, not a branch, and say the branch here."""
_COMMIT_OF_CI = ("GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT")


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """When and where a run was carried out.

    Attributes:
        began: when, in UTC.
        seconds: that it took; None where nobody knows.
        host: name of the computer; empty where nobody knows.
        commit: of the git repository, 40 or 64 hexadecimal digits; empty where there is none.
        branch: empty where there is none.
        dirty: whether tracked files differed from the commit; None where nobody knows.
        board: serial number of the board's USB device, or the port where it has none; empty where nobody knows which
            board it was, None where it was none.
    """

    began: datetime
    seconds: float | None = None
    host: str = ""
    commit: str = ""
    branch: str = ""
    dirty: bool | None = None
    board: str | None = None

    def __post_init__(self) -> None:
        """Refuses times that no run has, and one without a zone.

        Raises:
            ValueError: it has such a time.
        """
        if self.began.tzinfo is None or self.began.year not in _YEARS:
            raise ValueError(f"no run has begun at {self.began.isoformat()}")
        if self.seconds is not None and not 0 <= self.seconds < math.inf:
            raise ValueError(f"no run takes {self.seconds} seconds")


def here(began: datetime, seconds: float, board: str | None = None) -> Context:
    """The context of a run that has just ended in the current folder.

    Args:
        began: when it began, in any zone.
        seconds: that it took.
        board: as in ``Context``.
    """
    commit, branch, dirty = git(Path())
    return Context(
        began=began.astimezone(UTC),
        seconds=seconds,
        host=platform.node(),
        commit=commit,
        branch=branch,
        dirty=dirty,
        board=board,
    )


def git(folder: Path) -> tuple[str, str, bool | None]:
    """Commit, branch, and whether tracked files were changed since; as CI says where git does not."""
    commit, branch, dirty = _of_git(folder)
    return commit or _first(_COMMIT_OF_CI), branch or _first(_BRANCH_OF_CI), dirty


def _of_git(folder: Path) -> tuple[str, str, bool | None]:
    # Untracked files do not count: build folders are full of them, and looking for them takes long.
    options = ("-c", "core.fsmonitor=false", "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    try:
        printed = process.run(
            ["git", "-C", str(folder), *options],
            what="ask git for the commit",
            env={"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            within=_GIT_SECONDS,
        )
    except BlockedError:
        return "", "", None
    lines = printed.splitlines()
    said = dict(line[2:].partition(" ")[::2] for line in lines if line.startswith("# branch."))
    commit, branch = (  # in brackets: "(initial)", "(detached)"
        "" if value.startswith("(") else value for value in (said.get("branch.oid", ""), said.get("branch.head", ""))
    )
    return commit, branch, any(line.startswith(_CHANGED) for line in lines) if commit else None


def _first(names: tuple[str, ...]) -> str:
    return next((os.environ[name] for name in names if os.environ.get(name)), "")
