"""The pages of history and comparison as a browser has them: at every width, without a request, for everybody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tinyhil.compare import metrics
from tinyhil.compare.changes import changes
from tinyhil.history import database, page, record
from tinyhil.history.place import Place
from tinyhil.history.series import Asked, series
from tinyhil.report import changes as shown

from ..report.test_page_in_chromium import MEDIA, SCHEMES
from ..visit import Visit, serious
from . import made

pytestmark = pytest.mark.long

LARGER = made.report(flash=made.FLASH + 312, instructions=made.INSTRUCTIONS * 1.04)


@pytest.fixture
def pages(place: Place) -> dict[str, str]:
    """A page of each kind, with everything that it can have."""
    for number, report in enumerate((made.report(), made.failed(), LARGER, made.blocked())):
        record.leave(report, made.context(number), place.records)
    for number in range(60):
        named = made.report(recipe="r" * 120, flash=123_456_789 + number)
        record.leave(named, made.context(number, branch="b" * 80, host="h" * 80), place.records)
    usual = metrics.chosen(())
    with database.opened(place) as history, history.reading() as connection:
        found = series(connection, Asked(), usual)
    pairs = [changes(made.report(), LARGER), changes(made.report(recipe="r" * 120), made.report(target="t" * 80))]
    return {"history": page.to_html(found, usual, ""), "changes": shown.to_html(pairs, ["a note " * 30])}


@pytest.mark.parametrize("kind", ["history", "changes"])
def test_it_fits_every_width_asks_nobody_and_keeps_nobody_out(
    visit: Callable[..., Visit], pages: dict[str, str], kind: str
) -> None:
    seen = visit(pages[kind])
    for width, media in MEDIA:
        seen.page.set_viewport_size({"width": width, "height": 800})
        seen.page.emulate_media(media=media)
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width, media
    for width, scheme in SCHEMES:
        seen.page.set_viewport_size({"width": width, "height": 800})
        seen.page.emulate_media(media="screen", color_scheme=scheme)
        assert serious(seen.page) == [], (width, scheme)
    assert seen.complaints == []
    assert seen.requests == [seen.page.url]


def test_no_number_at_an_axis_is_cut_off(visit: Callable[..., Visit], pages: dict[str, str]) -> None:
    texts = visit(pages["history"]).page.locator("svg.chart text")
    assert texts.count() > 20
    cut = texts.evaluate_all(
        """texts => texts.filter(text => {
            const own = text.getBoundingClientRect(), all = text.ownerSVGElement.getBoundingClientRect()
            return own.left < all.left - 1 || own.right > all.right + 1
        }).map(text => text.textContent)"""
    )
    assert cut == []
