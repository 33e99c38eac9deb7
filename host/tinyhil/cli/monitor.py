"""The command ``monitor``: what a board or an emulator prints."""

from __future__ import annotations

import contextlib
import copy
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from tinyhil import kinds
from tinyhil.cli import completion
from tinyhil.cli.options import takes_options
from tinyhil.cli.session import Output
from tinyhil.errors import ConfigError, DeviceError, MissingToolError
from tinyhil.options import Level, Options

if TYPE_CHECKING:
    from tinyhil.cli.monitor_ports import Opened
    from tinyhil.cli.plain_monitor import Watched
    from tinyhil.stream.appearance import TimeStyle
    from tinyhil.stream.events import Source
    from tinyhil.stream.query import Query
    from tinyhil.stream.trigger import Trigger
    from tinyhil.stream.typing import Encoder

_WHAT = "What is shown"
_PORT = "The port"
_FILES = "Files"
_NOT_TAKEN = ("port", "line", "firmware", "form", "resume", "record", "search", "budget", "vectors")
_ENDINGS = {"lf": b"\n", "crlf": b"\r\n", "cr": b"\r", "none": b""}

_T = TypeVar("_T")


def _option(text: str, panel: str, *names: str) -> typer.models.OptionInfo:
    info: typer.models.OptionInfo = typer.Option(*names, help=text, rich_help_panel=panel, show_default=False)
    return info


@takes_options(Level.DEVICE, without=_NOT_TAKEN, flash=True)
def monitor(
    output: Output,
    options: Options,
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[RECIPE|FILE.keras|FILE.tflite|FILE.rec]",
            help="Whose firmware is started on the target; or a recording. Nothing is started where a port is given.",
            show_default=False,
            autocompletion=completion.models,
        ),
    ] = None,
    port: Annotated[
        list[str] | None,
        _option("A port to listen to, whatever runs there; may be given more than once.", _PORT, "--port", "-p"),
    ] = None,
    follow: Annotated[bool, _option("Look on at a port that another monitor has; nothing is sent.", _PORT)] = False,
    baud: Annotated[int | None, _option("Rate of the line in bit/s, any  [default: the target's]", _PORT)] = None,
    parity: Annotated[str, _option("Parity of the line: none, even, odd  [default: none]", _PORT)] = "none",
    dtr: Annotated[bool | None, _option("Raise or drop DTR when the port is opened.", _PORT, "--dtr/--no-dtr")] = None,
    rts: Annotated[bool | None, _option("Raise or drop RTS when the port is opened.", _PORT, "--rts/--no-rts")] = None,
    ending: Annotated[str, _option("What ends a line that is sent: lf, crlf, cr, none  [default: lf]", _PORT)] = "lf",
    hex_input: Annotated[
        bool, _option("What is typed or sent is bytes in hexadecimal, such as 01 ff 0a, with no end of line.", _PORT)
    ] = False,
    by_key: Annotated[
        bool, _option("Send each key as it is pressed, not a line at a time; implies --plain.", _PORT)
    ] = False,
    send: Annotated[list[str] | None, _option("Send this line when the port is open.", _PORT)] = None,
    until: Annotated[str | None, _option("End with 0 at the first line with this regular expression.", _WHAT)] = None,
    timeout: Annotated[str | None, _option("End after this time: 5s, 2min; by 3 with --until.", _WHAT)] = None,
    time: Annotated[
        str, _option("Before each line: none, clock, relative or delta  [default: none]", _WHAT, "--time")
    ] = "none",
    only: Annotated[str | None, _option("Show only lines with this regular expression.", _WHAT, "--filter")] = None,
    hexadecimal: Annotated[bool, _option("Show bytes, 16 to a row.", _WHAT, "--hex")] = False,
    frames: Annotated[bool, _option("Show frames of tinyhil's protocol too, in words.", _WHAT)] = False,
    raw: Annotated[bool, _option("Write the bytes to standard output as they are.", _WHAT)] = False,
    trigger: Annotated[
        str | None,
        _option("Freeze the plot at a value: NAME rising|falling|edge|above|below LEVEL.", _WHAT, "--trigger"),
    ] = None,
    plain: Annotated[bool, _option("Write lines to standard output in place of the full screen.", _WHAT)] = False,
    web: Annotated[
        bool, _option("Show the full screen in a browser of this computer; the address is printed.", _WHAT, "--web")
    ] = False,
    web_port: Annotated[
        int | None, _option("Port of the page, with --web  [default: any that is free]", _WHAT, "--web-port")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            help="Of a recording: 2 is twice as fast as it was, 0 as fast as it can be shown.  "
            "[default: 1 on a full screen, else 0]",
            rich_help_panel=_WHAT,
            show_default=False,
            min=0.0,
            metavar="FACTOR",
        ),
    ] = None,
    log: Annotated[Path | None, _option("Append the lines to this file.", _FILES)] = None,
    csv: Annotated[
        Path | None, _option("At the end, write the numbers in the lines to this .csv or .npz file.", _FILES)
    ] = None,
    record: Annotated[
        Path | None, _option("Record all that comes and is sent; tinyhil monitor FILE.rec plays it.", _FILES)
    ] = None,
) -> None:
    """Show what a board or an emulator prints: of a tinyhil project or of any sketch.

    With **--port** it only listens. Without, the model's firmware is built and started on the target, a board is
    flashed where it runs anything else. What **--record** has written is played in place of a model.

    On a terminal it takes the full screen: lines, and a plot of the numbers in them. With **--plain**, in a pipe, and
    with options that are for scripts, lines go to standard output, and what is typed is sent, a line at a time.

    A port that goes away is waited for, and found again by the USB serial number of its board. While the monitor has a
    port, **tinyhil flash**, **run** and **verify** may still use it: the monitor steps aside, and comes back.

    **Examples**

    tinyhil monitor sine --target native

    tinyhil monitor --port /dev/ttyACM0 --baud 9600 --time clock --log sketch.txt

    tinyhil monitor --port /dev/ttyACM0 --until 'ready' --timeout 5s

    tinyhil monitor sine --target native --web

    tinyhil monitor --port /dev/ttyACM0 --record sketch.rec

    tinyhil monitor sketch.rec --speed 10
    """
    from tinyhil.cli import plain_monitor
    from tinyhil.cli.monitor_files import Files
    from tinyhil.cli.monitor_ports import open_ports, open_recording, recording_of
    from tinyhil.deadline import Deadline
    from tinyhil.stream.appearance import TimeStyle
    from tinyhil.stream.query import Query
    from tinyhil.stream.typing import encoder
    from tinyhil.targets.allowance import duration
    from tinyhil.transport.serial_port import PARITIES

    times = _one_of("--time", time, {style.value: style for style in TimeStyle})
    end = _one_of("--ending", ending, _ENDINGS)
    _one_of("--parity", parity, PARITIES)
    encode = encoder(end, hexadecimal=hex_input)
    to_send = [encode(line) for line in send or []]
    if by_key and hex_input:
        raise ConfigError("--by-key and --hex-input exclude one another", kind=kinds.CONTRADICTION)
    wanted = None if until is None else Query(until, regex=True, case=True)
    shown = None if only is None else Query(only, regex=True, case=True)
    seconds = None if timeout is None else duration("--timeout", timeout)
    if raw and (wanted is not None or len(port or []) > 1):
        raise ConfigError("--raw takes one port, and no --until", kind=kinds.CONTRADICTION)
    triggers = [] if trigger is None else [_trigger(trigger)]
    if follow and (not port or send):
        raise ConfigError("--follow takes --port, and no --send", hint="tinyhil monitor --port PORT --follow")
    files = Files(log, csv, record)
    files.check()
    played = recording_of(model, port or [])
    if speed is not None and played is None:
        raise ConfigError(
            "--speed is for recordings", hint="tinyhil monitor FILE.rec --speed 2", kind=kinds.CONTRADICTION
        )
    scripted = any((plain, raw, by_key, wanted, seconds, frames, output.json_path))
    if web_port is not None and not web:
        raise ConfigError("--web-port is for --web", kind=kinds.CONTRADICTION)
    if web and scripted:
        raise ConfigError("--web shows the full screen, which no script reads", kind=kinds.CONTRADICTION)
    # Textual draws on standard error.
    screen = web or (not scripted and all(each.isatty() for each in (sys.stdin, sys.stdout, sys.stderr)))
    if screen:
        _require("the full screen", "textual", "textual-plot")
    if web and _served_to_browser(output, model or ", ".join(port or []), web_port):
        return
    out, write = plain_monitor.standard_output()
    notices = output.errors

    def notice(text: str) -> None:
        notices.print(text, style="dim", markup=False, soft_wrap=True, highlight=False)

    with contextlib.ExitStack() as stack:
        if played is not None:
            opened = stack.enter_context(open_recording(played, speed, screen=screen))
        else:
            opened = stack.enter_context(
                open_ports(output, options, model, port or [], baud, (dtr, rts), parity=parity, follow=follow)
            )
        sources = opened.sources
        for source in sources:
            for data in to_send:
                source.send(data)
        deadline = None if seconds is None else Deadline.after(seconds)
        typed = stack.enter_context(
            plain_monitor.Typed(encode, notice, wanted=not follow and played is None, by_key=by_key)
        )
        if raw:
            with contextlib.suppress(KeyboardInterrupt):
                plain_monitor.follow_raw(sources[0], write, notice, deadline, typed)
            return
        ports = _watched(sources, hexadecimal)
        for each in ports:
            each.stream.table.triggers += copy.deepcopy(triggers)
        stack.enter_context(files.written(ports, times, frames=frames))
        if screen:
            _show_on_screen(ports, opened, times, shown, encode)
            return
        printer = plain_monitor.Printer(out, notice, times=times, frames=frames, only=shown)
        outcome = None
        with contextlib.suppress(KeyboardInterrupt):  # the way to end it
            outcome = plain_monitor.follow(ports, lambda each: printer.show(each, wanted), deadline, typed)
        output.write_json([_result(each) for each in ports])
    if outcome is plain_monitor.Outcome.ENDED and wanted is None and played is None:
        raise DeviceError("; ".join(each.source.said for each in ports))
    if outcome in (plain_monitor.Outcome.TIMEOUT, plain_monitor.Outcome.ENDED) and wanted is not None:
        when = f"within {seconds:g} s" if outcome is plain_monitor.Outcome.TIMEOUT else "before the end"
        lines = sum(each.stream.counts.lines for each in ports)
        raise DeviceError(f"no line had {until!r} {when}; {lines:,} lines came", kind=kinds.NOT_SEEN)


def _require(what: str, *packages: str) -> None:
    """Returns where something can be had.

    Raises:
        MissingToolError: a package that it needs is not installed.
    """
    from importlib.util import find_spec

    missing = [name for name in packages if find_spec(name.replace("-", "_")) is None]
    if missing:
        raise MissingToolError(
            f"{what} needs the package {' and the package '.join(missing)}",
            hint="pip install 'tinyhil[monitor]', or go on with --plain",
        )


def _served_to_browser(output: Output, title: str, port: int | None) -> bool:
    """Serves the monitor to a browser until it is ended; whether it was this process' task.

    Each tab has a process of its own, with the same command line, whose task it is not.

    Raises:
        ConfigError: the port cannot be listened on.
        MissingToolError: a package is not installed.
    """
    _require("the monitor in a browser", "textual-serve")
    from tinyhil.monitor import web

    if web.is_served():
        return False

    def said(line: str) -> None:
        output.errors.print(line, markup=False, soft_wrap=True, highlight=False)

    def tell(address: str) -> None:
        said("The monitor is at this address, for this computer only; Ctrl-C ends it.")
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()

    web.serve((sys.executable, "-m", "tinyhil", *sys.argv[1:]), title, port or 0, tell, said)
    return True


def _show_on_screen(
    ports: list[Watched], opened: Opened, times: TimeStyle, only: Query | None, encode: Encoder
) -> None:
    """Shows the ports until the screen is left.

    Raises:
        RuntimeError: the application has failed; it has said how.
    """
    from tinyhil.monitor.app import MonitorApp
    from tinyhil.monitor.port_pane import PortPane

    app = MonitorApp(
        [
            PortPane(
                *(each.source, each.stream, encode, times, only, opened.ask, opened.beside, opened.commands),
                errors=opened.errors,
                demo=opened.demo,
            )
            for each in ports
        ]
    )
    app.run()
    if app.return_code:
        raise RuntimeError("the application of the monitor has failed")


def _trigger(text: str) -> Trigger:
    from tinyhil.stream.numbers import is_number, number
    from tinyhil.stream.trigger import Condition, Trigger

    *name, condition, level = text.rsplit(maxsplit=2)
    known = {each.value: each for each in Condition}
    if not name or condition not in known or not is_number(level):
        raise ConfigError(
            f"--trigger {text!r} is no trigger",
            hint=f"write --trigger 'x rising 0.5'; conditions are {', '.join(known)}",
        )
    return Trigger(name[0], known[condition], number(level))


def _watched(sources: list[Source], hexadecimal: bool) -> list[Watched]:
    from tinyhil.cli.plain_monitor import Watched
    from tinyhil.stream.model import Stream
    from tinyhil.stream.player import Player

    names = [source.address.rpartition("/")[2] for source in sources] if len(sources) > 1 else [""]
    found = []
    for name, source in zip(names, sources, strict=True):
        stream = Stream(hexadecimal=hexadecimal)
        if isinstance(source, Player):
            stream.stamps = source.stamps
        found.append(Watched(name, source, stream))
    return found


def _result(port: Watched) -> dict[str, object]:
    """What came from a port, as JSON has it."""
    counts, table = port.stream.counts, port.stream.table
    return {
        "port": port.source.address,
        "bytes": counts.bytes,
        "lines": counts.lines,
        "frames": sum(counts.frames.values()),
        "dropped": counts.dropped,
        "series": [
            {
                "name": series.name,
                "unit": series.unit,
                **{name: _finite(value) for name, value in series.figures()._asdict().items()},
            }
            for series in table.series.values()
        ],
    }


def _finite(value: float) -> float | None:
    return value if abs(value) != float("inf") and value == value else None


def _one_of(option: str, name: str, known: dict[str, _T]) -> _T:
    if name not in known:
        raise ConfigError(f"{option} {name} is unknown", hint=f"there are: {', '.join(known)}")
    return known[name]
