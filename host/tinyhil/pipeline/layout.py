"""Where a run puts what it makes: every path below the build folder, in one place.

::

    build/<model>/model/train/            FloatModel
    build/<model>/model/truth/            what the recipe's truth gives for the vectors
    build/<model>/model/<scheme>/         QuantizedModel; int8, int8-per-channel
    build/<model>/model/file/             a user's own model file with what is expected of it
    build/<model>/plots/                  pictures of the training and of the float model
    build/<model>/<target>/               journal, the report's files, search.json, arena.json
    build/<model>/<target>/firmware-<hash>/  journal, report, search.json, bisect.json, plots of another's image
    build/<model>/<target>/project/       Project
    build/<model>/<target>/firmware/      FirmwareImage
    build/<model>/<target>/plots/         pictures of the quantized model and of the device's outputs
    build/<model>/<target>/bisect/        bisect.json, repro/, project/ and layer-<n>/ of the models that end early
    build/<model>/<target>/selftest/<n>/  a copy with a fault in it
    build/matrix.*                        of a matrix: page, JUnit, Markdown, JSON
    build/_memory/<hash>/                 a model or samples that a script had in memory
    build/_models/<hash>.json             a row of the table of a folder of models

``<model>`` is a recipe's name; for a model file the file's name and the first digits of its SHA-256, so that two files
of one name share nothing. ``<target>`` stands for the target's default engine, the recipe's scheme and a project;
what differs is appended: ``<target>-<engine>-<scheme>-library``.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path

from tinyhil.artifacts import foreign, hashing
from tinyhil.session import journal

HASH_DIGITS = 8
"""Of a model file's SHA-256, in the name of its folder: enough that two files of one name never meet by chance."""


@dataclass(frozen=True)
class Layout:
    """The paths of one run.

    Attributes:
        build_dir: the build folder.
        model: the model's folder in it.
        target: the target's folder in that.
        project: the PlatformIO project, or the folder with the library.
        image: first digits of the SHA-256 of the image that is run in place of the own one; empty for the own one.
    """

    build_dir: Path
    model: Path
    target: Path
    project: Path
    image: str = ""

    @property
    def results(self) -> Path:
        """What was found: journal and report; of an image that was built elsewhere apart from those of the own one."""
        return self.target / f"firmware-{self.image}" if self.image else self.target

    @property
    def models(self) -> Path:
        """The model's artifacts. Whoever makes something there holds the folder's lock."""
        return self.model / "model"

    @property
    def training(self) -> Path:
        """The trained model."""
        return self.models / "train"

    @property
    def truth(self) -> Path:
        """What the recipe's truth gives for the vectors."""
        return self.models / "truth"

    @property
    def model_file(self) -> Path:
        """A user's own model file with what is expected of it, or with its samples."""
        return self.models / "file"

    @property
    def firmware(self) -> Path:
        """The firmware image."""
        return self.target / "firmware"

    @property
    def journal(self) -> Path:
        """The journal of the device's answers."""
        return self.results / journal.NAME

    @property
    def model_plots(self) -> Path:
        """Pictures of the training and of the float model."""
        return self.model / "plots"

    @property
    def target_plots(self) -> Path:
        """Pictures of the quantized model and of the device's outputs."""
        return self.results / "plots"

    @property
    def search(self) -> Path:
        """What a search has found; the example's inputs lie beside it."""
        return self.results / "search.json"

    @property
    def bisect(self) -> Path:
        """All that a bisection makes. Whoever makes something there holds the folder's lock."""
        return self.target / "bisect"

    @property
    def bisection(self) -> Path:
        """What a bisection has found; of an image that was built elsewhere apart from that of the own one."""
        return (self.results if self.image else self.bisect) / "bisect.json"

    @property
    def selftest(self) -> Path:
        """All that a self-test makes. Whoever makes something there holds the folder's lock."""
        return self.target / "selftest"

    def quantized(self, scheme: str) -> Path:
        """The model quantized by a scheme."""
        return self.models / scheme

    def layer(self, number: int) -> Path:
        """The run of the model that ends after a layer, counted from 1; 0 for the one that gives all layers."""
        return self.bisect / f"layer-{number}"

    def layer_model(self, number: int) -> Path:
        """The model that ends after a layer, counted from 1; 0 for the one that gives all layers."""
        return self.models / "bisect" / f"layer-{number}"

    def of_layer(self, number: int) -> Layout:
        """The layout of the run of a model that ends after a layer: all layers share one project."""
        return replace(self, target=self.layer(number), project=self.bisect / "project")

    def of_copy(self, number: int) -> Layout:
        """The layout of the self-test's copy with this number."""
        folder = self.selftest / str(number)
        return replace(self, target=folder, project=folder / "project")


def of_image(own: Layout, firmware: Path | None) -> Layout:
    """The layout of a run whose firmware may be an image that was built elsewhere.

    Args:
        own: of the run with an image of its own.
        firmware: that image; None for the own one. Whether it can be read is found out where it is used.
    """
    if firmware is not None and foreign.is_file(firmware):
        with contextlib.suppress(OSError):
            return replace(own, image=hashing.of_file(firmware)[:HASH_DIGITS])
    return own


def in_memory(build_dir: Path, digest: str) -> Path:
    """The folder of the file for what a script had in memory; no recipe has such a name.

    Args:
        build_dir: the build folder.
        digest: SHA-256 of what is in it.
    """
    return build_dir / "_memory" / digest[:HASH_DIGITS]


def of_row(build_dir: Path, key: str) -> Path:
    """The file of a row of the table of a folder of models; no recipe has such a name.

    Args:
        build_dir: the build folder.
        key: hash of all that the row depends on.
    """
    return build_dir / "_models" / f"{key}.json"


def of_recipe(build_dir: Path, name: str, variant: str) -> Layout:
    """The layout of a recipe.

    Args:
        name: of the recipe.
        variant: the target's folder.
    """
    model = build_dir / name
    return Layout(build_dir, model, model / variant, model / variant / "project")


def of_file(build_dir: Path, name: str, content: bytes, variant: str) -> Layout:
    """The layout of a user's own model file.

    Args:
        name: of the model, as in the report.
        content: of the file.
        variant: the target's folder.
    """
    return of_recipe(build_dir, f"{name}-{hashing.of_bytes(content)[:HASH_DIGITS]}", variant)
