"""Times ``tinyhil history`` over 100,000 runs, as whole processes, in SQLite and, where it is installed, PostgreSQL.

Nothing is asserted: machines differ. Beside the time that passes is that of the processor, which says more on a busy
computer; what a server computes is not in it.

The runs are of six recipes on five targets, an hour apart, thirty of each commit; their figures change now and then.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
import statistics
import tempfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import postgresql
from startup import TINYHIL, seconds
from tinyhil.compare.metrics import USUAL
from tinyhil.history import database, place
from tinyhil.history.models import FIGURES, REPORTS, RUNS

COUNT = 100_000
AT_ONCE = 10_000
REPEATED = 5
BUDGET = 1.0
RECIPES, TARGETS = 6, 5
BEGIN = datetime(2020, 1, 1)
REPORT = "0" * 64
CALLS: tuple[tuple[str, ...], ...] = (
    (),
    ("recipe-1", "--target", "target-2"),
    ("--branch", "main", "--metric", "flash,instructions"),
)


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _run(number: int) -> dict[str, Any]:
    texts = dict.fromkeys(("kernels", "blocked_id", "source_sha256", "samples_sha256", "project_sha256"), "")
    return {
        **texts,
        "id": number + 1,
        "key": _sha256(f"key {number}"),
        "began": BEGIN + timedelta(hours=number),
        "seconds": 1.0,
        "host": "computer",
        "commit": _sha256(f"commit {number // 30}")[:40],
        "branch": "main" if number % 7 else "feature",
        "dirty": False,
        "verdict": "blocked" if number % 50 == 0 else "pass",
        "recipe": f"recipe-{number % RECIPES}",
        "target": f"target-{number // RECIPES % TARGETS}",
        "engine": "compiled",
        "scheme": "int8",
        "made_by": "tinyhil",
        "tool_versions": {"arm-none-eabi-gcc": "12.2"},
        "digest": _sha256(f"digest {number % 500}"),
        "model_sha256": _sha256("model"),
        "firmware_sha256": _sha256("firmware"),
        "report_sha256": REPORT,
        "board": None,
        "repeated": None,
    }


def _figures(number: int) -> Iterator[dict[str, Any]]:
    for place_, name in enumerate(USUAL):
        yield {"run_id": number + 1, "name": name, "value": 1000.0 * place_ + number // 3000}


def fill() -> None:
    """Makes the database that the environment names."""
    where = place.place()
    assert where is not None
    with database.opened(where):
        pass
    engine = sa.create_engine(where.url or f"sqlite:///{where.database}")
    with engine.begin() as connection:
        connection.execute(sa.insert(REPORTS).values(sha256=REPORT, content=zlib.compress(b"{}")))
        for start in range(0, COUNT, AT_ONCE):
            numbers = range(start, start + AT_ONCE)
            connection.execute(sa.insert(RUNS), [_run(number) for number in numbers])
            connection.execute(sa.insert(FIGURES), [row for number in numbers for row in _figures(number)])
    if where.url:  # what the server does by itself in its first quiet minute
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))
    engine.dispose()


def measure(name: str, where: str) -> None:
    """Prints the rows of one database, which is filled first."""
    os.environ[place.VARIABLE] = where
    fill()
    for arguments in CALLS:
        argv = [TINYHIL, "history", *arguments]
        seconds(argv)  # the first run fills the file system's cache
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        times = [seconds(argv) for _ in range(REPEATED)]
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        processor = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / REPEATED
        shown = "".join(f"{value:>8.2f} s" for value in (statistics.median(times), min(times), processor, BUDGET))
        print(f"{name:<11} {' '.join(arguments) or '(all)':<44}{shown}", flush=True)


def main() -> None:
    """Prints the table."""
    print(f"{COUNT:,} runs; load of the computer: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    heads = "".join(f"{head:>10}" for head in ("median", "min", "processor", "budget"))
    print(f"{'':<11} {'tinyhil history':<44}{heads}")
    # In a folder of its own: the records that wait in the current one would be taken in by the server.
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        measure("SQLite", str(Path(folder) / "history.db"))
        programs = postgresql.programs()
        if programs is None:
            print("PostgreSQL is not installed: tools/system-packages database")
            return
        with postgresql.running(programs) as server:
            measure("PostgreSQL", server.database("history"))


if __name__ == "__main__":
    main()
