"""A recipe quantized in every way, side by side: size, operators, accuracy, and what computes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import msgspec

from tinyhil import preflight, tflite
from tinyhil.artifacts import lock
from tinyhil.artifacts.types import FloatModel, QuantizedModel
from tinyhil.config.recipe import Scheme
from tinyhil.pipeline.run import Run
from tinyhil.quantize import quantize_each
from tinyhil.quantize.evaluation import Accuracy, accuracy, on_test_set
from tinyhil.quantize.inspection import Inspection, read_inspection

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)


@dataclass(frozen=True)
class Row:
    """One scheme.

    Attributes:
        model: the model.
        size: of its file in bytes.
        quantized: whether anything in it is; not so under ``dynamic`` where all layers are small.
        accuracy: over the test set, by the model's reference; None where there is no float model, and where no sample
            of the test set is sent.
        inspection: what quantization did inside of it.
        takers: every engine of every target.
    """

    model: QuantizedModel
    size: int
    quantized: bool
    accuracy: Accuracy | None
    inspection: Inspection
    takers: tuple[preflight.Taker, ...]

    @property
    def taken_by(self) -> tuple[preflight.Taker, ...]:
        """The engines that compute it right."""
        return tuple(taker for taker in self.takers if not taker.problems)


def survey(run: Run, schemes: tuple[Scheme, ...] = SCHEMES) -> tuple[Row, ...]:
    """Quantizes the recipe of ``run`` by each of ``schemes``, exactly as each says whatever the run's engine computes.

    Raises:
        ConfigError: there is no float model to quantize.
        As ``Run.quantize``.
    """
    trained = run.train()
    layout, usual = run.layout, run.source.recipe.quantize
    wanted = [(msgspec.structs.replace(usual, scheme=scheme), layout.quantized(scheme)) for scheme in schemes]
    with run.observer.stage("quantize") as reporter:
        with lock.exclusive(layout.models, reporter.text):
            made = quantize_each(trained, wanted, reporter)
        run.observer.result(", ".join(schemes), found=all(found for _, found in made))
    return tuple(row(model, trained) for model, _ in made)


def row(model: QuantizedModel, floats: FloatModel | None) -> Row:
    """What there is to say of a model that was made from ``floats``; None for a .tflite file: its accuracy is unknown.

    Raises:
        ConfigError: a target file is wrong.
    """
    data = model.path.read_bytes()
    tested = None if floats is None else on_test_set(model, floats)
    parsed = tflite.parse(data, str(model.path))
    return Row(
        model=model,
        size=len(data),
        quantized=any(tensor.scales for tensor in parsed.main.used),
        accuracy=None if tested is None or not len(tested.floats) else accuracy(tested),
        inspection=read_inspection(model),
        takers=preflight.takers(data, str(model.path)),
    )
