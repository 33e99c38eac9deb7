"""The page that the monitor is shown on: who gets it, and what becomes of the processes behind it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, WSServerHandshakeError
from aiohttp.test_utils import BaseTestServer, TestServer

from tinyhil.monitor import web

Tab = ClientWebSocketResponse
TOKEN = "a-token"
PATHS = ("", "ws", "focus.js", "static/js/textual.js", "static/css/xterm.css")
PATIENCE_S = 60.0

ECHO = """
import os, sys
def say(data):
    os.write(1, b"D" + len(data).to_bytes(4, "big") + data)
def take(count):
    data = b""
    while len(data) < count:
        data += os.read(0, count - len(data)) or sys.exit(0)
    return data
os.write(1, b"__GANGLION__\\n")
say(b"process %d, %s by %s" % (os.getpid(), os.environ["COLUMNS"].encode(), os.environ["ROWS"].encode()))
while True:
    kind, size = take(1), int.from_bytes(take(4), "big")
    say(kind + b" " + take(size))
"""
"""Stands for an application: tells what it is sent."""


class Browser:
    """Asks as a browser does, at a server with an application of a few lines."""

    def __init__(self, server: BaseTestServer, client: ClientSession, said: list[str]) -> None:
        self.root, self.client, self.said = f"http://127.0.0.1:{server.port}/", client, said

    async def status(self, path: str, **headers: str) -> int:
        async with self.client.get(self.root + path, headers=headers) as answer:
            return answer.status

    def tab(self, query: str = "", token: str = TOKEN, **headers: str) -> AbstractAsyncContextManager[Tab]:
        return self.client.ws_connect(f"{self.root}{token}/ws{query}", headers=headers)


def at_page(scenario: Callable[[Browser], Awaitable[None]], program: str = ECHO) -> None:
    """Carries a scenario out."""

    async def carried_out() -> None:
        said: list[str] = []
        app = web.application((sys.executable, "-c", program), "sine", TOKEN, said.append)
        async with TestServer(app) as server, ClientSession() as client:
            await scenario(Browser(server, client, said))

    asyncio.run(carried_out())


def is_alive(process: int) -> bool:
    return Path(f"/proc/{process}").exists() if sys.platform == "linux" else not _gone(process)


def _gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


async def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < ends
        await asyncio.sleep(0.01)


async def process_of(tab: Tab) -> int:
    return int((await tab.receive_bytes()).split()[1].rstrip(b","))


def test_nothing_is_answered_without_the_token() -> None:
    async def scenario(browser: Browser) -> None:
        for path in PATHS:
            assert await browser.status(path) == 403, path
            for wrong in ("a-toke", "a-token2", "A-TOKEN", "%61-toke"):
                assert await browser.status(f"{wrong}/{path}") == 403, (wrong, path)
            if path != "ws":
                assert await browser.status(f"{TOKEN}/{path}") == 200, path
        for path in ("", f"?token={TOKEN}", f"x/{TOKEN}/", f"/{TOKEN}/"):
            assert await browser.status(path) == 403, path
        with pytest.raises(WSServerHandshakeError, match="403"):
            async with browser.tab(token="another"):
                pass

    at_page(scenario)


@pytest.mark.parametrize("host", ["example.com", "example.com:80", "127.0.0.1.example.com", "localhost.", "[::1", ""])
def test_a_name_that_is_not_this_computers_is_refused(host: str) -> None:
    async def scenario(browser: Browser) -> None:
        for path in PATHS:
            assert await browser.status(f"{TOKEN}/{path}", Host=host) in (400, 403), path

    at_page(scenario)


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1:9", "[::1]:80", "localhost"])
def test_another_port_is_that_of_a_tunnel(host: str) -> None:
    async def scenario(browser: Browser) -> None:
        async with browser.client.get(f"{browser.root}{TOKEN}/", headers={"Host": host}) as answer:
            assert answer.status == 200
            assert f"ws://{host}/{TOKEN}/ws" in await answer.text()
            assert f"connect-src 'self' ws://{host};" in answer.headers["Content-Security-Policy"]

    at_page(scenario)


@pytest.mark.parametrize("origin", ["http://example.com", "null", "https://127.0.0.1", "http://127.0.0.1:1", ""])
def test_another_page_opens_no_websocket(origin: str) -> None:
    async def scenario(browser: Browser) -> None:
        with pytest.raises(WSServerHandshakeError, match="403"):
            async with browser.tab(Origin=origin):
                pass
        async with browser.tab(Origin=browser.root.rstrip("/")) as tab:
            assert await process_of(tab)

    at_page(scenario)


def test_the_page_tells_nobody_its_address() -> None:
    async def scenario(browser: Browser) -> None:
        async with browser.client.get(f"{browser.root}{TOKEN}/?fontsize=9999") as answer:
            text = await answer.text()
            assert answer.headers["Referrer-Policy"] == "no-referrer"
            assert answer.headers["Cache-Control"] == "no-store"
        assert 'data-font-size="16"' in text
        assert "https://" not in text

    at_page(scenario)


def test_keys_and_sizes_reach_the_application() -> None:
    async def scenario(browser: Browser) -> None:
        async with browser.tab("?width=60&height=99999") as tab:
            assert (await tab.receive_bytes()).endswith(b"60 by 24")
            await tab.send_json(["stdin", "q\x1b[A"])
            assert await tab.receive_bytes() == b"D q\x1b[A"
            await tab.send_json(["resize", {"width": 0, "height": 10}])
            await tab.send_json(["resize", {"width": 100, "height": 10}])
            assert await tab.receive_bytes() == b'M {"type": "resize", "width": 100, "height": 10}'
            await tab.send_json(["ping", "1"])
            assert await tab.receive_json() == ["pong", "1"]

    at_page(scenario)


@pytest.mark.parametrize("message", ["{", "[" * 5000, "x" * 70_000])
def test_what_is_no_message_ends_it(message: str) -> None:
    async def scenario(browser: Browser) -> None:
        async with browser.tab() as tab:
            process = await process_of(tab)
            await tab.send_str(message)
            assert (await tab.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSED)
        await until(lambda: not is_alive(process))

    at_page(scenario)


def test_a_tab_that_is_closed_ends_its_process() -> None:
    async def scenario(browser: Browser) -> None:
        async with browser.tab() as tab:
            first = await process_of(tab)
            async with browser.tab() as other:  # as when the page is loaded again: it waits for the one before it
                await tab.close()
                second = await process_of(other)
                assert not is_alive(first)
        await until(lambda: not is_alive(second))

    at_page(scenario)


def test_a_second_tab_waits_and_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_TURN_S", 0.2)

    async def scenario(browser: Browser) -> None:
        async with browser.tab() as tab:
            process = await process_of(tab)
            async with browser.tab() as other:
                assert (await other.receive()).type is WSMsgType.CLOSE
            assert is_alive(process)

    at_page(scenario)


def test_what_it_says_before_it_is_on_the_screen() -> None:
    """A model is trained first, or it cannot start: both are for whoever looks at the page, and at the terminal."""

    async def scenario(browser: Browser) -> None:
        async with browser.tab() as tab:
            assert (await tab.receive_bytes()).endswith(rb"train \x1b[2J 30 s" + b"\r\n")
            assert (await tab.receive()).type is WSMsgType.CLOSE
        assert browser.said == [r"train \x1b[2J 30 s"]

    at_page(scenario, "import sys; sys.stderr.write('train \\x1b[2J 30 s\\n'); sys.exit(3)")


def test_a_process_that_does_not_listen_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_END_S", 0.2)

    async def scenario(browser: Browser) -> None:
        async with browser.tab() as tab:
            process = await process_of(tab)
            await tab.close()
        await until(lambda: not is_alive(process))

    at_page(scenario, "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + ECHO)


def test_who_serves_is_told_by_signals_to_end() -> None:
    addresses: list[str] = []

    def tell(address: str) -> None:
        addresses.append(address)
        os.kill(os.getpid(), signal.SIGTERM)

    web.serve((sys.executable, "-c", ECHO), "sine", 0, tell, print)
    assert addresses[0].startswith("http://127.0.0.1:")
    assert len(addresses[0].rsplit("/", 2)[1]) == 32
