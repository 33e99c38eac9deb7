"""What a connection counts. Counters only grow, and are reset by nothing; those of several connections are added up."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields

from tinyhil.link.frames import Reason


@dataclass
class Counters:
    """Figures of one connection, for reports and for the detail of errors.

    Attributes:
        frames_sent: requests, repetitions included.
        frames_received: frames whose CRC held.
        resends: repetitions among ``frames_sent``, those of HELLO excluded.
        hello_resends: repetitions of HELLO, which are normal while a board boots.
        rejected: chunks that were neither frame nor text, by reason.
        unexpected_answers: answers to a number that was not outstanding, late and doubled ones included.
        requests_received: requests that reached the host, which is broken protocol.
        restarts: times that the device had started again since it was greeted.
        bytes_sent: queued for sending, delimiters included.
        bytes_received: everything, text and rejected chunks included.
    """

    frames_sent: int = 0
    frames_received: int = 0
    resends: int = 0
    hello_resends: int = 0
    rejected: dict[Reason, int] = field(default_factory=lambda: dict.fromkeys(Reason, 0))
    unexpected_answers: int = 0
    requests_received: int = 0
    restarts: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0

    def __add__(self, more: Counters) -> Counters:
        """The sum of each."""
        names = [each.name for each in fields(self) if each.name != "rejected"]
        rejected = {reason: self.rejected[reason] + more.rejected[reason] for reason in Reason}
        return Counters(**{name: getattr(self, name) + getattr(more, name) for name in names}, rejected=rejected)

    @property
    def numbers(self) -> dict[str, int]:
        """Each figure by its name; all that was rejected as one."""
        return {**asdict(self), "rejected": sum(self.rejected.values())}

    @property
    def answers_accepted(self) -> int:
        """Answers that belonged to a request; each is a step forward."""
        return self.frames_received - self.unexpected_answers - self.requests_received

    def describe(self) -> str:
        """All counters in one line."""
        rejected = sum(self.rejected.values())
        reasons = ", ".join(f"{count} {reason.value}" for reason, count in self.rejected.items() if count)
        return (
            f"sent {self.frames_sent} frames ({self.bytes_sent} bytes, {self.resends + self.hello_resends} repeated), "
            f"received {self.frames_received} frames ({self.bytes_received} bytes), "
            f"rejected {rejected} chunks{f' ({reasons})' if reasons else ''}, "
            f"{self.unexpected_answers} unexpected answers, {self.requests_received} requests from the device, "
            f"{self.restarts} restarts"
        )
