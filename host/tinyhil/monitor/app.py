"""The application: one or more ports side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Footer

from tinyhil.monitor.port_pane import PortPane

_DRAWN_EVERY_S = 0.05
_ALONE_LOOK_S = 1.0
"""Between two looks whether the server of the page is still there."""


class MonitorApp(App[None]):
    """Shows ports until it is left.

    Ownership: the ports are open already, and their opener closes them.

    Args:
        ports: at least one.
    """

    TITLE = "tinyhil monitor"
    ENABLE_COMMAND_PALETTE = False
    CSS = "FooterKey .footer-key--key { color: $text; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "quit"),
        Binding("l", "light", "light", show=False),
        Binding("ctrl+c", "quit", show=False, priority=True),
    ]

    def __init__(self, ports: Sequence[PortPane]) -> None:
        super().__init__()
        self.ports = tuple(ports)

    def compose(self) -> ComposeResult:
        """The ports, and the keys."""
        yield Horizontal(*self.ports)
        yield Footer()

    def on_mount(self) -> None:
        """Begins to look for what has come."""
        self.set_interval(_DRAWN_EVERY_S, self.work)
        if self.is_web:
            server = os.getppid()
            self.set_interval(_ALONE_LOOK_S, lambda: self.exit() if os.getppid() != server else None)

    def action_light(self) -> None:
        """Dark letters on a light ground, or the other way round."""
        self.theme = "textual-dark" if not self.current_theme.dark else "textual-light"
        for port in self.ports:
            port.plot_pane.draw(again=True)
            port.error_pane.draw()

    def work(self) -> None:
        """Takes in and draws what has come from each port."""
        for port in self.ports:
            port.work()
