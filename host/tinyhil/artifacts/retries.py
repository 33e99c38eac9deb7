"""What was done more than once in a run before it went well, or was given up: counted, so that it can be shown."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Retries:
    """How often something was done again.

    Attributes:
        resends: requests that were sent again; greetings, which are repeated while a board boots, are not counted.
        restarts: times that the device had started again since it was greeted.
        greeted_again: times that the device was greeted anew on the same line, because long requests were lost.
        ports_reopened: times that the port was lost, came back, and was opened again.
        ports_renamed: times that it came back under another name.
        flash_attempts: uploads of the firmware; the first one is no repetition.
        power_cycles: times that the board was switched off and on (``[power]`` of the target file).
    """

    resends: int = 0
    restarts: int = 0
    greeted_again: int = 0
    ports_reopened: int = 0
    ports_renamed: int = 0
    flash_attempts: int = 0
    power_cycles: int = 0

    def __add__(self, more: Retries) -> Retries:
        """The sum of each."""
        return Retries(*(getattr(self, each.name) + getattr(more, each.name) for each in fields(self)))

    @property
    def repeated(self) -> int:
        """All of it together; the first upload is no repetition."""
        return sum(getattr(self, name) - (name == "flash_attempts") for name, _ in self.shown)

    @property
    def shown(self) -> tuple[tuple[str, str], ...]:
        """Field and words of what was done again at all; the first upload is not."""
        return tuple((name, words) for name, words in _WORDS if getattr(self, name) > (name == "flash_attempts"))


_WORDS = (
    ("resends", "requests sent again"),
    ("restarts", "restarts of the device"),
    ("greeted_again", "greetings after lost requests"),
    ("ports_reopened", "ports lost and opened again"),
    ("ports_renamed", "of these under another name"),
    ("flash_attempts", "attempts to flash"),
    ("power_cycles", "power cycles"),
)


class Tally:
    """Counts while a run goes on; what is counted stays when an error ends the run.

    Attributes:
        so_far: what was counted.
    """

    def __init__(self) -> None:
        self.so_far = Retries()

    def add(self, more: Retries) -> None:
        """Counts more."""
        self.so_far += more
