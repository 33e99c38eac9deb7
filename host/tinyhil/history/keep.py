"""A run is kept once its verdict has been shown: what goes wrong here is one line, and never the run's."""

from __future__ import annotations

from tinyhil.artifacts.foreign import first_line
from tinyhil.errors import TinyhilError
from tinyhil.history import record
from tinyhil.history.context import here
from tinyhil.history.place import place
from tinyhil.pipeline.run import Run


def keep(run: Run) -> str:
    """Leaves the record of a run that has ended, and brings it to the server if a server has the history.

    Args:
        run: after ``verify``, whether it ended or raised; one without a report leaves nothing.

    Returns:
        Why it was not kept, or waits for its server, in a line; empty where all went well.
    """
    if run.concluded is None:
        return ""
    report, took = run.concluded
    said = "this run is not in the history"
    try:
        where = place()
        if where is None:
            return ""
        record.leave(report, here(took.began, took.seconds), where.records)
        if where.database is None:
            said = f"this run waits for the history in {where.records}"
            from tinyhil.history import database

            with database.opened(where):
                pass  # it takes in what waits
    except TinyhilError as error:
        return f"{said}: {error.message}; next: {error.hint}"
    except Exception as error:  # whatever it is: the verdict stands
        return f"{said}: {first_line(error)}"
    return ""
