"""The fixtures: from a target's name to a device that answers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tinyhil.pytest_plugin import options
from tinyhil.pytest_plugin.dut import Dut
from tinyhil.pytest_plugin.outcome import RUNS, SOFT, blocked_is_told
from tinyhil.pytest_plugin.soft import Soft

if TYPE_CHECKING:
    from tinyhil.pipeline.answers import RunningDevice
    from tinyhil.pipeline.run import Run
    from tinyhil.proxy import FaultProxy
    from tinyhil.session import Session
    from tinyhil.targets.model import Target


@pytest.fixture(scope="session")
def hil_run(request: pytest.FixtureRequest, target: Target) -> Run:
    """The run that the options describe, on one target; nothing has been made yet."""
    from tinyhil import api

    with blocked_is_told(request.config):
        run = api.open_run(request.config.option.recipe, options.run_options(request.config, target.name))
    request.config.stash.setdefault(RUNS, {})[target.name] = run
    return run


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> Target:
    """The facts of the target that the test runs on; the test runs once on each that ``--target`` names."""
    from tinyhil.targets import registry

    with blocked_is_told(request.config):
        return registry.get(request.param)


@pytest.fixture(scope="session")
def dut(hil_run: Run, pytestconfig: pytest.Config) -> Dut:
    """The device under test: built, started, greeted, and it has answered all vectors of the model."""
    with blocked_is_told(pytestconfig):
        return Dut(hil_run, hil_run.quantize(), hil_run.build(), hil_run.greet(), hil_run.capture())


@pytest.fixture
def device(dut: Dut, pytestconfig: pytest.Config) -> Iterator[RunningDevice]:
    """The device, running until the end of the test: it has a ``port``, and can be restarted if it was started here."""
    with contextlib.ExitStack() as stack:
        with blocked_is_told(pytestconfig):
            running = stack.enter_context(dut.run.running_device())
        yield running


@pytest.fixture
def session(device: RunningDevice, pytestconfig: pytest.Config) -> Iterator[Session]:
    """An open session with the running device: ``infer``, ``greet``, ``reset``, ``usage``."""
    with contextlib.ExitStack() as stack:
        with blocked_is_told(pytestconfig):
            talk = stack.enter_context(device.session())
        yield talk


@pytest.fixture
def soft(request: pytest.FixtureRequest, dut: Dut) -> Soft:
    """Checks that go on after a failure; the test fails at its end, with all that they have found."""
    checks: Soft = request.node.stash.setdefault(SOFT, Soft(dut))
    return checks


@pytest.fixture
def fault_proxy(tmp_path: Path) -> Iterator[Callable[..., FaultProxy]]:
    """Makes bad lines to a device: ``fault_proxy(port, bit_flip=1e-4, drop_frame=0.01)`` is a running proxy.

    Its ``port`` is what the host opens, its ``counters`` say what was done. Keywords are the fields of
    ``tinyhil.proxy.Faults``, and ``seed``, ``to_host``, ``baud``, ``link`` and ``reset`` of
    ``tinyhil.proxy.FaultProxy``; the link is in ``tmp_path`` by default. All proxies are stopped after the test.
    """
    from tinyhil.proxy import FaultProxy, Faults

    with contextlib.ExitStack() as running:
        made = 0

        def make(port: str, **options: Any) -> FaultProxy:
            nonlocal made
            made += 1
            line = {name: options.pop(name) for name in ("seed", "to_host", "baud", "reset") if name in options}
            link = options.pop("link", tmp_path / f"fault-proxy-{made}")
            return running.enter_context(FaultProxy(port, Faults(**options), link=link, **line))

        yield make
