"""What a bisection has found: plain data, from which the terminal's lines, the JSON and the bundle's page are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tinyhil.compare.blame import Blame
from tinyhil.compare.layer import LayerDifference

BisectionVerdict = Literal["clean", "found", "unexplained", "not located"]


@dataclass(frozen=True)
class Layer:
    """One operator of the model and what it computes.

    Attributes:
        number: in the order of execution, from 1.
        kind: name of the operator.
        name: of its output tensor.
        dtype: element type of its output.
        shape: of its output.
    """

    number: int
    kind: str
    name: str
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Probe:
    """The model up to a layer, run on both sides.

    Attributes:
        layer: number of the layer.
        difference: of its output between the two sides; None where it could not be had.
        why: it could not.
        against_reference: where two devices are compared, each of them against the reference, in their order.
    """

    layer: int
    difference: LayerDifference | None
    why: str = ""
    against_reference: tuple[LayerDifference, ...] = ()


@dataclass(frozen=True)
class DeviceSide:
    """A device that was asked.

    Attributes:
        target: where the model ran.
        engine: what computed it.
        kernels: with which kernels.
        project_sha256: of what its firmware was made from.
    """

    target: str
    engine: str
    kernels: str
    project_sha256: str

    def __str__(self) -> str:
        return f"{self.target} ({self.engine}, {self.kernels})"


@dataclass(frozen=True)
class Bisection:
    """One bisection.

    Attributes:
        recipe: whose model it was.
        model_sha256: of the whole model's file.
        reference: the interpreter that computed what is expected.
        sides: the device that was compared with the reference, or the two that were compared with each other.
        tolerance_lsb: differences up to this many LSB are none.
        every: whether every layer was tested.
        exhaustive: whether the whole model was sent all inputs there are.
        whole: the difference of the whole model's outputs.
        vectors: which of the whole model's vectors each layer was tested with.
        layers: all layers.
        tested: those that were tested, in their order.
        blame: who brought the difference in; operators are counted from 0 there.
        prebuilt: whether the image was built elsewhere: then nothing but what it gives was asked.
    """

    recipe: str
    model_sha256: str
    reference: str
    sides: tuple[DeviceSide, ...]
    tolerance_lsb: int
    every: bool
    exhaustive: bool
    whole: LayerDifference
    vectors: tuple[int, ...]
    layers: tuple[Layer, ...]
    tested: tuple[Probe, ...]
    blame: Blame | None
    prebuilt: bool = False

    @property
    def verdict(self) -> BisectionVerdict:
        """Clean: nothing that was tested differs. Unexplained: the whole differs, and no layer when cut off.

        Not located: the whole differs, and no layer could be asked.
        """
        if self.blame is not None:
            return "found"
        if not self.whole.differs:
            return "clean"
        return "unexplained" if self.tested else "not located"

    def of(self, layer: int) -> Probe | None:
        """What was found of a layer, None if it was not tested."""
        return next((each for each in self.tested if each.layer == layer), None)
