"""The files that the command ``monitor`` writes: the lines, the numbers in them, and the recording."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyhil import kinds
from tinyhil.artifacts import store
from tinyhil.cli.plain_monitor import Watched
from tinyhil.errors import ConfigError
from tinyhil.stream.appearance import TimeStyle
from tinyhil.stream.line_log import LineLog
from tinyhil.stream.recording import Recorder, refuse_other_file
from tinyhil.stream.table import refuse_other_form


@dataclass(frozen=True)
class Files:
    """Where to; None for not at all. Of several ports each has a table and a recording of its own.

    Attributes:
        log: the lines, appended.
        csv: the numbers, at the end.
        record: the recording.
    """

    log: Path | None
    csv: Path | None
    record: Path | None

    def check(self) -> None:
        """Sees that they can be written, before anything runs.

        Raises:
            ConfigError: two of them are one file, or a file must not be overwritten.
            InputError: the table's name ends otherwise.
            StorageError: one cannot be written.
        """
        named = [path.resolve() for path in (self.log, self.csv, self.record) if path is not None]
        if len(set(named)) < len(named):
            raise ConfigError(
                "two of --log, --csv and --record name one file", hint="name two", kind=kinds.CONTRADICTION
            )
        if self.csv is not None:
            refuse_other_form(self.csv)
            store.refuse_unwritable(self.csv)
        if self.record is not None:
            refuse_other_file(self.record)

    @contextlib.contextmanager
    def written(self, ports: Sequence[Watched], times: TimeStyle, *, frames: bool) -> Iterator[None]:
        """Writes them while the ports are shown.

        Args:
            times: in front of the lines of the log.
            frames: whether the log has frames.

        Raises:
            StorageError: one of them could not be written.
        """
        with contextlib.ExitStack() as stack:
            for port in ports:
                if self.log is not None:
                    log = LineLog(self.log, port.stream, times, frames=frames, name=port.name)
                    port.stream.writers.append(stack.enter_context(log))
                if self.record is not None:
                    recorder = Recorder(_own(self.record, port), port.source.address, port.stream.stamps)
                    port.stream.writers.append(stack.enter_context(recorder))
            yield
        for port in ports:
            if self.csv is not None:
                port.stream.table.export(_own(self.csv, port))
            if port.stream.failure is not None:
                raise port.stream.failure


def _own(path: Path, port: Watched) -> Path:
    """Of several ports the file of one."""
    return path if not port.name else path.with_name(f"{path.stem}-{port.name}{path.suffix}")
