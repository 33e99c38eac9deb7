"""What the command ``monitor`` shows: ports that were named, that of a device which is started, or a recording."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from tinyhil.api.asking import Answer, Asker, model_curves
from tinyhil.api.live_error import DemoCheck, LiveError
from tinyhil.cli.job import open_job
from tinyhil.cli.monitor_commands import Command, commands_of, reset_of
from tinyhil.cli.session import Output
from tinyhil.errors import ConfigError
from tinyhil.options import Options
from tinyhil.pipeline.answers import RunningDevice
from tinyhil.session.recording import is_recording
from tinyhil.stream.events import Source
from tinyhil.stream.player import Player
from tinyhil.stream.recording import SUFFIX
from tinyhil.stream.series import Curve
from tinyhil.stream.source import PortSource
from tinyhil.stream.viewers import FollowedPort
from tinyhil.targets import registry
from tinyhil.targets.model import UART


@dataclass
class Opened:
    """What is open.

    Attributes:
        sources: the ports, or a recording.
        ask: asks the model's device; None where there is none.
        beside: curves of the model, to lie beside the device's.
        commands: what the device can be told to do, by name; each tells what becomes of it, line by line.
        errors: counts how far the device's answers are from the reference; None where there is no model.
        demo: compares what the model's demo prints; None where it has none.
    """

    sources: list[Source]
    ask: Callable[[str], list[Answer]] | None = None
    beside: dict[str, Curve] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    errors: LiveError | None = None
    demo: DemoCheck | None = None


@contextlib.contextmanager
def open_ports(
    output: Output,
    options: Options,
    model: str | None,
    ports: list[str],
    baud: int | None,
    wanted: tuple[bool | None, bool | None],
    *,
    parity: str = "none",
    follow: bool = False,
) -> Iterator[Opened]:
    """Opens the ports until the context ends.

    Args:
        output: takes what is done for it.
        options: of the run that starts the device.
        model: whose firmware is started where no port is named.
        ports: that are named.
        baud: line rate in bit/s; None for the target's.
        wanted: DTR and RTS; None for the target's.
        parity: of the line.
        follow: looks on at ports that other monitors have.

    Raises:
        ConfigError: neither a port nor a model is named.
        BlockedError: the device cannot be had, or a port cannot be opened.
    """
    if not ports and model is None:
        raise ConfigError(
            "neither --port nor a model is given",
            hint="tinyhil monitor --port PORT listens to a port, tinyhil monitor sine --target native starts a device",
        )
    if follow:
        with contextlib.ExitStack() as stack:
            yield Opened([stack.enter_context(FollowedPort(port)) for port in ports])
        return
    target = registry.get(options.target)
    rate = baud or target.link.baud
    dtr, rts = (usual if chosen is None else chosen for chosen, usual in zip(wanted, target.link.controls, strict=True))
    with contextlib.ExitStack() as stack:
        sources = [PortSource(port, rate, controls=(dtr, rts), parity=parity) for port in ports]
        opened = Opened([*sources])
        if not ports:
            assert model is not None
            emulated = target.emulator is not None and target.emulator.on_path is not None
            # The demo runs by the UART, and what prints is to be seen.
            options = replace(options, line=UART if emulated else None)
            run = open_job(replace(output, console=output.errors), model, options)
            with contextlib.ExitStack() as running:
                device = running.enter_context(run.running_device())
                source = PortSource(device.port, rate, controls=(dtr, rts), parity=parity, check=device.check)
                asker = stack.enter_context(Asker(run))
                quantized, errors = run.quantize(), LiveError()
                sources = [source]
                opened = Opened(
                    [source],
                    _asks(asker, device, source, errors),
                    model_curves(quantized),
                    commands_of(model, options, device, source),
                    errors,
                    DemoCheck.of(quantized),
                )
                if device.can_restart:
                    stack.push(running.pop_all())
                # A board runs on without us, and its port has to be free to be lent.
        elif len(sources) == 1:
            opened.commands["reset"] = reset_of(sources[0])
        for source in sources:
            stack.enter_context(source)
        yield opened


def recording_of(model: str | None, ports: list[str]) -> Path | None:
    """The recording that was named in place of a model; None where it is none."""
    if model is None or ports:
        return None
    path = Path(model)
    if path.suffix.lower() == SUFFIX:
        return path
    with contextlib.suppress(OSError, ValueError):
        if path.is_file() and is_recording(path):
            return path
    return None


@contextlib.contextmanager
def open_recording(path: Path, speed: float | None, *, screen: bool) -> Iterator[Opened]:
    """Opens a recording until the context ends.

    Args:
        path: the file.
        speed: times that of the recording, 0 for as fast as it can be shown; None for the usual one: its own on a
            screen, as fast as it can be shown elsewhere.
        screen: whether people look at it.

    Raises:
        ConfigError: it is no recording of this version.
    """
    usual = 1.0 if screen else math.inf
    with Player(path, usual if speed is None else speed or math.inf) as player:
        yield Opened([player])


def _asks(asker: Asker, device: RunningDevice, source: PortSource, errors: LiveError) -> Callable[[str], list[Answer]]:
    """Asks a device that is being listened to: the port changes hands for as long as that takes."""

    def ask(question: str) -> list[Answer]:
        with source.aside(), device.session(parting=True) as session:
            begun = time.monotonic()
            answers = asker.ask(question, session, errors.add)
            took = time.monotonic() - begun
            errors.add_conversation(session.link_counters, len(answers) * asker.tensor_bytes, took)
            return answers

    return ask
