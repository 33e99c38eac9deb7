"""An image that somebody else has built: the layer where it tells of layers, and else that it does not.

On ``sim``, whose images are a description and a model file. What differs is planted in what the device answers.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tinyhil.artifacts.types import Capture
from tinyhil.errors import ConfigError, ExitCode, StaleFirmwareError
from tinyhil.experiments.bisect import Bisect, BisectOptions, Outcome
from tinyhil.options import Options
from tinyhil.pipeline.observer import SilentObserver
from tinyhil.pipeline.opening import open_run
from tinyhil.pipeline.run import Run
from tinyhil.report import files

from ... import layered

LAYERS = 4
Images = dict[str, Path]


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    """A model, its image, and that of all its tensors, taken from the folder of whoever has built them."""
    folder = tmp_path_factory.mktemp("theirs")
    model = folder / "m.tflite"
    model.write_bytes(layered.dense_model())
    np.savez(folder / "samples.npz", x=np.random.default_rng(1).uniform(-6, 6, (24, 8)))
    theirs = Options(target="sim", build_dir=folder / "build", samples=folder / "samples.npz", search=0)
    Bisect(str(model), [theirs], BisectOptions(every=True), SilentObserver()).run()
    (built,) = folder.glob("build/m-*/sim")
    made = {"model": model, "samples": folder / "samples.npz", "mine": tmp_path_factory.mktemp("mine")}
    for name, where in (("whole", built), ("every", built / "bisect/layer-0")):
        made[name] = shutil.copytree(where / "firmware", folder / name) / "device.json"
    return made


@pytest.fixture(scope="module")
def look(images: Images) -> Callable[[str], Outcome]:
    """Bisects an image in a build folder that knows nothing of the one that made it."""

    def run(name: str) -> Outcome:
        options = asked(images, images["mine"], name)
        return Bisect(str(images["model"]), [options], BisectOptions(), SilentObserver()).run()

    return run


def asked(images: Images, folder: Path, name: str) -> Options:
    return Options(target="sim", build_dir=folder / "build", samples=images["samples"], firmware=images[name], search=0)


def plant(monkeypatch: pytest.MonkeyPatch, outputs: Sequence[int]) -> None:
    """Lets these outputs of every device be off by one in their first element."""
    true = Run.capture

    def capture(run: Run) -> Capture:
        answers = true(run)
        made = [part.copy() for part in answers.outputs]
        for output in outputs:
            made[output].reshape(len(made[output]), -1).view(np.uint8)[:, 0] ^= 1
        return replace(answers, outputs=tuple(made))

    monkeypatch.setattr(Run, "capture", capture)


def test_an_exact_image_is_clean_as_far_as_it_tells(look: Callable[[str], Outcome]) -> None:
    whole, every = look("whole"), look("every")
    assert (whole.bisection.verdict, every.bisection.verdict) == ("clean", "clean")
    assert whole.bisection.tested == ()
    assert [probe.layer for probe in every.bisection.tested] == [1, 2, 3, 4]
    assert every.bisection.whole.vectors == whole.bisection.whole.vectors == len(every.bisection.vectors)
    assert whole.project is every.project is whole.bundle is every.bundle is None


def test_an_image_of_all_tensors_tells_the_layer(
    look: Callable[[str], Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    layer = 3
    plant(monkeypatch, range(layer - 1, LAYERS))
    found = look("every").bisection
    assert found.verdict == "found"
    assert found.blame is not None
    assert (found.blame.operator, found.blame.suspects) == (layer - 1, (layer - 1,))
    assert found.whole.mismatches == found.whole.vectors


@pytest.mark.long
def test_a_difference_that_the_outputs_do_not_show_is_found_too(
    look: Callable[[str], Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, [1])
    found = look("every").bisection
    assert (found.verdict, found.whole.differs) == ("found", False)
    assert found.blame is not None
    assert found.blame.operator == 1


def test_an_image_of_the_model_itself_tells_that_it_differs_and_what_to_build(
    look: Callable[[str], Outcome], monkeypatch: pytest.MonkeyPatch, images: Images
) -> None:
    plant(monkeypatch, [0])
    outcome = look("whole")
    assert outcome.bisection.verdict == "not located"
    assert outcome.project is not None
    # Whoever builds that project makes the very image that tells more.
    assert (outcome.project / "device.json").read_bytes() == images["every"].read_bytes()


@pytest.mark.long
def test_an_image_of_another_model_is_refused(images: Images, tmp_path: Path, tiny_model: bytes) -> None:
    (tmp_path / "other.tflite").write_bytes(tiny_model)
    options = replace(asked(images, tmp_path, "every"), samples=None)
    with pytest.raises(StaleFirmwareError, match="another model") as caught:
        Bisect(str(tmp_path / "other.tflite"), [options], BisectOptions(), SilentObserver()).run()
    assert caught.value.exit_code is ExitCode.BLOCKED
    assert "all tensors" in caught.value.hint


@pytest.mark.long
def test_what_it_tells_is_kept_apart_from_the_own_firmware_s(look: Callable[[str], Outcome], images: Images) -> None:
    """The project is the same, so by its hash alone the layers would come into the report of the own image."""
    theirs = look("every").file.parent
    assert theirs.name.startswith("firmware-")
    own = replace(asked(images, images["mine"], "every"), firmware=None)
    assert open_run(str(images["model"]), own, SilentObserver()).verify().bisection is None
    look("whole")
    assert files.read(theirs.parent).bisection is None


def test_one_image_is_compared_with_the_reference(images: Images, tmp_path: Path) -> None:
    options = asked(images, tmp_path, "whole")
    with pytest.raises(ConfigError, match="--firmware names the one image") as caught:
        Bisect(str(images["model"]), [options, options], BisectOptions(), SilentObserver())
    assert caught.value.exit_code is ExitCode.USAGE
