"""A look at a page in a real browser."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = {"serious", "critical"}
"""The impacts, by axe-core's words, that keep people out."""


@dataclass
class Visit:
    """A page that is open, and what it has done so far.

    Attributes:
        page: Playwright's.
        requests: every address that was asked for, the page's own first.
        complaints: errors and warnings on the console, and exceptions.
    """

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Notes from now on what the page does."""
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )


def open_all(page: Page) -> None:
    """Shows what is folded away."""
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true })")


def serious(page: Page) -> list[str]:
    """What axe-core finds that keeps people with a disability out, contrast included."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{one['id']} ({one['impact']}): {one['nodes'][0]['html']}" for one in found if one["impact"] in SERIOUS]
