"""What is said of a fault of tinyhil, and the crash report that is kept of it: all that a report needs, and no data.

The report has the versions, the command and the traceback, which shows lines of code and no values. It lies in the
user's cache, or where that cannot be written in the folder for temporary files.
"""

from __future__ import annotations

import os
import platform
import shlex
import sys
import tempfile
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tinyhil import kinds, resources
from tinyhil.plain_text import plain

_FOLDER = "crashes"
_KEPT = 20
"""Crash reports, of which the oldest is removed."""
_PACKAGES = ("tinyhil", "numpy", "msgspec", "typer", "tensorflow", "keras", "tflite-micro", "bakenn", "platformio")


def told(error: BaseException) -> Iterator[str]:
    """The lines about a fault: what it is, where its crash report lies, and the next step."""
    cause = error.__cause__ or error
    first = (str(cause).splitlines() or [""])[0]
    said = f"{type(cause).__name__}: {first}".removesuffix(": ")
    frames = traceback.extract_tb(cause.__traceback__)
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    yield plain(f"error {kinds.FAULT.id}: a fault of tinyhil: {said}{place}")
    file = _kept(_report(error))
    yield f"crash report: {file}" if file else "crash report: none could be written; --verbose shows the traceback"
    yield f"next:  {kinds.FAULT.steps[0]}"


def _report(error: BaseException) -> str:
    lines = [
        "crash report of tinyhil",
        f"at       {datetime.now(UTC).isoformat(timespec='seconds')}",
        f"command  {shlex.join(['tinyhil', *sys.argv[1:]])}",
        f"python   {sys.version.split()[0]} on {platform.platform()}",
        *(f"package  {name} {found}" for name in _PACKAGES if (found := _version(name))),
        "",
        *(line.rstrip("\n") for line in traceback.format_exception(error)),
    ]
    return "".join(f"{plain(line)}\n" for line in lines)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _kept(report: str) -> Path | None:
    """The file with the report, None where none can be written."""
    for folder in (resources.user_cache() / _FOLDER, Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for old in sorted(folder.glob("tinyhil-crash-*.txt"))[: -_KEPT + 1]:
                old.unlink()
            name = f"tinyhil-crash-{datetime.now(UTC):%Y%m%d-%H%M%S}-{os.getpid()}.txt"
            (folder / name).write_text(report, encoding="utf-8")
        except (OSError, RuntimeError):
            continue
        return folder / name
    return None
