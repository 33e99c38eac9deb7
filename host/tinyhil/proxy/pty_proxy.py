"""Stands between a device's port and the host, and makes the line between them as bad as it is told to.

One thread serves both directions and waits in one ``select``: for bytes from either end, for room at an end that was
full, and for the next time at which something is due. It owns the device's transport and the host's port from start to
end. When the device's port fails, the host's vanishes too, and the error waits in ``failure``.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from tinyhil.deadline import Deadline
from tinyhil.errors import ConfigError, DeviceError, TinyhilError
from tinyhil.proxy.counters import Counters
from tinyhil.proxy.faults import Action, Faults
from tinyhil.proxy.host_port import HostPort
from tinyhil.proxy.line import Line
from tinyhil.proxy.rates import rate_of
from tinyhil.transport import Pollable, Transport, open_transport

DEFAULT_BAUD = 115200
"""Line rate at which a real device's port is opened if no wire is modelled."""

OPEN_SECONDS = 10.0
"""How long a socket of the device is waited for."""

_READ_BYTES = 65536
_HOST_LOOK_SECONDS = 0.01
"""How often it is looked whether somebody has opened the host's port."""

_DEVICE_LOOK_SECONDS = 0.002
"""How often a device is looked at that ``select`` cannot wait for."""

_PIECE_BYTES = 256
_PIECE_SECONDS = 5.0
"""How much such a device is given at a time, and how long it may take for it."""


class FaultProxy:
    """A bad line to a device.

    Ownership: opens the device's port, which nobody else may have open, and the host's; ``stop`` gives up both, and
    the thread. Use it as a context manager, or call ``start`` and ``stop``.

    Args:
        port: the device's, as for ``tinyhil.transport.open_transport``.
        faults: how bad the line is in both directions. Resets and disconnects are counted by frames to the device.
        seed: the source of all chance; each direction and each kind of fault has its own part of it.
        to_host: how bad the line to the host is, if not like the other direction.
        baud: models a wire of so many bit/s, 8N1, full duplex; None for one that takes no time.
        rated: models a wire at the rate that its two ends are set to, of so many bit/s at most, and with noise where
            they differ; for a device behind a pseudo-terminal, which begins at 115,200.
        link: path of a symbolic link to the host's port, absent while that is gone.
        reset: resets the device; called by the proxy's thread, and nothing moves while it runs.

    Raises:
        ConfigError: ``reset_every`` without ``reset``, a baud rate below 1, or both ``baud`` and ``rated``.
    """

    def __init__(
        self,
        port: str,
        faults: Faults = Faults(),  # noqa: B008 - frozen
        *,
        seed: int = 0,
        to_host: Faults | None = None,
        baud: int | None = None,
        rated: int = 0,
        link: Path | None = None,
        reset: Callable[[], None] | None = None,
    ) -> None:
        back = replace(faults, reset_every=0, disconnect_every=0) if to_host is None else to_host
        if reset is None and (faults.reset_every or back.reset_every):
            raise ConfigError("reset_every needs a way to reset the device", hint="give the reset command or signal")
        if rated and baud is not None:
            raise ConfigError(
                "`baud` and `rated` were both given: a wire has one rate, or those of its ends", hint="give one"
            )
        baud = DEFAULT_BAUD if rated else baud
        self.failure: TinyhilError | None = None
        self._address = port
        self._baud = baud
        self._rated = rated
        self._link = link
        self._reset = reset
        self._to_device = Line(faults, seed=seed, direction="to_device", baud=baud)
        self._to_host = Line(back, seed=seed, direction="to_host", baud=baud)
        self._host: HostPort | None = None
        self._waker = -1
        self._opened = contextlib.ExitStack()
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        # Waited for instead of joining: a join that Ctrl-C interrupts takes the thread for ended (Python 3.11).
        self._ended = threading.Event()

    @property
    def port(self) -> str:
        """Where the host finds the device: the link if there is one, else the current terminal."""
        return str(self._link) if self._link is not None else self.terminal

    @property
    def terminal(self) -> str:
        """The current pseudo-terminal, or the last one; another one after each disconnect. Empty before the start."""
        return self._host.name if self._host is not None else ""

    @property
    def counters(self) -> dict[str, Counters]:
        """What has happened so far, by direction: ``to_device`` and ``to_host``."""
        return {"to_device": self._to_device.counters, "to_host": self._to_host.counters}

    def describe(self) -> dict[str, dict[str, int]]:
        """The counters as plain data."""
        return {direction: asdict(counters) for direction, counters in self.counters.items()}

    def start(self) -> Self:
        """Opens both ports and begins to move bytes. A proxy is started once.

        Raises:
            DeviceError: the device's port cannot be opened.
            ConfigError: an address that cannot be meant, or something else is at the link's path.
            StorageError: no pseudo-terminal, or no link, could be made.
        """
        if self._host is not None:
            raise ConfigError(f"the proxy of {self._address} was started before", hint="make a new one")
        with contextlib.ExitStack() as opened:
            deadline = Deadline.after(OPEN_SECONDS)
            device = open_transport(self._address, baud=self._baud or DEFAULT_BAUD, deadline=deadline)
            opened.callback(device.close)
            host = HostPort(self._link)
            opened.callback(host.close)
            woken, waker = os.pipe()
            opened.callback(os.close, woken)
            opened.callback(os.close, waker)
            pump = _Pump(device, host, self._to_device, self._to_host, self._reset, woken, self._rated)
            thread = threading.Thread(target=self._run, args=(pump,), name="fault proxy", daemon=True)
            thread.start()
            self._host, self._waker, self._thread, self._opened = host, waker, thread, opened.pop_all()
        return self

    def stop(self) -> None:
        """Ends the proxy and closes both ports; no thread is left when this returns. May be called again."""
        if self._thread is not None:
            self._stopping.set()
            os.write(self._waker, b"x")
            self._ended.wait()
            self._thread.join()
            self._thread = None
            self._opened.close()

    def wait(self, seconds: float) -> bool:
        """Waits until the proxy has ended by itself; whether it has."""
        return self._ended.wait(seconds)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops the proxy."""
        self.stop()

    def _run(self, pump: _Pump) -> None:
        try:
            while not self._stopping.is_set():
                pump.turn()
        except TinyhilError as error:
            self.failure = error
        except Exception as error:
            self.failure = DeviceError(f"the proxy failed: {error!r}")
            raise  # a defect, in the reset that was given or here
        finally:
            pump.close()
            self._ended.set()


class _Pump:
    """Moves bytes between two ends, a turn at a time."""

    def __init__(
        self,
        device: Transport,
        host: HostPort,
        to_device: Line,
        to_host: Line,
        reset: Callable[[], None] | None,
        woken: int,
        rated: int,
    ) -> None:
        self._device = device
        self._pollable = device if isinstance(device, Pollable) else None
        self._host = host
        self._to_device = to_device
        self._to_host = to_host
        self._reset = reset
        self._woken = woken
        self._rated = rated
        self._back_at: float | None = None

    def turn(self) -> None:
        """Moves what can be moved now, then waits until more can be."""
        now = time.monotonic()
        if self._back_at is not None and now >= self._back_at:
            self._host.come_back()
            self._back_at = None
        self._host.look()
        self._tune()
        if room := self._to_device.room:
            data = self._host.read(min(room, _READ_BYTES))
            self._tune()  # a host that goes over to another rate sends at once
            # The clock is read after the bytes: what arrives while we read is not taken for older than it is.
            self._to_device.push(data, time.monotonic())
        if room := self._to_host.room:
            self._to_host.push(self._device.read(min(room, _READ_BYTES), 0.0), time.monotonic())
        device_full = self._deliver(self._to_device, self._give_device, now)
        host_full = self._deliver(self._to_host, self._give_host, now)
        self._wait(device_full, host_full)

    def close(self) -> None:
        """Gives both ports up."""
        self._host.close()
        self._device.close()

    def _tune(self) -> None:
        """Looks at what both ends are set to."""
        if self._rated and self._pollable is not None:
            host, device = self._host.rate, rate_of(self._pollable.fileno())
            self._to_device.set_rates(host, device, self._rated)
            self._to_host.set_rates(device, host, self._rated)

    def _deliver(self, line: Line, give: Callable[[bytes], int], now: float) -> bool:
        """Hands over what is due; True if the receiver is full."""
        while (what := line.due(now)) is not None:
            if isinstance(what, Action):
                line.done()
                self._carry_out(what, line)
                continue
            count = give(what)
            line.done(count)
            if count < len(what):
                return True
        return False

    def _carry_out(self, action: Action, line: Line) -> None:
        if action is Action.DISCONNECT:
            self._host.vanish()
            self._back_at = time.monotonic() + line.faults.disconnect_seconds
        elif self._reset is not None:
            self._reset()

    def _give_device(self, data: bytes) -> int:
        if self._pollable is not None:
            return self._pollable.write_some(data)
        self._device.write(data[:_PIECE_BYTES], Deadline.after(_PIECE_SECONDS))
        return min(len(data), _PIECE_BYTES)

    def _give_host(self, data: bytes) -> int:
        count = self._host.write(data)
        if count is None:
            self._to_host.unheard(len(data))
            return len(data)
        return count

    def _wait(self, device_full: bool, host_full: bool) -> None:
        now = time.monotonic()
        times = [self._back_at] if self._back_at is not None else []
        readers, writers = [self._woken], []
        if (host := self._host.fileno) is not None:
            readers += [host] if self._to_device.room else []
            writers += [host] if host_full else []
        elif self._host.present:
            times.append(now + _HOST_LOOK_SECONDS)
        if self._pollable is not None:
            readers += [self._pollable.fileno()] if self._to_host.room else []
            writers += [self._pollable.fileno()] if device_full else []
        else:
            times.append(now + _DEVICE_LOOK_SECONDS)
        # A line whose receiver is full has something due all the time, and is not waited for.
        for line, full in ((self._to_device, device_full), (self._to_host, host_full)):
            if not full and (due := line.next_due(now)) is not None:
                times.append(due)
        select.select(readers, writers, [], max(0.0, min(times) - now) if times else None)
