"""The one error tree of tinyhil.

::

    TinyhilError
    ├── InputError              exit 2: what the user gave cannot be used as it is
    │   ├── ConfigError         a recipe or target file, or a name that does not exist
    │   └── ModelError          a model file that is truncated, not TFLite, or not computable here
    └── BlockedError            exit 3: the run could not be carried out; neither pass nor fail
        ├── MissingToolError    a program or package that has to be installed first
        ├── StorageError        a full disk, an unwritable folder
        ├── ToolError           a program that ran and failed (training, PlatformIO, ...)
        │   └── CrashError          a process of our own that a signal has ended
        ├── DeviceError         a device that did not start, stopped, or never answered
        │   ├── PortBusyError       another process holds the port
        │   ├── PortLostError       the port went away while it was in use; it may come back
        │   ├── UnansweredError     the device was reached, and did not answer in time
        │   ├── StaleFirmwareError  the device runs another model or another build
        │   └── WrongTensorsError   it has the right hashes, but describes its tensors differently
        └── LinkError           the two ends of the link do not understand each other
            ├── LocalLinkError  this side used the link wrongly
            └── RemoteLinkError the device broke the protocol or reported an error

A *verdict* of fail is a result, not an error, and never raised. Every error names the cause in its
message and the next step in ``hint``; ``detail`` keeps the output of a tool that failed, and
``kind`` is its row in the catalogue of ``tinyhil.kinds``, with a stable id.

Exit 4 is no error of this tree: whatever tinyhil does not foresee ends there.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from tinyhil import kinds
from tinyhil.kinds import Kind


class ExitCode(IntEnum):
    """What the process tells its caller."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    BLOCKED = 3
    FAULT = 4
    INTERRUPTED = 130


class TinyhilError(Exception):
    """Base of everything that tinyhil raises on purpose.

    Args:
        message: the cause, in one sentence.
        hint: the next step for the user; by default the first one of its kind.
        detail: longer evidence, such as the output of a failed tool.
        kind: its row in the catalogue, where it is narrower than that of the class.
    """

    kind: Kind = kinds.ANY

    exit_code = ExitCode.BLOCKED

    def __init__(self, message: str, *, hint: str = "", detail: str = "", kind: Kind | None = None) -> None:
        self.message = _short(message)
        super().__init__(self.message)
        if kind is not None:
            self.kind = kind
        self.hint = _short(hint) or self.kind.steps[0]
        self.detail = detail


_LONGEST = 2000
"""Characters of a line of a message: files may have names, keys and values of megabytes, and messages quote them."""


def _short(text: str) -> str:
    """A text whose lines lack their middle, where they are longer than anybody reads."""
    return "\n".join(map(_short_line, text.split("\n")))


def _short_line(line: str) -> str:
    left_out = len(line) - _LONGEST
    if left_out <= 0:
        return line
    return f"{line[: _LONGEST // 2]} ({left_out:,} characters left out) {line[-_LONGEST // 2 :]}"


class InputError(TinyhilError):
    """What the user gave cannot be used as it is."""

    kind = kinds.INPUT

    exit_code = ExitCode.USAGE


class ConfigError(InputError):
    """A recipe or target is unknown, or its file is wrong."""

    kind = kinds.CONFIG


class ModelError(InputError):
    """A model file cannot be read, or cannot be computed by the engine."""

    kind = kinds.MODEL


class BlockedError(TinyhilError):
    """The run could not be carried out, so there is no verdict."""

    kind = kinds.BLOCKED

    exit_code = ExitCode.BLOCKED


class MissingToolError(BlockedError):
    """A program or package is not installed; ``hint`` says how to get it."""

    kind = kinds.MISSING_TOOL


class StorageError(BlockedError):
    """The disk is full, or a folder cannot be written."""

    kind = kinds.STORAGE


class ToolError(BlockedError):
    """A program ran and failed; ``detail`` holds its output."""

    kind = kinds.TOOL


class CrashError(ToolError):
    """A signal has ended a process that tinyhil works in: a library has crashed, or memory is short."""

    kind = kinds.CRASHED


class DeviceError(BlockedError):
    """The device did not start, stopped, or never answered."""

    kind = kinds.DEVICE


class PortBusyError(DeviceError):
    """Another process holds the port."""

    kind = kinds.PORT_BUSY


class PortLostError(DeviceError):
    """The port went away while it was in use: unplugged, reset, or its server ended. It may come back."""

    kind = kinds.PORT_LOST


class UnansweredError(DeviceError):
    """The device was reached, and did not answer in time.

    Args:
        kind: why, where what came from it tells.
        rejected: how many chunks of what it sent were damaged, by reason.
        unexpected: how many whole frames of it answered nothing that was asked.
    """

    kind = kinds.UNANSWERED

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        detail: str = "",
        kind: Kind | None = None,
        rejected: Mapping[str, int] | None = None,
        unexpected: int = 0,
    ) -> None:
        super().__init__(message, hint=hint, detail=detail, kind=kind)
        self.rejected = dict(rejected or {})
        self.unexpected = unexpected


class StaleFirmwareError(DeviceError):
    """The device answers for another model or another build.

    Args:
        what: which of them: ``model`` or ``build``.
    """

    kind = kinds.STALE_FIRMWARE

    def __init__(self, message: str, *, hint: str = "", detail: str = "", what: str = "") -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.what = what


class WrongTensorsError(DeviceError):
    """The device has the right hashes, but describes its tensors differently."""

    kind = kinds.WRONG_TENSORS


class LinkError(BlockedError):
    """The two ends of the link do not understand each other."""

    kind = kinds.LINK


class LocalLinkError(LinkError):
    """This side used the link wrongly: a defect in the caller."""

    kind = kinds.LOCAL_LINK


class RemoteLinkError(LinkError):
    """The device broke the protocol, or answered with an ERROR message."""

    kind = kinds.REMOTE_LINK
