"""What the host has learned of the device so far, and what it still has to ask.

A device that has started again is asked for everything once more, and has to describe itself as before, boot id aside:
what was asked of the first must mean the same to the second.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import fields

from tinyhil.affine import TensorSpec
from tinyhil.errors import RemoteLinkError
from tinyhil.link.events import DeviceDescription
from tinyhil.link.frames import MAX_PAYLOAD
from tinyhil.link.messages import Describe, Direction, Tensor, Welcome


class Handshake:
    """Collects the tensors that a WELCOME announced. They may be answered in any order.

    Args:
        welcome: of the device.
        before: the handshake before its restart, complete or not, if there was one.
        longest_payload: bytes that this side puts into a payload at most.

    Raises:
        RemoteLinkError: the device describes itself differently than before.
    """

    def __init__(self, welcome: Welcome, before: Handshake | None, longest_payload: int = MAX_PAYLOAD) -> None:
        if before is not None:
            _refuse_changes("itself", before._welcome, welcome)
        self._welcome: Welcome = welcome
        self._longest_payload = longest_payload
        self._before: dict[Describe, TensorSpec] = {**before._before, **before._specs} if before else {}
        self._specs: dict[Describe, TensorSpec] = {}
        self.unsent = deque(
            [Describe(Direction.INPUT, index) for index in range(welcome.inputs)]
            + [Describe(Direction.OUTPUT, index) for index in range(welcome.outputs)]
        )

    def take(self, describe: Describe, tensor: Tensor) -> DeviceDescription | None:
        """Takes the answer to ``describe`` and returns the whole description once nothing is missing.

        Raises:
            RemoteLinkError: the device described another tensor, or this one differently than before.
        """
        if (tensor.direction, tensor.index) != (describe.direction, describe.index):
            raise RemoteLinkError(
                f"asked for {describe.direction.name.lower()} {describe.index}, "
                f"the device described {tensor.direction.name.lower()} {tensor.index}"
            )
        if describe in self._before:
            _refuse_changes(f"{describe.direction.name.lower()} {describe.index}", self._before[describe], tensor.spec)
        self._specs[describe] = tensor.spec
        if len(self._specs) < self._welcome.inputs + self._welcome.outputs:
            return None
        inputs, outputs = self._in_order(Direction.INPUT), self._in_order(Direction.OUTPUT)
        return DeviceDescription(self._welcome, inputs, outputs, self._longest_payload)

    def _in_order(self, direction: Direction) -> tuple[TensorSpec, ...]:
        return tuple(self._specs[each] for each in sorted(self._specs, key=_index) if each.direction is direction)


def _index(describe: Describe) -> int:
    return describe.index


def _refuse_changes(what: str, before: Welcome | TensorSpec, now: Welcome | TensorSpec) -> None:
    changes = ", ".join(_changes(before, now))
    if changes:
        raise RemoteLinkError(
            f"the device has restarted and describes {what} differently than before: {changes}",
            hint="was it flashed, or another board plugged in? start the run again",
        )


def _changes(before: Welcome | TensorSpec, now: Welcome | TensorSpec) -> Iterator[str]:
    for field in fields(before):
        old, new = getattr(before, field.name), getattr(now, field.name)
        if field.name != "boot_id" and old != new:
            yield f"{field.name.replace('_', ' ')} {_shown(new)} instead of {_shown(old)}"


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else str(value)
