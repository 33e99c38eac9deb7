"""What becomes of a test: blocked, failed at its end by soft checks, and with hashes in the JUnit file."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

import tinyhil
from tinyhil.plain_text import for_log
from tinyhil.pytest_plugin.soft import Soft

if TYPE_CHECKING:
    from tinyhil.pipeline.run import Run

RUNS: pytest.StashKey[dict[str, Run]] = pytest.StashKey()
"""By target: the runs of this process."""
SOFT: pytest.StashKey[Soft] = pytest.StashKey()
"""A test's soft checks, if it has any."""


@contextlib.contextmanager
def blocked_is_told(config: pytest.Config) -> Iterator[None]:
    """In a fixture: turns what keeps a device from being had into one message, which is an error of the test.

    A test that is blocked has neither passed nor failed. With ``--blocked-is-skip`` it is skipped.
    """
    from tinyhil.errors import BlockedError, InputError

    found: BlockedError | InputError | None = None
    try:
        yield
    except (BlockedError, InputError) as error:
        found = error
    # Only here, so that pytest does not show the one exception as the cause of the other.
    if found is None:
        return
    blocked = isinstance(found, BlockedError)
    cause = f"blocked: {found.message}" if blocked else found.message
    told = for_log("; next: ".join([f"{cause} ({found.kind.id})", found.hint]))
    if blocked and config.option.blocked_is_skip:
        pytest.skip(told)
    pytest.fail("\n".join(filter(None, [told, for_log(found.detail)])), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fails a test at its end by what its soft checks have found, or adds that to its own failure.

    A test that has found something is not skipped any more.
    """
    result, own = None, ""
    try:
        result = yield
    except (pytest.fail.Exception, pytest.skip.Exception) as error:
        if not _told(item):
            raise
        own = error.msg or ""
    except Exception as error:
        if told := _told(item):
            error.add_note(f"before that:\n{told}")
        raise
    if told := _told(item):
        pytest.fail("\n\n".join(filter(None, [told, own])), pytrace=False)
    return result


def _told(item: pytest.Item) -> str:
    soft = item.stash.get(SOFT, None)
    return for_log(soft.told) if soft is not None else ""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Says in the JUnit file what the test ran on, as far as it got."""
    name = getattr(item, "callspec", None) and item.callspec.params.get("target")  # type: ignore[attr-defined]
    if not isinstance(name, str) or "target" not in getattr(item, "fixturenames", ()):
        return
    properties: dict[str, str | None] = {"tinyhil": tinyhil.__version__, "target": name}
    run = item.config.stash.get(RUNS, {}).get(name)
    if run is not None:
        found = run.evidence
        properties |= {
            "recipe": run.name,
            "engine": run.engine,
            "scheme": run.source.scheme,
            "model_sha256": found.model.sha256 if found.model else None,
            "project_sha256": found.project.sha256 if found.project else None,
            "firmware_sha256": found.image.sha256 if found.image else None,
        }
    item.user_properties += [(key, value) for key, value in properties.items() if value is not None]
