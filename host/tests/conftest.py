"""What many tests share: how Hypothesis runs, and a real model that is made without TensorFlow."""

from __future__ import annotations

import gc
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import flatbuffers  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tinyhil import tflite
from tinyhil.affine import DType
from tinyhil.artifacts import hashing
from tinyhil.artifacts.types import QuantizedModel, Vectors
from tinyhil.targets import registry
from tinyhil.targets.model import Target

from . import leftovers, scheduling, shared
from .visit import Visit

# A shell that starts the tests in the background has SIGINT ignored, and every process that a test interrupts would
# inherit that.
for _number in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)

# Runs of tests are none of the project's; tests of the history name one of their own.
os.environ["TINYHIL_HISTORY"] = "off"
for _name in ("GITHUB_ACTIONS", "GITLAB_CI"):  # nor are they told as the user's jobs are
    os.environ.pop(_name, None)

# TensorFlow makes a million objects that stay; looking through them again and again took 5 % of the time.
gc.set_threshold(20_000, 20, 20)

# No test may fail because the machine is busy.
settings.register_profile("tinyhil", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("tinyhil"), max_examples=30)

HOST = Path(__file__).parents[1]

WEIGHTS = ((1, -2, 3), (4, 5, -6))
BIAS = (7, -8)


def pytest_configure(config: pytest.Config) -> None:
    """Without the long tests, Hypothesis tries fewer examples too."""
    settings.load_profile("quick" if config.option.markexpr == "not long" else "tinyhil")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Our own, unless another was asked for."""
    return scheduling.scheduler(config, log) if config.option.dist == "load" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With workers, what takes long comes first."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: scheduling.rank(item.nodeid))


@pytest.fixture(autouse=True)
def leaves_nothing() -> Iterator[None]:
    """A test that leaves something behind in this process is named, and what it left is taken away.

    Fixtures of a larger scope are made before this one, so what they hold is theirs.
    """
    before = leftovers.snapshot()
    yield
    if found := leftovers.take_away(before):
        pytest.fail("left behind: " + "; ".join(found))


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> shared.Shared:
    """Makes folders once for all workers."""
    return shared.of_run(tmp_path_factory)


@pytest.fixture(scope="session")
def package() -> Path:
    """The folder of the package under test."""
    return HOST / "tinyhil"


@pytest.fixture(scope="session")
def child_environment() -> dict[str, str]:
    """The environment of a Python child that is to import the package under test."""
    inherited = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(HOST), *([inherited] if inherited else [])])}


@pytest.fixture(scope="session")
def qemu_m4() -> Target:
    """The default target."""
    return registry.get("qemu-m4")


@pytest.fixture(scope="session")
def build_tflite() -> Callable[..., bytes]:
    """Makes an int8 model of one FULLY_CONNECTED with bias, 3 inputs and 2 outputs.

    ``build_tflite(edit)`` hands the unpacked model (the schema's ``ModelT``) to ``edit`` before it becomes bytes.
    """

    def build(edit: Callable[[Any], object] | None = None) -> bytes:
        model = _model()
        if edit is not None:
            edit(model)
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), tflite.IDENTIFIER)
        return bytes(builder.Output())

    return build


def _model() -> Any:
    graph = schema.SubGraphT(
        name="main",
        tensors=[
            _tensor("in", (1, 3), schema.TensorType.INT8, 0, 0.5, -3),
            _tensor("weights", (2, 3), schema.TensorType.INT8, 1, 0.25, 0),
            _tensor("bias", (2,), schema.TensorType.INT32, 2, 0.125, 0),
            _tensor("out", (1, 2), schema.TensorType.INT8, 0, 0.75, 4),
        ],
        inputs=[0],
        outputs=[3],
        operators=[
            schema.OperatorT(
                opcodeIndex=0,
                inputs=[0, 1, 2],
                outputs=[3],
                builtinOptionsType=schema.BuiltinOptions.FullyConnectedOptions,
                builtinOptions=schema.FullyConnectedOptionsT(),
            )
        ],
    )
    fully_connected = schema.BuiltinOperator.FULLY_CONNECTED
    return schema.ModelT(
        version=tflite.SCHEMA_VERSION,
        operatorCodes=[
            schema.OperatorCodeT(deprecatedBuiltinCode=fully_connected, builtinCode=fully_connected, version=4)
        ],
        subgraphs=[graph],
        # The first buffer is empty by convention: it belongs to what is computed.
        buffers=[
            schema.BufferT(data=list(data) or None)
            for data in (b"", np.array(WEIGHTS, "<i1").tobytes(), np.array(BIAS, "<i4").tobytes())
        ],
    )


def _tensor(name: str, shape: tuple[int, ...], kind: int, buffer: int, scale: float, zero_point: int) -> Any:
    quantization = schema.QuantizationParametersT(scale=[scale], zeroPoint=[zero_point])
    return schema.TensorT(name=name, shape=list(shape), type=kind, buffer=buffer, quantization=quantization)


@pytest.fixture(scope="session")
def tiny_model(build_tflite: Callable[..., bytes]) -> bytes:
    """The model as it is."""
    return build_tflite()


@pytest.fixture(scope="session")
def quantized_model() -> Callable[[Path, bytes], QuantizedModel]:
    """Puts a model's bytes into a folder and makes the artifact of it, with one test vector of zeros."""

    def make(folder: Path, data: bytes) -> QuantizedModel:
        path = folder / "model.tflite"
        path.write_bytes(data)
        facts = tflite.read(data, path.name)
        assert {spec.dtype for spec in facts.inputs + facts.outputs} == {DType.INT8}
        vectors = Vectors(
            inputs=tuple(np.zeros((1, *spec.shape), np.int8) for spec in facts.inputs),
            reference=tuple(np.zeros((1, *spec.shape), np.int8) for spec in facts.outputs),
            float_outputs=None,
            exhaustive=False,
        )
        return QuantizedModel(
            recipe="tiny",
            path=path,
            sha256=hashing.of_bytes(data),
            scheme="int8",
            inputs=facts.inputs,
            outputs=facts.outputs,
            ops=facts.ops,
            vectors=vectors,
            key="key",
            reference="a reference",
        )

    return make


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium, Debian's: Playwright only drives it."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("blocked: chromium is not installed; tools/system-packages browser installs it")
    with sync_playwright() as playwright:
        # Chromium's own sandbox refuses to work for root, which CI often is.
        chromium = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Visit]]:
    """Opens a page from a file, as people do: ``visit(html, width)``."""
    contexts = []

    def open_(html: str, width: int = 1280) -> Visit:
        file = tmp_path / "page.html"
        file.write_text(html, encoding="utf-8")
        contexts.append(browser.new_context(viewport={"width": width, "height": 800}, color_scheme="light"))
        made = Visit(contexts[-1].new_page())
        made.listen()
        made.page.goto(file.as_uri())
        return made

    yield open_
    for context in contexts:
        context.close()
