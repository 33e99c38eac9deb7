"""The pytest plugin (F5): hardware-in-the-loop tests as fixtures.

``pytest --target qemu-m4`` selects where the tests run; ``--recipe``, ``--engine``, ``--scheme``, ``--port`` and
``--build-dir`` are those of the command line. A test that uses ``dut`` gets a device that has been built, started
and greeted; where that cannot be done for lack of a program or a package, the test is skipped as *blocked* with the
reason, and with ``--blocked-is-error`` it is an error.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from tinyhil.artifacts.types import Capture, FirmwareImage, QuantizedModel
    from tinyhil.errors import TinyhilError
    from tinyhil.link.messages import Welcome
    from tinyhil.pipeline.run import Run
    from tinyhil.progress import Reporter
    from tinyhil.proxy import FaultProxy

# tinyhil's modules are imported in the fixtures, so that a test run that uses none of them does not pay for them.


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the options of the command line."""
    group = parser.getgroup("tinyhil", "hardware in the loop")
    group.addoption("--target", default="qemu-m4", help="where hardware-in-the-loop tests run (default: %(default)s)")
    group.addoption("--recipe", default="sine", help="the recipe whose model is tested (default: %(default)s)")
    group.addoption("--engine", default=None, help="what computes the model (default: the target's)")
    group.addoption("--scheme", default=None, help="how the model is quantized (default: the recipe's)")
    group.addoption("--port", default=None, help="a device that is already running, on this serial port")
    group.addoption("--build-dir", default="build", help="folder for everything that is made (default: %(default)s)")
    group.addoption(
        "--blocked-is-error", action="store_true", help="fail where a device cannot be had, instead of skipping"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Registers the marker."""
    config.addinivalue_line("markers", "hil: needs a device, real or emulated")


@dataclass(frozen=True)
class Dut:
    """The device under test: what was built for it, and what it has answered.

    Attributes:
        run: the run that made it.
        model: the quantized model.
        image: the firmware image.
        welcome: what the device says of itself.
        capture: its answers to all vectors.
    """

    run: Run
    model: QuantizedModel
    image: FirmwareImage
    welcome: Welcome
    capture: Capture


class _Quiet:
    """An observer that nobody listens to."""

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[Reporter]:
        from tinyhil.progress import Silent

        yield Silent()

    def result(self, note: str, *, found: bool) -> None:
        pass

    def warning(self, text: str) -> None:
        pass


@pytest.fixture(scope="session")
def hil_run(pytestconfig: pytest.Config) -> Run:
    """The run that the options describe; nothing has been made yet."""
    from tinyhil.errors import InputError
    from tinyhil.pipeline.request import Request
    from tinyhil.pipeline.run import Run

    options = pytestconfig.option
    try:
        return Run(
            Request(
                recipe=options.recipe,
                target=options.target,
                engine=options.engine,
                scheme=options.scheme,
                port=options.port,
                build_dir=Path(options.build_dir),
            ),
            _Quiet(),
        )
    except InputError as error:
        raise pytest.UsageError(f"{error.message} ({error.hint})") from error


@pytest.fixture(scope="session")
def dut(hil_run: Run, pytestconfig: pytest.Config) -> Dut:
    """A device that was built, started, greeted, and has answered all vectors."""
    from tinyhil.errors import MissingToolError

    try:
        model = hil_run.quantize()
        image = hil_run.build()
        welcome = hil_run.greet()
        answers = hil_run.capture()
    except MissingToolError as error:
        _blocked(error, pytestconfig)
    return Dut(hil_run, model, image, welcome, answers)


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


def _blocked(error: TinyhilError, config: pytest.Config) -> NoReturn:
    reason = f"blocked: {error.message}; {error.hint}"
    if config.option.blocked_is_error:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
