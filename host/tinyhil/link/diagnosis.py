"""Why a device is silent, from what the line has brought: a pure function of the evidence.

The order of judging is that of certainty. What a program says of itself (a crash, a boot loader) comes first; then
frames that are ours and damaged, which tell how; then bytes that are no frames, which are words or noise; then their
absence. A device that has answered before is never taken for a wrong port.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tinyhil import kinds
from tinyhil.kinds import Kind
from tinyhil.link import damage, known_texts
from tinyhil.link.damage import CUTS, Damage
from tinyhil.link.evidence import LONGEST_SHOWN, Evidence
from tinyhil.plain_text import plain

_JUDGED_CHUNKS = 8
"""Of the last chunks, each counted once, how many are looked into."""

_READABLE = 0.9
"""Share of the characters that make noise a text. Of random bytes fewer than half are letters."""

_SHOWN_LINES = 24
_SHOWN_BYTES = 64


@dataclass(frozen=True)
class Asked:
    """What the host was waiting for.

    Attributes:
        unanswered: numbers of the requests that are unanswered.
        shortest_lost: bytes on the wire of the shortest of them.
        longest_answered: bytes on the wire of the longest request that was answered.
        greeted: whether the device had answered the greeting.
        unexpected: whole frames that answered nothing.
    """

    unanswered: Sequence[int] = ()
    shortest_lost: int = 0
    longest_answered: int = 0
    greeted: bool = False
    unexpected: int = 0


@dataclass(frozen=True)
class Diagnosis:
    """What keeps a device from answering.

    Attributes:
        kind: its row in the catalogue of errors.
        cause: in words, to stand behind "the device did not answer ...".
        hint: the next step.
    """

    kind: Kind
    cause: str
    hint: str = ""

    @property
    def step(self) -> str:
        """The next step; of the kind, where the evidence makes none more precise."""
        return self.hint or self.kind.steps[0]


def diagnose(evidence: Evidence, asked: Asked) -> Diagnosis:
    """The likeliest reason for silence."""
    return (
        crash(evidence.recent_lines)
        or _boot_loader(evidence.recent_lines)
        or _damaged(evidence.recent, asked)
        or _no_frames(evidence, asked)
        or Diagnosis(kinds.UNANSWERED, "whole frames came from it, but none that answers")
    )


def last_said(evidence: Evidence) -> str:
    """What the device said last, as it may be shown, one line each; the bytes where there are no words, if any came."""
    lines = [plain(line)[:LONGEST_SHOWN] for line in evidence.lines if readable(line.encode())]
    if lines:
        return "\n".join(["the device said last:", *(f"  {line}" for line in lines[-_SHOWN_LINES:])])
    recent = evidence.recent.strip(b"\0")
    return f"the last bytes from the device: {recent[-_SHOWN_BYTES:].hex(' ')}" if recent else ""


def readable(data: bytes) -> bool:
    """Whether bytes are words: UTF-8, and nearly all of it printable."""
    text = data.replace(b"\0", b"").decode("utf-8", "replace").replace("\x1b", "")
    good = sum((letter.isprintable() and letter != "\ufffd") or letter in "\r\n\t" for letter in text)
    return bool(text.strip()) and good >= _READABLE * len(text)


def crash(lines: Sequence[str]) -> Diagnosis | None:
    """Where the program says that it has crashed; None where it says no such thing."""
    crashes = [line for line in lines if known_texts.is_crash(line)]
    if not crashes:
        return None
    # A reset by a watchdog follows from what was said before it.
    first = min(crashes, key=known_texts.is_boot)
    again = sum(line.strip() == first.strip() for line in crashes)
    often = f" {again} times" if again > 1 else ""
    return Diagnosis(kinds.CRASHES, f"its program crashes, and says so{often}: {plain(first.strip())[:LONGEST_SHOWN]}")


def _boot_loader(lines: Sequence[str]) -> Diagnosis | None:
    """A boot loader has spoken, and no program after it."""
    said = [line for line in lines if line.strip()]
    boots = [index for index, line in enumerate(said) if known_texts.is_boot(line)]
    if not boots or any(readable(line.encode()) for line in said[boots[-1] + 1 :]):
        return None
    line = plain(said[boots[-1]].strip())[:LONGEST_SHOWN]
    if any(known_texts.waits_for_download(each) for each in said):
        hint = (
            "let go of the boot button and press reset; if it stays, the control lines hold the board there: "
            "set link.dtr and link.rts to false in the target file"
        )
        return Diagnosis(kinds.BOOT_LOADER, f"it is in its boot loader, which waits for a download: {line}", hint)
    if any(known_texts.has_no_program(each) for each in said):
        hint = "flash it: tinyhil flash RECIPE --target NAME"
        return Diagnosis(kinds.BOOT_LOADER, f"its boot loader finds no program to start: {line}", hint)
    return Diagnosis(kinds.BOOT_LOADER, f"its boot loader has spoken, and no program after it: {line}")


_BY_DAMAGE = {
    Damage.TEXT_INSIDE: (kinds.PRINTS_IN_FRAMES, "it answers, but something prints inside its frames"),
    Damage.CARRIAGE_RETURNS: (kinds.LINE_ENDINGS, "it answers, but the line adds carriage returns to its frames"),
    Damage.SEVEN_BITS: (kinds.SEVEN_BITS, "it answers, but the line carries seven bits of each byte"),
    Damage.FLOW_CONTROL: (kinds.FLOW_CONTROL, "it answers, but the line swallows XON and XOFF (bytes 0x11, 0x13)"),
    Damage.UNKNOWN: (kinds.DAMAGED_ANSWERS, "it answers, but every answer arrives damaged"),
}


def _damaged(data: bytes, asked: Asked) -> Diagnosis | None:
    """What has happened to answers; that which has happened to most of them."""
    chunks = list(dict.fromkeys(chunk for chunk in data.split(b"\0") if chunk))[-_JUDGED_CHUNKS:]
    found = Counter(filter(None, (damage.of_chunk(chunk, asked.unanswered) for chunk in chunks)))
    if not found:
        return None
    certain = [each for each in found if each not in (Damage.UNKNOWN, Damage.CUT)]
    most = max(certain or found, key=lambda each: found[each])
    if most is Damage.CUT:
        longest = max(len(chunk) for chunk in chunks)
        cut = next((cut for cut in CUTS if longest <= cut), CUTS[-1])
        return Diagnosis(kinds.LONG_LOST, f"its answers are lost from byte {cut} on")
    kind, cause = _BY_DAMAGE[most]
    return Diagnosis(kind, cause)


def long_lost(asked: Asked) -> Diagnosis:
    """For a device that answers the greeting again, after requests of it that were repeated in vain."""
    between = [cut for cut in CUTS if asked.longest_answered <= cut < asked.shortest_lost]
    behind = f": what follows byte {between[0]} is lost" if between else ""
    return Diagnosis(
        kinds.LONG_LOST,
        f"it answers requests of {asked.longest_answered} bytes, and none of {asked.shortest_lost}{behind}",
    )


def _no_frames(evidence: Evidence, asked: Asked) -> Diagnosis | None:
    """Bytes came that are no frames, or none."""
    if not evidence.since_answer and asked.greeted:
        return Diagnosis(kinds.WENT_SILENT, f"it fell silent after {evidence.answers} answers")
    if not evidence.since_answer:
        return Diagnosis(kinds.NOTHING_CAME, "nothing came from it")
    if readable(evidence.recent):
        last = next((plain(line.strip()) for line in reversed(evidence.recent_lines) if line.strip()), "")
        if asked.greeted:
            return Diagnosis(kinds.WENT_SILENT, f"it only prints now, after {evidence.answers} answers")
        return Diagnosis(kinds.OTHER_PROGRAM, f"another program runs there, which prints: {last[:LONGEST_SHOWN]}")
    if asked.unexpected:
        return None
    return Diagnosis(kinds.NOISE, f"what came from it is noise, {evidence.since_answer} bytes of it")
