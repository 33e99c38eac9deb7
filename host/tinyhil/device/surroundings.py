"""What each run of an emulator has of its own: a folder, a port, a terminal, a flash image; and texts that name them.

The folder is made when something names it, and holds nothing that anybody needs after the run.
"""

from __future__ import annotations

import secrets
import socket
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from tinyhil.artifacts.temporary import TemporaryFolder
from tinyhil.device import flash_image
from tinyhil.errors import ConfigError, DeviceError, StorageError
from tinyhil.targets.model import FIRMWARE, PYTHON, Emulator
from tinyhil.terminal import Terminal

LOOPBACK = "127.0.0.1"


class Surroundings:
    """Fills in the placeholders of one run.

    Ownership: the folder lives until :meth:`remove`.

    Args:
        emulator: the target's facts about its emulator.
        firmware: the ELF file.
        project: the rendered project, None where there is none.
        terminal: that the firmware is to open, None where it takes its UART. It is closed in :meth:`remove`.

    Attributes:
        terminal: likewise.
    """

    def __init__(
        self, emulator: Emulator, firmware: Path, project: Path | None, terminal: Terminal | None = None
    ) -> None:
        self._emulator = emulator
        self.terminal = terminal
        # Absolute, because a name without a slash would be looked for on PATH.
        self._firmware = firmware.absolute()
        self._project = project.absolute() if project is not None else None
        self._folder: TemporaryFolder | None = None

    def fill(self, text: str) -> str:
        """``text`` with all placeholders filled in; whatever else stands in braces stays.

        Raises:
            ConfigError: the parts of the flash image do not fit.
            DeviceError: a part of it is missing.
            StorageError: the folder cannot be written.
        """
        values: dict[str, Callable[[], object]] = {
            FIRMWARE: lambda: self._firmware,
            PYTHON: lambda: sys.executable,
            "{flash_image}": lambda: self._flash_image,
            "{port}": lambda: self._port,
            "{temporary}": lambda: self._temporary,
            "{terminal}": lambda: self.terminal.path if self.terminal else "",
            "{seed}": lambda: f"{secrets.randbits(32):08x}",
        }
        for placeholder, value in values.items():
            if placeholder in text:
                text = text.replace(placeholder, str(value()))
        return text

    def remove(self) -> None:
        """Removes the folder and closes the terminal. May be called again."""
        if self.terminal is not None:
            self.terminal.close()
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.close()

    @cached_property
    def _port(self) -> int:
        """A port that was free a moment ago: the program that is to listen there has to be told before it starts."""
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            return int(probe.getsockname()[1])

    @cached_property
    def _temporary(self) -> Path:
        self._folder = TemporaryFolder()
        try:
            (self._folder.path / "firmware").symlink_to(self._firmware)
            if self._project is not None:
                (self._folder.path / "project").symlink_to(self._project)
        except OSError as error:
            raise StorageError(
                f"cannot write to {self._folder.path}: {error.strerror}", hint="free some space there"
            ) from error
        return self._folder.path

    @cached_property
    def _flash_image(self) -> Path:
        facts = self._emulator.flash_image
        if facts is None:
            raise ConfigError(
                "the target's `arguments` have {flash_image}, but nothing says what that is made of",
                hint="add [emulator.flash_image] to its file",
            )
        parts = []
        for part in facts.parts:
            path = self._firmware.parent / Path(part.file).name
            try:
                parts.append(flash_image.Part(path.name, part.offset, path.read_bytes()))
            except OSError as error:
                raise DeviceError(
                    f"{path} is a part of the flash image, but cannot be read: {error.strerror}",
                    hint="it is built together with the firmware: build that here, or put it beside it",
                ) from error
        image = self._temporary / "flash.bin"
        try:
            image.write_bytes(flash_image.merge(parts, facts.size))
        except OSError as error:
            raise StorageError(f"cannot write {image}: {error.strerror}", hint="free some space there") from error
        return image
