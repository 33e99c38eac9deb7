"""Errors of a conversation that say why: what the line has brought makes their kind, next step and detail."""

from __future__ import annotations

from tinyhil import kinds
from tinyhil.errors import BlockedError, DeviceError, RemoteLinkError, UnansweredError
from tinyhil.link.connection import Connection
from tinyhil.link.diagnosis import Asked, Diagnosis, crash, diagnose, last_said, long_lost
from tinyhil.link.evidence import Evidence
from tinyhil.session.journal import Ledger


class LongLostError(UnansweredError):
    """Requests were repeated in vain, and none as long as they are was ever answered: shorter ones may be.

    Args:
        error: what to raise where the device turns out to be silent altogether.
        proven: what to raise where it still answers short requests, and no shorter ones are left to try.
    """

    def __init__(self, error: UnansweredError, proven: UnansweredError) -> None:
        super().__init__(error.message, hint=error.hint, detail=error.detail, kind=error.kind)
        self.silent = error
        self.proven = proven


def unanswered(what: str, evidence: Evidence, connection: Connection, *, greeted: bool) -> UnansweredError:
    """What to raise for a device that did not answer.

    Args:
        what: what it did not answer, and within which time.
        evidence: what it sent.
        connection: what it was asked.
        greeted: whether it had answered before.
    """
    asked = _asked(connection, greeted=greeted)
    return _error(what, diagnose(evidence, asked), evidence, connection)


def lost(what: str, evidence: Evidence, connection: Connection) -> LongLostError:
    """What to raise for requests that seem to be lost for their length; the arguments are those of ``unanswered``."""
    asked = _asked(connection, greeted=True)
    silent = unanswered(what, evidence, connection, greeted=True)
    certain = silent.kind in (kinds.WENT_SILENT, kinds.UNANSWERED)
    return LongLostError(silent, _error(what, long_lost(asked), evidence, connection) if certain else silent)


def explain(error: BlockedError, evidence: Evidence) -> None:
    """Adds to an error what the device said last, and whether it says that it crashes."""
    if isinstance(error, UnansweredError) or not isinstance(error, DeviceError | RemoteLinkError):
        return
    said = last_said(evidence)
    if not said or said in error.detail:
        return
    error.detail = "\n".join(filter(None, [said, error.detail]))
    if (found := crash(evidence.lines)) is not None:
        error.kind, error.hint = found.kind, found.step
        error.message += f"; {found.cause}"
        error.args = (error.message,)


def name_what_is_kept(error: BlockedError, ledger: Ledger, of: int) -> None:
    """Adds to an error what is kept of the run that it ends.

    Args:
        of: vectors of the run, 0 where that is not known.
    """
    done = sum(answer.count for answer in ledger.answers.values())
    if done and ledger.lasting:
        error.message += f"; {done} {f'of {of} ' if of else ''}vectors are answered and in the journal"
        error.args = (error.message,)
        error.hint = "; ".join(filter(None, [error.hint, "go on with the rest: the same command with --resume"]))


def _asked(connection: Connection, *, greeted: bool) -> Asked:
    waiting = connection.waiting
    return Asked(
        unanswered=waiting.numbers,
        shortest_lost=waiting.shortest,
        longest_answered=waiting.longest_answered,
        greeted=greeted,
        unexpected=connection.counters.unexpected_answers,
    )


def _error(what: str, found: Diagnosis, evidence: Evidence, connection: Connection) -> UnansweredError:
    counters = connection.counters
    return UnansweredError(
        f"the device did not answer {what}: {found.cause}",
        hint=found.step,
        detail="\n".join(filter(None, [last_said(evidence), counters.describe()])),
        kind=found.kind,
        rejected={reason.value: count for reason, count in counters.rejected.items()},
        unexpected=counters.unexpected_answers,
    )
