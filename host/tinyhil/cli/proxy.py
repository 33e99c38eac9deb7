"""The command ``proxy``: a bad serial line between a device and any program that talks to it."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyhil import kinds
from tinyhil.cli.session import JsonOption, Output, command
from tinyhil.errors import ConfigError, DeviceError

if TYPE_CHECKING:
    from tinyhil.proxy import FaultProxy

_LOOK_SECONDS = 0.1
"""How often it is looked whether the port has returned under another name."""

_WHOLE = "Faults on whole frames"
_BYTES = "Faults on bits and bytes"
_TIME = "Time"
_BREAKS = "Interruptions"


def _option(text: str, panel: str, *names: str) -> typer.models.OptionInfo:
    info: typer.models.OptionInfo = typer.Option(*names, help=text, rich_help_panel=panel)
    return info


def proxy(
    port: Annotated[str, typer.Option("--port", help="The device's port: a path, tcp://host:port, unix:/path, ...")],
    seed: Annotated[int, typer.Option("--seed", help="The same seed damages the same bytes in the same way.")] = 0,
    flip: Annotated[float, _option("Probability per bit that it is inverted.", _BYTES)] = 0.0,
    lose_block: Annotated[float, _option("Probability per 64-byte block that it is lost.", _BYTES)] = 0.0,
    drop: Annotated[float, _option("Probability per frame that it is lost.", _WHOLE)] = 0.0,
    duplicate: Annotated[float, _option("Probability per frame that it arrives twice.", _WHOLE)] = 0.0,
    truncate: Annotated[float, _option("Probability per frame that it loses its end.", _WHOLE)] = 0.0,
    garbage: Annotated[float, _option("Probability per frame that random bytes follow it.", _WHOLE)] = 0.0,
    baud: Annotated[
        int | None, _option("Model a wire of so many bit/s, 8N1; a real port is opened at it too.", _TIME)
    ] = None,
    delay: Annotated[float, _option("Delay of everything, in seconds.", _TIME)] = 0.0,
    jitter: Annotated[float, _option("Extra delay of each frame, random, up to so many seconds.", _TIME)] = 0.0,
    stall_every: Annotated[int, _option("Pause after so many bytes; 0 for never.", _TIME)] = 0,
    stall: Annotated[float, _option("Length of a pause, in seconds.", _TIME)] = 0.1,
    disconnect_every: Annotated[
        int, _option("Disconnect the port after so many frames to the device; 0 for never.", _BREAKS)
    ] = 0,
    disconnect: Annotated[float, _option("Seconds until it is back, under another name; see --link.", _BREAKS)] = 0.5,
    reset_every: Annotated[
        int, _option("Reset the device in the middle of every so many frames; 0 for never.", _BREAKS)
    ] = 0,
    reset_command: Annotated[str | None, _option("The command that resets the device.", _BREAKS)] = None,
    reset_pid: Annotated[int | None, _option("The process to send a signal to instead.", _BREAKS)] = None,
    reset_signal: Annotated[str, _option("The signal.", _BREAKS)] = "USR1",
    link: Annotated[
        Path | None, typer.Option("--link", help="A symbolic link that always points to the current port.")
    ] = None,
    json: JsonOption = None,
) -> None:
    """Put a bad line between the host and a device: a port of its own, with faults, until Ctrl-C.

    Faults happen in both directions. At the end it shows how much it carried, and which faults it made.

    **Examples**, the second one in another terminal

    tinyhil proxy --port /dev/ttyACM0 --link /tmp/bad --flip 1e-4 --drop 0.01

    tinyhil verify sine --port /tmp/bad
    """
    with command(json) as output:
        from tinyhil.proxy import FaultProxy, Faults

        faults = Faults(
            bit_flip=flip,
            drop_frame=drop,
            duplicate_frame=duplicate,
            truncate_frame=truncate,
            insert_garbage=garbage,
            lose_block=lose_block,
            delay=delay,
            jitter=jitter,
            stall_every=stall_every,
            stall_seconds=stall,
            disconnect_every=disconnect_every,
            disconnect_seconds=disconnect,
            reset_every=reset_every,
        )
        reset = _reset(reset_command, reset_pid, reset_signal)
        _serve(output, FaultProxy(port, faults, seed=seed, baud=baud, link=link, reset=reset))


def _serve(output: Output, fault_proxy: FaultProxy) -> None:
    """Runs until Ctrl-C, which is how this command ends well, or until the device is gone."""
    shown = ""
    try:
        with fault_proxy:
            while True:
                if fault_proxy.terminal != shown:
                    shown = fault_proxy.terminal
                    output.console.print(
                        f"serial port redirected to {fault_proxy.port}", soft_wrap=True, highlight=False
                    )
                if fault_proxy.wait(_LOOK_SECONDS):
                    break
    except KeyboardInterrupt:
        pass
    _show(output, fault_proxy)
    if fault_proxy.failure is not None:
        raise fault_proxy.failure


def _show(output: Output, fault_proxy: FaultProxy) -> None:
    counted = fault_proxy.describe()
    to_device, to_host = counted["to_device"], counted["to_host"]
    output.console.print(f"{'':<18} {'to device':>12} {'to host':>12}", highlight=False)
    for name, count in to_device.items():
        output.console.print(f"{name.replace('_', ' '):<18} {count:>12,} {to_host[name]:>12,}", highlight=False)
    output.write_json(counted)


def _reset(line: str | None, pid: int | None, name: str) -> Callable[[], None] | None:
    """The way to reset the device that the options name.

    Raises:
        ConfigError: they name two, or a signal that does not exist.
    """
    if line is not None and pid is not None:
        raise ConfigError("--reset-command and --reset-pid exclude each other", kind=kinds.CONTRADICTION)
    if line is not None:
        return _command(line)
    return None if pid is None else _signal(pid, name)


def _command(line: str) -> Callable[[], None]:
    from tinyhil import process

    try:
        argv = shlex.split(line)
    except ValueError as error:
        raise ConfigError(
            f"--reset-command {line!r} cannot be read: {error}",
            hint="write it as for a shell, with quotes where words have spaces",
        ) from error
    if not argv:
        raise ConfigError("--reset-command is empty", hint="give a command that resets the device")
    return lambda: _discard(process.run(argv, what="reset the device"))


def _discard(_output: str) -> None:
    """A reset command's output is nobody's business unless it fails."""


def _signal(pid: int, name: str) -> Callable[[], None]:
    number = getattr(signal, f"SIG{name.upper().removeprefix('SIG')}", None)
    if not isinstance(number, signal.Signals):
        raise ConfigError(f"there is no signal {name}", hint="USR1, HUP, ...")
    if pid < 1:
        raise ConfigError(f"--reset-pid {pid} is no process", hint="give the PID of the process that is the device")

    def send() -> None:
        try:
            os.kill(pid, number)
        except OSError as error:
            raise DeviceError(f"process {pid} cannot be sent SIG{name.upper()}: {error.strerror}") from error

    return send
