"""The page as a browser has it: real headless Chromium, and axe-core for what people with a disability need.

Chromium is Debian's; Playwright only drives it. Where it is missing, these tests are skipped as blocked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import pytest

from tinyhil.artifacts.types import Problem
from tinyhil.compare import classification
from tinyhil.compare.bisection import Bisection, DeviceSide, Layer, Probe
from tinyhil.compare.blame import Blame
from tinyhil.compare.fidelity import Mismatch
from tinyhil.compare.layer import LayerDifference
from tinyhil.compare.preprocessing import Apart, Preprocessing
from tinyhil.compare.search import Element, Example, Search
from tinyhil.compare.verdict import Classifier, OperatorCost, Points, Report, Speed, TopK
from tinyhil.errors import DeviceError
from tinyhil.report import assemble
from tinyhil.report.assemble import Evidence
from tinyhil.report.page import to_html
from tinyhil.targets.model import Target

from ..visit import Visit, open_all, serious

pytestmark = pytest.mark.long

PHONE, DESKTOP, A4 = 360, 1280, 680
"""Widths in CSS pixels; A4 less its margins is 180 mm."""
MEDIA: tuple[tuple[int, Literal["screen", "print"]], ...] = ((PHONE, "screen"), (DESKTOP, "screen"), (A4, "print"))
SCHEMES: tuple[tuple[int, Literal["light", "dark"]], ...] = ((PHONE, "dark"), (DESKTOP, "light"))
"""Contrast hangs on the scheme and layout on the width: each once."""


def classifier(count: int) -> Classifier:
    """Of as many classes; the device errs once where the float model does not."""
    truth = [number % count for number in range(3 * count)]
    device = [*truth[:-1], 0]
    names = [f"class {number}" for number in range(count)]
    return Classifier(
        float_model=classification.classification(truth, truth, names),
        reference=classification.classification(device, truth, names),
        device=classification.classification(device, truth, names),
        top_k=(TopK(1, 1.0, 0.9, 0.9),),
        agreement=classification.agreement(truth, device, device),
        top1_drop=classification.top1_drop(truth, device, truth),
    )


def bisection(first: Mismatch) -> Bisection:
    """Four layers: one is exact, one could not be tested, one differs, one was not asked."""
    layers = tuple(Layer(number, "FULLY_CONNECTED", f"dense_{number};" * 9, "int8", (1, 2)) for number in (1, 2, 3, 4))
    exact, differs = LayerDifference(32, 0, 0, 2, 0, None), LayerDifference(32, 3, 7, 2, 1, first)
    return Bisection(
        recipe="tiny",
        model_sha256="0a" * 32,
        reference="a reference",
        sides=(DeviceSide("qemu-m4", "compiled", "kernels", "1b" * 32),),
        tolerance_lsb=0,
        every=False,
        exhaustive=False,
        whole=differs,
        vectors=(0, 1, 2),
        layers=layers,
        tested=(Probe(1, exact), Probe(2, None, "a batch of 2"), Probe(3, differs)),
        blame=Blame(2, (1, 2), (0,)),
    )


def preprocessing(first: tuple[Mismatch, ...]) -> Preprocessing:
    """Features that differ, and so do the outputs for them; the model is right."""
    host = f"prepare() of {'long_' * 30}.py"
    return Preprocessing(False, 64, 0, "LSB", host, Apart(5, 3), Apart(0, 0), Apart(4, 9), first, 1234.0)


@pytest.fixture
def pages(judge: Callable[..., Report], evidence: Evidence, qemu_m4: Target) -> dict[str, str]:
    """A page of each kind, with everything that such a page can have."""
    failed = judge(qemu_m4, device_vs_float_mae=0.001)
    curve = tuple(number / 8 for number in range(40))
    points = Points(
        vector=tuple(range(40)),
        x=curve,
        reference=curve,
        device=curve,
        float_model=curve,
        truth=curve,
        lsb=(0,) * 40,
        like_data=(True,) * 39 + (False,),
    )
    passed = replace(
        judge(qemu_m4, 5, device_vs_float_mae=100.0),
        points=points,
        speed=Speed("instructions", 4346, 4394, 4438, 32),
        operators=(OperatorCost("FULLY_CONNECTED", 4000), OperatorCost("SOFTMAX", 394)),
    )
    assert passed.accuracy is not None
    error = DeviceError("it never answered", hint="look at the cable", detail="a line that is long " * 40)
    assert failed.fidelity is not None
    wrong = failed.fidelity.first_mismatches
    example = Example(tuple(Element(0, 70 * index, -128, 3) for index in range(9)), wrong, 9, 77)
    fidelity = replace(failed.fidelity, search=Search(1, 512, 9, 0, example))
    reports = {
        "passed": passed,
        "failed": replace(
            failed,
            forced=(Problem("dtype", "tensor 3 is float32", "quantize it"),),
            preprocessing=preprocessing(wrong),
            raw_sha256="4e" * 32,
            prepare_sha256="5f" * 32,
            fidelity=fidelity,
            bisection=bisection(wrong[0]),
            tool_sha256={"gcc": "3d" * 32},
        ),
        "blocked": assemble.blocked("tiny", qemu_m4, "compiled", evidence, error),
        "classifier": replace(passed, accuracy=replace(passed.accuracy, classifier=classifier(10))),
        "long names": replace(failed, recipe="a" * 200, kernels="b" * 200, tool_versions={"c" * 80: "d" * 80}),
    }
    return {name: to_html(report) for name, report in reports.items()}


KINDS = ("passed", "failed", "blocked", "classifier", "long names")


@pytest.mark.parametrize("kind", KINDS)
def test_it_fits_a_phone_a_desk_and_paper_and_asks_nobody(
    visit: Callable[..., Visit], pages: dict[str, str], kind: str
) -> None:
    seen = visit(pages[kind])
    open_all(seen.page)
    for width, media in MEDIA:
        seen.page.set_viewport_size({"width": width, "height": 800})
        seen.page.emulate_media(media=media)
        assert seen.page.evaluate("document.documentElement.scrollWidth") <= width, media
    assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert seen.complaints == []
    assert seen.requests == [seen.page.url]


@pytest.mark.parametrize("kind", ["failed", "blocked", "classifier"])  # the last has all that a passed one has
def test_axe_finds_no_serious_violation(visit: Callable[..., Visit], pages: dict[str, str], kind: str) -> None:
    page = visit(pages[kind]).page
    open_all(page)
    for width, scheme in SCHEMES:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        assert serious(page) == [], (width, scheme)


@pytest.mark.parametrize(
    ("right", "wrong", "rule"),
    [
        ("--quiet: #55606b", "--quiet: #c8ccd0", "color-contrast"),
        ('<html lang="en">', "<html>", "html-has-lang"),
        ('role="img" aria-labelledby="outputs-title outputs-desc"', 'role="img"', "svg-img-alt"),
    ],
)
def test_axe_would_have_noticed(
    visit: Callable[..., Visit], pages: dict[str, str], right: str, wrong: str, rule: str
) -> None:
    page = pages["passed"].replace(right, wrong)
    page = page.replace('<title id="outputs-title">', '<text id="outputs-title">') if rule == "svg-img-alt" else page
    assert page != pages["passed"]
    assert any(found.startswith(rule) for found in serious(visit(page).page))


def test_a_complaint_or_a_request_would_have_been_noticed(visit: Callable[..., Visit], pages: dict[str, str]) -> None:
    """The page's own policy forbids pictures from elsewhere, and scripts of its own."""
    inside = '<footer><img alt="" src="http://127.0.0.1:9/x.png"><script>document.title = "run"</script>'
    seen = visit(pages["passed"].replace("<footer>", inside))
    assert len(seen.requests) == 2
    assert sum("Content Security Policy" in said for said in seen.complaints) == 2
    assert seen.page.title() != "run"


@pytest.mark.parametrize(
    ("kind", "pictures", "tables"),
    [
        ("passed", ["outputs", "differences"], ["split", "bounds", "errors", "sections", "operators", "tool-versions"]),
        (
            "failed",
            ["outputs", "differences"],
            ["features", "mismatches", "example", "layers", "split", "bounds", "errors", "sections"],
        ),
        (
            "classifier",
            ["outputs", "differences"],
            ["confusion-device", "confusion-float-model", "classes", "agreement"],
        ),
        ("blocked", [], ["sections"]),
    ],
)
def test_all_figures_are_there(
    visit: Callable[..., Visit], pages: dict[str, str], kind: str, pictures: list[str], tables: list[str]
) -> None:
    page = visit(pages[kind]).page
    images = page.get_by_role("img")
    assert images.count() == len(pictures)
    for index, name in enumerate(pictures):
        box = images.nth(index).bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) > 150
        drawn = page.locator(f"#picture-{name} svg.chart path.drawn")
        assert drawn.count() > 0
        for one in drawn.all():
            extent = one.evaluate("path => { const box = path.getBBox(); return box.width + box.height }")
            assert extent > 0 or one.get_attribute("d") == "" or len(str(one.get_attribute("d"))) < 30
        title = page.locator(f"#{name}-title").text_content()
        assert page.get_by_role("img", name=str(title)).count() == 1
    for name in tables:
        table = page.locator(f"table:has(caption#{name})")
        assert table.count() == 1
        assert table.locator("tbody tr").count() > 0
        assert table.locator("tbody th[scope=row]").count() == table.locator("tbody tr").count()


def test_the_verdict_is_the_first_heading_and_in_words(visit: Callable[..., Visit], pages: dict[str, str]) -> None:
    for kind, word in (("passed", "Passed"), ("failed", "Failed"), ("blocked", "Blocked")):
        page = visit(pages[kind]).page
        heading = page.get_by_role("heading").first
        assert heading.evaluate("one => one.tagName") == "H1"
        assert str(heading.text_content()).startswith(word)
        assert heading.evaluate("one => one.getBoundingClientRect().bottom") < 200
        assert page.get_by_role("heading", name="Preprocessing").count() == 2 * (kind == "failed"), "verdict and table"


def test_tables_that_scroll_are_reached_by_the_keyboard(visit: Callable[..., Visit], pages: dict[str, str]) -> None:
    page = visit(pages["classifier"], PHONE).page
    scrolls = page.evaluate(
        "[...document.querySelectorAll('*')].filter(one => one.scrollWidth > one.clientWidth + 1 &&"
        " getComputedStyle(one).overflowX === 'auto').map(one => one.tabIndex)"
    )
    assert scrolls
    assert set(scrolls) == {0}
