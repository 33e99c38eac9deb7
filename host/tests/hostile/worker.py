"""Reads hostile files in a process that stays: one line of JSON for each case in, one out. Started by ``pool``."""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

from tinyhil.errors import InputError

from . import readers

MEMORY_BYTES = 512 << 20
"""More than a good file of a few KB has any reason to take."""


def case(reader: readers.Reader, good: list[bytes], seed: int) -> bytes:
    """The hostile file of a case."""
    rng = random.Random(f"{reader.name} {seed}")
    return reader.mutate(rng, rng.choice(good))


def attempt(reader: readers.Reader, path: Path, folder: Path) -> tuple[str, str]:
    """What becomes of a file: ``read``, ``refused``, or ``fault`` with the traceback."""
    _forget_peak()
    before = _peak()
    try:
        reader.read(path, folder)
        outcome, told = "read", ""
    except (InputError, readers.BLOCKS.get(reader.name, InputError)) as error:
        outcome, told = "refused", error.message
        if not error.hint:
            outcome, told = "fault", f"no next step: {error.message}"
    except BaseException:
        outcome, told = "fault", traceback.format_exc(limit=-8)
    if _peak() - before > MEMORY_BYTES:
        outcome, told = "fault", f"took {_peak() - before:,} bytes\n{told}"
    return outcome, told


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> int:
    """The most memory of this process so far, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def main(name: str, folder: Path) -> None:
    """Answers until its input ends."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_DATA, (4 << 30, 4 << 30))
    reader = readers.READERS[name]
    good = reader.good(folder)
    answers = sys.stdout
    sys.stdout = sys.stderr
    with tempfile.TemporaryDirectory(prefix="hostile-") as place:
        path = Path(place) / name
        for line in sys.stdin:
            request: dict[str, Any] = json.loads(line)
            path.write_bytes(case(reader, good, request["case"]))
            outcome, told = attempt(reader, path, folder)
            answers.write(json.dumps({"outcome": outcome, "told": told}) + "\n")
            answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
