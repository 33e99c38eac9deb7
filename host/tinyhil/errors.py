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
message and, where there is one, the next step in ``hint``; ``detail`` keeps the output of a tool that failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process tells its caller."""

    PASS = 0
    FAIL = 1
    USAGE = 2
    BLOCKED = 3
    INTERRUPTED = 130


class TinyhilError(Exception):
    """Base of everything that tinyhil raises on purpose.

    Args:
        message: the cause, in one sentence.
        hint: the next step for the user, if there is one.
        detail: longer evidence, such as the output of a failed tool.
    """

    exit_code = ExitCode.BLOCKED

    def __init__(self, message: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail


class InputError(TinyhilError):
    """What the user gave cannot be used as it is."""

    exit_code = ExitCode.USAGE


class ConfigError(InputError):
    """A recipe or target is unknown, or its file is wrong."""


class ModelError(InputError):
    """A model file cannot be read, or cannot be computed by the engine."""


class BlockedError(TinyhilError):
    """The run could not be carried out, so there is no verdict."""

    exit_code = ExitCode.BLOCKED


class MissingToolError(BlockedError):
    """A program or package is not installed; ``hint`` says how to get it."""


class StorageError(BlockedError):
    """The disk is full, or a folder cannot be written."""


class ToolError(BlockedError):
    """A program ran and failed; ``detail`` holds its output."""


class DeviceError(BlockedError):
    """The device did not start, stopped, or never answered."""


class PortBusyError(DeviceError):
    """Another process holds the port."""


class PortLostError(DeviceError):
    """The port went away while it was in use: unplugged, reset, or its server ended. It may come back."""


class UnansweredError(DeviceError):
    """The device was reached, and did not answer in time.

    Args:
        rejected: how many chunks of what it sent were damaged, by reason.
        unexpected: how many whole frames of it answered nothing that was asked.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        detail: str = "",
        rejected: Mapping[str, int] | None = None,
        unexpected: int = 0,
    ) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.rejected = dict(rejected or {})
        self.unexpected = unexpected


class StaleFirmwareError(DeviceError):
    """The device answers for another model or another build.

    Args:
        what: which of them: ``model`` or ``build``.
    """

    def __init__(self, message: str, *, hint: str = "", detail: str = "", what: str = "") -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.what = what


class WrongTensorsError(DeviceError):
    """The device has the right hashes, but describes its tensors differently."""


class LinkError(BlockedError):
    """The two ends of the link do not understand each other."""


class LocalLinkError(LinkError):
    """This side used the link wrongly: a defect in the caller."""


class RemoteLinkError(LinkError):
    """The device broke the protocol, or answered with an ERROR message."""
