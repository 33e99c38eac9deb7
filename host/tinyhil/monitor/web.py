"""The monitor in a browser, on this computer only.

Every tab has the application in a process of its own, as textual-serve runs it: Textual's output goes to the page over
a websocket, and keys come back. What serves the page is here, since nobody but the person at this computer may have it:

- It listens on the loopback interface.
- Every address begins with a token, new each time; without it nothing is answered.
- The host in the request has to be this computer's name: the page of another site whose name leads here (DNS
  rebinding) is refused, and so is a websocket that another page opens.
- The page asks nobody else for anything, and tells nobody its address.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import os
import secrets
import signal
import socket
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import textual_serve
from aiohttp import WSMsgType, web
from aiohttp.typedefs import Handler, Middleware
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from tinyhil import templates
from tinyhil.errors import ConfigError
from tinyhil.plain_text import plain

HOST = "127.0.0.1"
NAMES = frozenset({HOST, "localhost", "::1"})
"""By which a browser may have called this computer; the port may be another one, as behind ``ssh -L``."""

_TOKEN_BYTES = 24
_FONT_SIZES = range(6, 41)
_CELLS = range(1, 1001)
"""Of a terminal, in each direction."""
_HEARTBEAT_S = 15.0
_TURN_S = 10.0
"""How long a tab waits for the one before it to end, as when it was loaded again."""
_END_S = 10.0
"""How long a process may take to end before it is killed."""
_LONGEST_MESSAGE = 1 << 16
_LONGEST_LINE = 1 << 20
_BEGIN = b"__GANGLION__\n"
"""What Textual writes before its first packet: a letter for the kind, four bytes for the size, the payload."""
_OTHER_SCREEN = "\x1b[?1049l"
"""To the screen that applications leave as it is."""
_STATIC = Path(textual_serve.__file__).parent / "static"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "font-src 'self'; img-src 'self' data:; connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def is_served() -> bool:
    """Whether this process is one that a tab was given."""
    return os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")


def serve(
    command: Sequence[str], title: str, port: int, tell: Callable[[str], object], said: Callable[[str], object]
) -> None:
    """Serves the application until SIGINT or SIGTERM comes. Nothing that it has started is left then.

    Args:
        command: starts the application; the first word is a program.
        title: of the page.
        port: to listen on, 0 for any that is free.
        tell: is told the address.
        said: is told each line that an application writes to its standard error.

    Raises:
        ConfigError: the port cannot be listened on.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise ConfigError(
                f"port {port} of this computer cannot be listened on: {error}",
                hint="name another one with --web-port, or none at all",
            ) from error
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        app = application(command, title, token, said)
        asyncio.run(_serve(app, listening, lambda: tell(_address(listening, token))))


def _address(listening: socket.socket, token: str) -> str:
    return f"http://{HOST}:{listening.getsockname()[1]}/{token}/"


async def _serve(app: web.Application, listening: socket.socket, ready: Callable[[], object]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)  # a log would have the token
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        ready()
        await ended.wait()
    finally:
        await runner.cleanup()


def application(command: Sequence[str], title: str, token: str, said: Callable[[str], object]) -> web.Application:
    """What answers requests.

    Args:
        command: as ``serve`` takes it.
        title: likewise.
        token: the first part of every path.
        said: as ``serve`` takes it.
    """
    app = web.Application(middlewares=[_guard(token)])
    _Pages(command, title, said).add_to(app, f"/{token}")
    app.on_response_prepare.append(_add_headers)
    return app


def _guard(token: str) -> Middleware:
    """Refuses whatever was not meant for us, before anything looks at it."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if _name(request.host) not in NAMES:
            return web.Response(status=403, text="This name is not this computer's.\n")
        origin = request.headers.get("Origin")
        if origin is not None and origin != f"http://{request.host}":
            return web.Response(status=403, text="Another page may not ask.\n")
        given = request.path.split("/")[1] if "/" in request.path else ""
        if not hmac.compare_digest(given.encode(), token.encode()):
            return web.Response(status=403, text="The address has a token, which the terminal shows.\n")
        return await handler(request)

    return guard


def _name(host: str) -> str | None:
    """The name in a Host header, without its port; None where there is none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _HEADERS.items():
        response.headers[name] = value.format(host=request.host)


class _Pages:
    """The page, and the application that it shows; one at a time, since a port has one owner."""

    def __init__(self, command: Sequence[str], title: str, said: Callable[[str], object]) -> None:
        self._command = tuple(command)
        self._title = title
        self._said = said
        self._turn = asyncio.Lock()
        self._open: set[web.WebSocketResponse] = set()
        self._running: set[asyncio.Task[None]] = set()
        files = templates.environment("monitor", autoescape=True)
        self._page = files.get_template("page.html.j2")
        self._focus = files.get_template("focus.js")

    def add_to(self, app: web.Application, prefix: str) -> None:
        app.router.add_get(f"{prefix}/", self.page)
        app.router.add_get(f"{prefix}/focus.js", self.focus)
        app.router.add_get(f"{prefix}/ws", self.websocket)
        app.router.add_static(f"{prefix}/static", _STATIC)
        app.on_shutdown.append(self.close)

    async def close(self, _app: web.Application) -> None:
        """Ends what is open."""
        for websocket in list(self._open):
            await websocket.close()
        await asyncio.gather(*self._running)

    async def page(self, request: web.Request) -> web.Response:
        text = self._page.render(
            title=self._title,
            websocket=f"ws://{request.host}{request.path}ws",
            font_size=_number(request.query.get("fontsize"), _FONT_SIZES, 16),
        )
        return web.Response(text=text, content_type="text/html")

    async def focus(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._focus.render(), content_type="text/javascript")

    async def websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Runs the application for as long as a tab is there."""
        websocket = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=_LONGEST_MESSAGE)
        await websocket.prepare(request)
        self._open.add(websocket)
        try:
            async with asyncio.timeout(_TURN_S):
                await self._turn.acquire()
        except TimeoutError:
            await websocket.close()
        else:
            running = asyncio.create_task(self._run(request, websocket))
            self._running.add(running)
            running.add_done_callback(self._running.discard)
            await asyncio.shield(running)
        finally:
            self._open.discard(websocket)
        return websocket

    async def _run(self, request: web.Request, websocket: web.WebSocketResponse) -> None:
        width, height = (
            _number(request.query.get(name), _CELLS, usual) for name, usual in (("width", 80), ("height", 24))
        )
        service = _Service(self._command, websocket, self._said)
        try:
            if not websocket.closed:  # while it waited
                await service.start(width, height)
                await _pass_on(websocket, service)
        finally:
            await service.stop()
            self._turn.release()


class _Service(AppService):
    """The application of one tab, in a process that ends with it."""

    def __init__(self, command: Sequence[str], websocket: web.WebSocketResponse, said: Callable[[str], object]) -> None:
        super().__init__(
            " ".join(command),
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=self._close,
            download_manager=DownloadManager(),
        )
        self._words = tuple(command)
        self._websocket = websocket
        self._said = said
        self._on_screen = False

    async def _close(self) -> None:
        await self._websocket.close()

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        environment = self._build_environment(width, height)
        self._process = await asyncio.create_subprocess_exec(
            *self._words, stdin=PIPE, stdout=PIPE, stderr=PIPE, env=environment, limit=_LONGEST_LINE
        )
        self._stdin = self._process.stdin
        return self._process

    async def run(self) -> None:
        """Hands on what the application shows, and what it says before; when it has ended, the page is told."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        assert process.stderr is not None
        saying = asyncio.create_task(self._say(process.stderr))
        output = process.stdout
        with contextlib.suppress(asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            await output.readuntil(_BEGIN)
            self._on_screen = True
            while True:
                kind, size = await output.readexactly(1), await output.readexactly(4)
                payload = await output.readexactly(int.from_bytes(size, "big"))
                if kind == b"D":
                    await self.on_data(payload)
        self._on_screen = False
        await saying
        await self._close()

    async def _say(self, errors: asyncio.StreamReader) -> None:
        """Says what comes on standard error; on the page as well, while the application is not on it."""
        while line := await errors.readline():
            text = plain(line.decode("utf-8", "replace").rstrip())
            self._said(text)
            if not self._on_screen:
                with contextlib.suppress(ConnectionError):
                    await self.remote_write_bytes(f"{_OTHER_SCREEN}{text}\r\n".encode())

    async def stop(self) -> None:
        """Ends the process, whatever it is doing."""
        process = self._process
        if process is None or self._task is None:
            return
        # It may be training a model, and not listen to what comes from the page.
        _signal(process, signal.SIGTERM)
        killed = asyncio.get_running_loop().call_later(_END_S, _signal, process, signal.SIGKILL)
        await self._task
        self.stdin.close()
        await process.communicate()
        killed.cancel()
        with contextlib.suppress(ConnectionError):
            await self.stdin.wait_closed()


def _signal(process: Process, number: signal.Signals) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)


async def _pass_on(websocket: web.WebSocketResponse, service: AppService) -> None:
    """Hands the messages of a page on until it is closed, or sends what is no message."""
    async for message in websocket:
        if message.type is not WSMsgType.TEXT:
            continue
        try:
            match json.loads(message.data):
                case ["stdin", str(typed)]:
                    await service.send_bytes(typed.encode())
                case ["resize", {"width": int(width), "height": int(height)}] if width in _CELLS and height in _CELLS:
                    await service.set_terminal_size(width, height)
                case ["ping", str(sent)]:
                    await websocket.send_json(["pong", sent])
                case ["blur"]:
                    await service.blur()
                case ["focus"]:
                    await service.focus()
        except (ValueError, RecursionError):
            return


def _number(text: str | None, allowed: range, usual: int) -> int:
    """A number of a query; the usual one where it is none, or not allowed."""
    with contextlib.suppress(ValueError):
        if text is not None and (number := int(text)) in allowed:
            return number
    return usual
