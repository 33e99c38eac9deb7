"""A run is kept once its verdict has been shown: what goes wrong here is one line, and never the run's."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import cast

from tinyhil.artifacts.foreign import first_line
from tinyhil.device.board import Port, usb_id
from tinyhil.errors import TinyhilError
from tinyhil.history import record
from tinyhil.history.context import here
from tinyhil.history.place import place
from tinyhil.pipeline.run import Run
from tinyhil.transport import finder


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
        path = record.leave(report, here(took.began, took.seconds, _board(run)), where.records)
        if where.database is None:
            said = f"this run waits for the history in {where.records}"
            from tinyhil.history import database

            with database.opened(where) as history:  # it takes in what waits
                refused = history.taken_in.refused
            if path.exists():
                return f"{said}: {'; '.join(refused.values())}"
    except TinyhilError as error:
        return f"{said}: {error.message}; next: {error.hint}"
    except Exception as error:  # whatever it is: the verdict stands
        return f"{said}: {first_line(error)}"
    return ""


@contextlib.contextmanager
def kept(run: Run) -> Iterator[None]:
    """Keeps a run when the block ends, however; that it could not be kept is a warning to the run's observer."""
    try:
        yield
    finally:
        if why_not := keep(run):
            run.observer.warning(why_not)


def _board(run: Run) -> str | None:
    """The board that a run was on: the named one, or the only one of its kind that is plugged in."""
    port, upload = run.options.port, run.target.upload
    if port is not None:
        return finder.serial_number(port) or port
    if upload is None or not upload.usb:
        return None
    present = cast(Iterable[Port], finder.present())
    found = [each for each in present if usb_id(each) in upload.usb]
    return (found[0].serial_number or found[0].device) if len(found) == 1 else ""
