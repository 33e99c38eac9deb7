"""Times ``tinyhil history`` over 100,000 runs, as whole processes. Nothing is asserted: machines differ.

The runs are of six recipes on five targets, an hour apart, thirty of each commit; their figures change now and then.
"""

from __future__ import annotations

import hashlib
import os
import statistics
import tempfile
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from startup import TINYHIL, seconds
from tinyhil.compare.metrics import USUAL
from tinyhil.history import database, place
from tinyhil.history.models import StoredFigure, StoredReport, StoredRun

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
    engine = sa.create_engine(f"sqlite:///{where.database}")
    with engine.begin() as connection:
        connection.execute(sa.insert(StoredReport).values(sha256=REPORT, content=zlib.compress(b"{}")))
        for start in range(0, COUNT, AT_ONCE):
            numbers = range(start, start + AT_ONCE)
            connection.execute(sa.insert(StoredRun), [_run(number) for number in numbers])
            connection.execute(sa.insert(StoredFigure), [row for number in numbers for row in _figures(number)])
    engine.dispose()


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "history.db"
        os.environ[place.VARIABLE] = str(file)
        fill()
        print(f"{COUNT:,} runs, {file.stat().st_size / 1e6:,.0f} MB")
        print(f"{'tinyhil history':<52} {'median':>8} {'min':>8} {'max':>8} {'budget':>8}")
        for arguments in CALLS:
            argv = [TINYHIL, "history", *arguments]
            seconds(argv)  # the first run fills the file system's cache
            times = [seconds(argv) for _ in range(REPEATED)]
            shown = f"{statistics.median(times):>6.2f} s {min(times):>6.2f} s {max(times):>6.2f} s {BUDGET:>6.1f} s"
            print(f"{' '.join(arguments) or '(all)':<52} {shown}")


if __name__ == "__main__":
    main()
