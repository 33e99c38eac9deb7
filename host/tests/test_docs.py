"""What newcomers read: lines that fit a screen, links and paths that lead somewhere, pictures that load nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PAGES = ("*.md", "docs/*.md", "changes/*.md", "examples/*/*.md")
WIDTH = 120
MOST_FILES = 8
PICTURE_BYTES = 200_000
OUR_WORDS = re.compile(r"\b(floors?|rooms|house|desk|workbench)\b", re.I)
"""What layers and packages were once called, and other words that are not the field's."""


def pages() -> list[Path]:
    """Every Markdown file that people read."""
    return sorted(path for pattern in PAGES for path in CHECKOUT.glob(pattern))


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of the lines that are neither code nor rows of a table."""
    fenced = blank = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        indented = line.startswith("    ") and blank
        blank = not line.strip() or indented or line.startswith("#")
        if not fenced and not indented and not line.startswith("|"):
            yield number, line


def name_of(page: Path) -> str:
    return page.relative_to(CHECKOUT).as_posix()


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_lines_fit_a_screen(page: Path) -> None:
    long = [number for number, line in prose(page.read_text("utf-8")) if len(line) > WIDTH]
    assert long == [], f"longer than {WIDTH}: tools/wrap-docs {name_of(page)} breaks them"


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = "\n".join(line for _, line in prose(page.read_text("utf-8")))
    rows = "\n".join(line for line in page.read_text("utf-8").splitlines() if line.startswith("|"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text + "\n" + rows):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            file = page.parent / path if path else page
            assert file.exists(), target
            assert not anchor or anchor in anchors(file), target


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_the_words_are_the_field_s(page: Path) -> None:
    found = [(number, line) for number, line in prose(page.read_text("utf-8")) if OUR_WORDS.search(line)]
    assert found == []


def kinds() -> dict[str, list[str]]:
    """What can be added, and the entries of its list in CONTRIBUTING.md."""
    _, _, text = (CHECKOUT / "CONTRIBUTING.md").read_text("utf-8").partition("\n## What to touch\n")
    _, *parts = re.split(r"^### (.+)\n", text, flags=re.M)
    return {
        head: re.findall(r"^\d+\. (.+(?:\n   .+)*)", body, re.M)
        for head, body in zip(parts[::2], parts[1::2], strict=True)
    }


def test_what_can_be_added_is_described() -> None:
    heads = " ".join(kinds()).lower()
    for kind in ("option", "target", "engine", "request of the link", "metric", "recipe", "figure of the report"):
        assert kind in heads


@pytest.mark.parametrize("kind", kinds())
def test_a_list_is_short_and_names_files(kind: str) -> None:
    entries = kinds()[kind]
    assert 0 < len(entries) <= MOST_FILES
    named = [re.findall(r"`([\w.-]+/[\w./-]*|[\w-]+\.\w+)`", entry) for entry in entries]
    assert sum(bool(paths) for paths in named) >= len(entries) - 1  # one may be wherever an option is used


def test_every_path_of_the_contributing_page_exists() -> None:
    text = (CHECKOUT / "CONTRIBUTING.md").read_text("utf-8")
    named = set(re.findall(r"`((?:\.?[\w-]+/)+[\w.-]*|[\w-]+\.(?:md|toml|ini|lock))`", text))
    own = {name for name in named if name.startswith(("./", ".venv/", "build/")) or name == "NAME.toml"}
    assert len(named) > 30
    assert [name for name in sorted(named - own) if not (CHECKOUT / name).exists()] == []


def test_the_readme_has_its_two_commands_and_leads_to_every_page() -> None:
    text = (CHECKOUT / "README.md").read_text("utf-8")
    assert re.search(r"^    make demo .*\n    make test ", text, re.M)
    for page in (CHECKOUT / "docs").glob("*.md"):
        assert f"(docs/{page.name})" in text


def test_the_glossary_is_in_alphabetical_order() -> None:
    heads = re.findall(r"^### (.+)$", (CHECKOUT / "docs/glossary.md").read_text("utf-8"), re.M)
    assert heads == sorted(heads, key=str.lower)
    assert {"vector", "LSB", "fidelity", "scheme", "arena", "engine", "blocked", "line"} <= set(heads)


def test_the_readme_s_pictures_are_small_and_load_nothing() -> None:
    images = CHECKOUT / "docs/images"
    assert (images / "report.png").read_bytes().startswith(b"\x89PNG\r\n")
    assert (images / "report.png").stat().st_size < PICTURE_BYTES
    recording = (images / "terminal.svg").read_text("utf-8")
    assert len(recording) < PICTURE_BYTES
    assert re.findall(r"https?://[^\"' ]+", recording) == ["http://www.w3.org/2000/svg"]
    assert "<script" not in recording
    assert ">PASS  sine on qemu-m4" in recording


def test_fragments_of_the_changelog_can_be_put_together() -> None:
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "0"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    names = [path.name for path in (CHECKOUT / "changes").iterdir() if path.name != "README.md"]
    assert [name for name in names if not re.fullmatch(r"(\+[a-z0-9-]+|\d+)\.(added|changed|fixed)\.md", name)] == []


def test_long_lines_are_broken_and_nothing_else_is_changed(tmp_path: Path) -> None:
    words = " ".join(["word"] * 60)
    kept = f"# {words}\n\n| {words} |\n|---|\n\n    {words}\n\n```\n{words}\n```\n"
    file = tmp_path / "page.md"
    file.write_text(f"{kept}\n{words}\n\n- {words}\n  and more\n", "utf-8")
    subprocess.run([CHECKOUT / "tools/wrap-docs", file], check=True)
    text = file.read_text("utf-8")
    assert text.startswith(kept)
    paragraph, item = text[len(kept) :].strip().split("\n\n")
    assert paragraph.split() == words.split()
    assert all(len(line) <= WIDTH for line in text[len(kept) :].splitlines())
    assert all(line.startswith("  ") for line in item.splitlines()[1:])
