"""A board that does not answer any more is switched off and on, where its target file says how, and tried again."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TypeVar

from tinyhil import kinds
from tinyhil.artifacts.retries import Retries, Tally
from tinyhil.deadline import Deadline
from tinyhil.device import power
from tinyhil.errors import BlockedError, DeviceError
from tinyhil.pipeline.answers import needs
from tinyhil.progress import Reporter
from tinyhil.targets.model import Target

_T = TypeVar("_T")

HELPED = (
    *(kinds.DEVICE, kinds.NO_BOARD, kinds.PORT_LOST, kinds.UNANSWERED),
    *(kinds.NOTHING_CAME, kinds.BOOT_LOADER, kinds.WENT_SILENT),
)
"""What power may help against. It does not against another program, a crash at every start, or a bad line."""

_PAUSE_S = 0.1


class PowerCycles:
    """Carries work on a board out, and again after its power was switched off and on.

    Args:
        target: the target's facts.
        port: of the board, as given with ``--port``.
        tally: takes the count.
    """

    def __init__(self, target: Target, port: str | None, tally: Tally) -> None:
        self._target = target
        self._port = port
        self._tally = tally
        # What is started here has no plug, even if the target file's board has one.
        plugged = port is not None or target.emulator is None
        self._left = target.power.cycles if target.power is not None and plugged else 0

    def over(self, work: Callable[[bool], _T], reporter: Reporter) -> _T:
        """Carries work out.

        Args:
            work: told whether it is carried out again.
            reporter: told why the board was switched off.

        Raises:
            BlockedError: that of the work, where power does not help or was switched often enough; or a DeviceError:
                the power could not be switched.
        """
        again = False
        while True:
            try:
                return work(again)
            except BlockedError as error:
                if not self._left or error.kind not in HELPED:
                    if self._tally.so_far.power_cycles:
                        error.message += f" (power cycles: {self._tally.so_far.power_cycles})"
                    raise
                reporter.text(f"{error.message}; switching the board's power off and on")
                self._cycle(error, reporter)
                again = True

    def _cycle(self, cause: BlockedError, reporter: Reporter) -> None:
        facts = self._target.power
        assert facts is not None
        self._left -= 1
        self._tally.add(Retries(power_cycles=1))
        try:
            power.cycle(facts, reporter)
        except DeviceError as error:
            error.message = f"{error.message}; it was to be switched because {cause.message}"
            raise
        back_by = Deadline.after(facts.back_within)
        while not back_by.expired:
            with contextlib.suppress(DeviceError):
                needs.of_device(self._target, self._port)
                return
            time.sleep(back_by.within(_PAUSE_S))
