"""With pytest-xdist: all tests of a target go to one worker, so that a device has one owner."""

from __future__ import annotations

import re
from collections.abc import Generator, Sequence
from typing import Any

import pytest

from tinyhil.pytest_plugin import options

_OURS: pytest.StashKey[bool] = pytest.StashKey()
"""Whether nobody has asked for another way to send tests to workers."""


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Looks whether ``-n`` stands alone, before pytest-xdist takes its own default."""
    config.stash[_OURS] = bool(getattr(config.option, "numprocesses", None)) and config.option.dist == "no"
    return (yield)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Sends tests to workers by their devices, unless something else was asked for.

    Not by xdist's marks and ``--dist loadgroup``: that changes the ids of tests, which pytest 9 does not let it do.
    """
    if not config.stash.get(_OURS, False):
        return None
    from xdist.scheduler import LoadScopeScheduling

    names = options.targets(config)

    class ByDevice(LoadScopeScheduling):  # type: ignore[misc]  # it is untyped
        """A unit of work is all tests of a target, or one test without."""

        def _split_scope(self, nodeid: str) -> str:
            return device_of(nodeid, names) or nodeid

    return ByDevice(config, log)


def device_of(nodeid: str, names: Sequence[str]) -> str | None:
    """Which of the targets a test's id names among its parameters, the longest of several; None for none."""
    parameters = re.search(r"\[(.*)\]$", nodeid, re.DOTALL)
    if parameters is None:
        return None
    found = [name for name in names if re.search(rf"(?:^|-){re.escape(name)}(?:-|$)", parameters[1])]
    return max(found, key=len, default=None)
