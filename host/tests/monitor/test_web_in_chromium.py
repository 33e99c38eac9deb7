"""The monitor in real headless Chromium, at a sketch on a pseudo-terminal."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, WebSocket

from ..system.cli import Cli
from ..system.test_monitor import Board
from ..visit import Visit, serious

pytestmark = pytest.mark.long

PATIENCE_S = 60.0
_COMMANDS = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|.)")


class Page:
    """A tab with the monitor, and what the application has sent to it."""

    def __init__(self, visit: Visit, address: str) -> None:
        self.visit, self.page, self.address = visit, visit.page, address
        self._sent: list[str] = []
        self.page.on("websocket", self._listen)

    def _listen(self, websocket: WebSocket) -> None:
        websocket.on("framereceived", lambda data: self._sent.append(_text(data)))

    def open(self) -> None:
        self.page.goto(self.address)
        self.page.wait_for_selector("body.-first-byte", timeout=1000 * PATIENCE_S)

    def until(self, condition: Callable[[str], bool]) -> None:
        ends = time.monotonic() + PATIENCE_S
        while not condition("".join(self._sent)):
            assert time.monotonic() < ends, "".join(self._sent)[-2000:]
            self.page.wait_for_timeout(50)


def _text(data: str | bytes) -> str:
    return _COMMANDS.sub("", data.decode("utf-8", "replace") if isinstance(data, bytes) else data)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Board]]:
    """The address of the page, and the board that it shows."""
    cli, board = Cli(tmp_path), Board(b"x:# y:2\n")
    child = cli.start("monitor", "--port", board.path, "--web")
    try:
        assert child.stdout is not None
        yield child.stdout.readline().strip(), board
        child.terminate()
        _, errors = child.communicate(timeout=PATIENCE_S)
        assert child.returncode == 0, errors
    finally:
        child.kill()
        child.communicate()
        board.stop()


@pytest.fixture
def page(browser: Browser, served: tuple[str, Board]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 760})
    visit = Visit(context.new_page())
    visit.listen()
    yield Page(visit, served[0])
    context.close()


def test_it_shows_the_port_and_takes_keys(page: Page, served: tuple[str, Board]) -> None:
    page.open()
    board = served[1]
    page.until(lambda sent: f"{board.path}  open" in sent and re.search(r"x:\d+ y:2", sent) is not None)
    page.page.keyboard.press("Space")
    page.until(lambda sent: "paused" in sent)
    page.page.keyboard.press("i")
    page.until(lambda sent: "send a line" in sent)
    page.page.keyboard.type("hello")
    page.page.keyboard.press("Enter")
    page.until(lambda _: b"hello\n" in board.heard)
    page.page.keyboard.press("Escape")
    page.page.set_viewport_size({"width": 700, "height": 400})
    assert serious(page.page) == []
    assert page.visit.complaints == []
    page.page.keyboard.press("q")
    page.page.get_by_role("heading", name="The monitor has ended").wait_for(timeout=1000 * PATIENCE_S)
    assert serious(page.page) == []
    # Loaded again, it begins again: the port was given back.
    page.page.get_by_role("link").click()
    page.page.wait_for_selector("body.-first-byte:not(.-closed)", timeout=1000 * PATIENCE_S)
    assert {urlsplit(asked).hostname for asked in page.visit.requests} == {"127.0.0.1"}


def test_only_this_computer_with_the_token_has_it(page: Page, served: tuple[str, Board]) -> None:
    port = urlsplit(page.address).port
    assert port is not None
    for path in ("/", "/ws", "/static/js/textual.js"):
        answer = page.page.goto(f"http://127.0.0.1:{port}{path}")
        assert answer is not None
        assert answer.status == 403
    # All of 127.0.0.0/8 leads here: what listens on every address would answer.
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), PATIENCE_S)
    # The page of another origin may know the address, and gets nothing all the same.
    page.page.goto("data:text/html,<title>elsewhere</title>")
    opened = page.page.evaluate(
        "address => new Promise(done => { const socket = new WebSocket(address);"
        " socket.onopen = () => done(true); socket.onerror = () => done(false) })",
        page.address.replace("http:", "ws:") + "ws",
    )
    assert opened is False


def test_what_cannot_be_opened_is_said_on_the_page(browser: Browser, tmp_path: Path) -> None:
    child = Cli(tmp_path).start("monitor", "--port", "/dev/no-such-port", "--web")
    context = browser.new_context()
    try:
        assert child.stdout is not None
        page = Page(Visit(context.new_page()), child.stdout.readline().strip())
        page.open()
        page.until(lambda sent: "/dev/no-such-port" in sent)
        page.page.get_by_role("heading", name="The monitor has ended").wait_for(timeout=1000 * PATIENCE_S)
        child.terminate()
        _, errors = child.communicate(timeout=PATIENCE_S)
        assert "/dev/no-such-port" in errors
    finally:
        context.close()
        child.kill()
        child.communicate()
