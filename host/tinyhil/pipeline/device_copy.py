"""What the device is built from, and what it then has to say of itself.

In every ordinary run that is the very model that is judged. Where a fault is planted in order to see that it is found,
the device gets a copy with the fault in it, and is judged by the true model.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Protocol

from tinyhil import tflite
from tinyhil.artifacts.types import FirmwareImage, Project, QuantizedModel
from tinyhil.errors import ConfigError
from tinyhil.session import Identity


class DeviceCopy(Protocol):
    """What the device is built from."""

    def model(self, model: QuantizedModel) -> QuantizedModel:
        """The model that the project is rendered from, in place of the one that is judged."""

    def alter(self, project: Project) -> None:
        """Changes a project that was just rendered."""

    def identity(self, model: QuantizedModel, image: FirmwareImage) -> Identity:
        """What a device that runs the image has to say of itself."""


class TrueCopy:
    """The model itself."""

    def model(self, model: QuantizedModel) -> QuantizedModel:
        """The same."""
        return model

    def alter(self, project: Project) -> None:
        """Changes nothing."""

    def identity(self, model: QuantizedModel, image: FirmwareImage) -> Identity:
        """See ``DeviceCopy.identity``."""
        return Identity(model.sha256, image.project_sha256, model.inputs, model.outputs)


class CopyOfFile(TrueCopy):
    """Another model file, whose inputs and outputs have the same types and shapes.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def model(self, model: QuantizedModel) -> QuantizedModel:
        """The model with the content of the file.

        Raises:
            ConfigError: its inputs or outputs are others.
            ModelError: it is no model.
        """
        facts = tflite.read(self._path.read_bytes(), str(self._path))
        # A wrong scale or zero point is a fault like another.
        kinds = [[(spec.dtype, spec.shape) for spec in (*each.inputs, *each.outputs)] for each in (facts, model)]
        if kinds[0] != kinds[1]:
            raise ConfigError(
                f"{self._path} has inputs or outputs of another type or shape than {model.path}",
                hint="build from a copy of the same model",
            )
        return replace(model, path=self._path, ops=facts.ops)
