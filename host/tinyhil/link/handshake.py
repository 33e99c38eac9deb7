"""What the host has learned of the device so far, and what it still has to ask."""

from __future__ import annotations

from collections import deque

from tinyhil.affine import TensorSpec
from tinyhil.errors import RemoteLinkError
from tinyhil.link.events import DeviceDescription
from tinyhil.link.messages import Describe, Direction, Tensor, Welcome


class Handshake:
    """Collects the tensors that a WELCOME announced. They may be answered in any order."""

    def __init__(self, welcome: Welcome) -> None:
        self._welcome = welcome
        self._inputs: dict[int, TensorSpec] = {}
        self._outputs: dict[int, TensorSpec] = {}
        self.unasked = deque(
            [Describe(Direction.INPUT, index) for index in range(welcome.inputs)]
            + [Describe(Direction.OUTPUT, index) for index in range(welcome.outputs)]
        )

    def take(self, asked: Describe, tensor: Tensor) -> DeviceDescription | None:
        """Takes the answer to ``asked`` and returns the whole description once nothing is missing.

        Raises:
            RemoteLinkError: the device described another tensor.
        """
        if (tensor.direction, tensor.index) != (asked.direction, asked.index):
            raise RemoteLinkError(
                f"asked for {asked.direction.name.lower()} {asked.index}, "
                f"the device described {tensor.direction.name.lower()} {tensor.index}"
            )
        found = self._inputs if asked.direction is Direction.INPUT else self._outputs
        found[asked.index] = tensor.spec
        if len(self._inputs) < self._welcome.inputs or len(self._outputs) < self._welcome.outputs:
            return None
        return DeviceDescription(self._welcome, _in_order(self._inputs), _in_order(self._outputs))


def _in_order(specs: dict[int, TensorSpec]) -> tuple[TensorSpec, ...]:
    return tuple(specs[index] for index in sorted(specs))
