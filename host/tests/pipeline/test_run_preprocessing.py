"""Raw samples and the features that the host makes of them: from a file, or by the user's own code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tinyhil import kinds
from tinyhil.artifacts.types import QuantizedModel
from tinyhil.compare.preprocessing import Allowed
from tinyhil.errors import ConfigError, InputError
from tinyhil.options import Options
from tinyhil.pipeline.observer import SilentObserver
from tinyhil.pipeline.opening import open_run
from tinyhil.pipeline.run_preprocessing import RawSamples, RunPreprocessing, raw_samples
from tinyhil.progress import Silent
from tinyhil.render import LIBRARY
from tinyhil.targets.allowance import Allowance, Inference
from tinyhil.targets.model import Pace

RAW = np.arange(40, dtype=np.int16).reshape(5, 8)
PREPARE = "def prepare(raw):\n    return raw[:, :WIDTH] / 8.0\n"


@pytest.fixture(scope="module")
def model(
    tiny_model: bytes,
    quantized_model: Callable[[Path, bytes], QuantizedModel],
    tmp_path_factory: pytest.TempPathFactory,
) -> QuantizedModel:
    return quantized_model(tmp_path_factory.mktemp("model"), tiny_model)


@pytest.fixture
def width(model: QuantizedModel) -> int:
    return model.inputs[0].elements


def file(tmp_path: Path, **arrays: np.ndarray) -> Path:
    np.savez(tmp_path / "raw.npz", **arrays)  # type: ignore[arg-type]
    return tmp_path / "raw.npz"


def code(tmp_path: Path, text: str) -> Path:
    (tmp_path / "prepare.py").write_text(text)
    return tmp_path / "prepare.py"


def read(model: QuantizedModel, **options: object) -> RawSamples:
    found = raw_samples(Options(form=LIBRARY, **options), model, Silent())  # type: ignore[arg-type]
    assert found is not None
    return found


def test_features_beside_the_raw_samples(model: QuantizedModel, width: int, tmp_path: Path) -> None:
    reals = RAW[:, :width] / 8.0
    found = read(model, raw=file(tmp_path, raw=RAW, x=reals))
    assert np.array_equal(found.raw, RAW)
    assert found.host == "features in raw.npz"
    (features,) = found.features
    assert (features.shape, features.dtype) == ((5, *model.inputs[0].shape), model.inputs[0].dtype.numpy)
    assert np.array_equal(features.reshape(5, -1), model.inputs[0].quantize(reals.astype(np.float32)))


def test_features_by_the_user_s_own_code_are_the_same(model: QuantizedModel, width: int, tmp_path: Path) -> None:
    beside = read(model, raw=file(tmp_path, raw=RAW, x=RAW[:, :width] / 8.0))
    prepare = code(tmp_path, PREPARE.replace("WIDTH", str(width)))
    (tmp_path / "other").mkdir()
    by_code = read(model, raw=file(tmp_path / "other", raw=RAW), prepare=prepare)
    assert by_code.host == "prepare() of prepare.py"
    assert np.array_equal(by_code.features[0], beside.features[0])


def test_host_and_device_are_given_the_same_floats(model: QuantizedModel, width: int, tmp_path: Path) -> None:
    found = read(model, raw=file(tmp_path, raw=RAW + 0.1, x=RAW[:, :width] / 8.0))
    assert found.raw.dtype == np.float32


def test_a_tolerance_that_nothing_can_miss_is_refused(model: QuantizedModel, width: int, tmp_path: Path) -> None:
    raw = file(tmp_path, raw=RAW, x=RAW[:, :width] / 8.0)
    assert read(model, raw=raw, features_lsb=254)
    with pytest.raises(ConfigError, match=r"255 LSB are allowed, and input .* of type int8") as caught:
        read(model, raw=raw, features_lsb=255)
    assert "--features-lsb" in caught.value.hint


def test_what_raw_samples_take_is_reckoned_by_the_pace_of_the_target(
    model: QuantizedModel, width: int, tmp_path: Path
) -> None:
    """Each goes to the device, its features come back, and the model is asked twice."""
    raw = read(model, raw=file(tmp_path, raw=RAW, x=RAW[:, :width] / 8.0))
    asked = RunPreprocessing(model, raw, Allowed(0, 0), Silent())
    one = Inference(nbytes=10, macs=0)
    count, seconds = asked.takes(Allowance(Pace(bytes_per_second=100, macs_per_second=1), budget=1.0), one)
    assert count == len(RAW)
    features = len(RAW) * width  # of a byte each
    assert seconds == pytest.approx((RAW.nbytes + features + 2 * len(RAW) * one.nbytes) / 100)


def test_a_table_is_raw_samples_as_a_whole(model: QuantizedModel, width: int, tmp_path: Path) -> None:
    np.save(tmp_path / "raw.npy", RAW)
    prepare = code(tmp_path, PREPARE.replace("WIDTH", str(width)))
    assert np.array_equal(read(model, raw=tmp_path / "raw.npy", prepare=prepare).raw, RAW)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": RAW}, "has no array 'raw'"),
        ({"raw": RAW}, "has raw samples, and no features"),
        ({"raw": RAW[:0], "x": RAW}, "has no raw samples"),
        ({"raw": np.full((1, 1), np.nan), "x": RAW}, "NaN or infinite"),
        ({"raw": RAW, "x": np.zeros((5, 99))}, "the model takes"),
    ],
)
def test_files_that_cannot_be_used(
    model: QuantizedModel, tmp_path: Path, arrays: dict[str, np.ndarray], said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        read(model, raw=file(tmp_path, **arrays))
    assert caught.value.kind is kinds.SAMPLES
    assert caught.value.hint


def test_as_many_features_as_raw_samples(model: QuantizedModel, width: int, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has 5 raw samples, and the host has features of 3"):
        read(model, raw=file(tmp_path, raw=RAW, x=RAW[:3, :width] / 8.0))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("x = 1\n", "does not define prepare"),
        ("def prepare(raw):\n    return 1 / 0\n", "ZeroDivisionError"),
        ("def prepare(raw):\n    return 'x'\n", "no array of numbers"),
        ("def prepare(raw):\n    return raw[:, :1, None, None] + 0.5\n", "takes vectors of shape"),
    ],
)
def test_code_that_cannot_be_used(model: QuantizedModel, tmp_path: Path, text: str, error: str) -> None:
    with pytest.raises(InputError, match=error) as caught:
        read(model, raw=file(tmp_path, raw=RAW), prepare=code(tmp_path, text))
    assert caught.value.hint


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(raw=Path("raw.npz")), "a project has none"),
        (Options(form=LIBRARY, prepare=Path("prepare.py")), "there are none"),
        (Options(form=LIBRARY, features_lsb=1), "there are none"),
    ],
)
def test_options_that_do_not_go_together_are_refused_before_anything_runs(options: Options, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        open_run("sine", options, SilentObserver())
    assert caught.value.hint


@pytest.mark.parametrize("missing", ["raw", "prepare"])
def test_so_is_a_file_that_is_not_there(tmp_path: Path, missing: str) -> None:
    given = {"raw": file(tmp_path, raw=RAW), "prepare": code(tmp_path, PREPARE)} | {missing: tmp_path / "nothing"}
    options = Options(form=LIBRARY, build_dir=tmp_path / "build", raw=given["raw"], prepare=given["prepare"])
    with pytest.raises(InputError, match="nothing"):
        open_run("sine", options, SilentObserver())


def test_without_raw_samples_nothing_is_asked(model: QuantizedModel) -> None:
    assert raw_samples(Options(form=LIBRARY), model, Silent()) is None
