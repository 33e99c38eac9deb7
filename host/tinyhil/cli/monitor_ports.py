"""What the command ``monitor`` listens to: ports that were named, or that of a device which is started for it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from tinyhil.api.asking import Answer, Asker, model_curves
from tinyhil.api.live_error import DemoCheck, LiveError
from tinyhil.cli.job import open_job
from tinyhil.cli.session import Output
from tinyhil.errors import ConfigError
from tinyhil.options import Options
from tinyhil.pipeline.answers import RunningDevice
from tinyhil.stream.series import Curve
from tinyhil.stream.source import PortSource
from tinyhil.targets import registry
from tinyhil.targets.model import UART


@dataclass
class Opened:
    """What is open.

    Attributes:
        sources: the ports.
        ask: asks the model's device; None where there is none.
        beside: curves of the model, to lie beside the device's.
        errors: counts how far the device's answers are from the reference; None where there is no model.
        demo: compares what the model's demo prints; None where it has none.
    """

    sources: list[PortSource]
    ask: Callable[[str], list[Answer]] | None = None
    beside: dict[str, Curve] = field(default_factory=dict)
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
) -> Iterator[Opened]:
    """Opens the ports until the context ends.

    Args:
        output: takes what is done for it.
        options: of the run that starts the device.
        model: whose firmware is started where no port is named.
        ports: that are named.
        baud: line rate in bit/s; None for the target's.
        wanted: DTR and RTS; None for the target's.

    Raises:
        ConfigError: neither a port nor a model is named.
        BlockedError: the device cannot be had, or a port cannot be opened.
    """
    if not ports and model is None:
        raise ConfigError(
            "neither a port nor a model is given",
            hint="tinyhil monitor --port PORT listens to a port, tinyhil monitor sine --target native starts a device",
        )
    target = registry.get(options.target)
    rate = baud or target.link.baud
    dtr, rts = (usual if chosen is None else chosen for chosen, usual in zip(wanted, target.link.controls, strict=True))
    with contextlib.ExitStack() as stack:
        opened = Opened([PortSource(port, rate, controls=(dtr, rts)) for port in ports])
        if not ports:
            assert model is not None
            emulated = target.emulator is not None and target.emulator.on_path is not None
            # The demo runs by the UART, and what prints is to be seen.
            options = replace(options, line=UART if emulated else None)
            run = open_job(replace(output, console=output.errors), model, options)
            with contextlib.ExitStack() as running:
                device = running.enter_context(run.running_device())
                source = PortSource(device.port, rate, controls=(dtr, rts), check=device.check)
                asker = stack.enter_context(Asker(run))
                quantized, errors = run.quantize(), LiveError()
                opened = Opened(
                    [source],
                    _asks(asker, device, source, errors),
                    model_curves(quantized),
                    errors,
                    DemoCheck.of(quantized),
                )
                if device.can_restart:
                    stack.push(running.pop_all())
                # A board runs on without us, and its port has to be free to be lent.
        for source in opened.sources:
            stack.enter_context(source)
        yield opened


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
