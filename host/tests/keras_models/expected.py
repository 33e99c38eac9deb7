"""The 26 models by name, and what is expected of a run of each. The builders are in ``models``, which needs Keras."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

import tinyhil

IMAGES = (
    "conv2d_global_average",
    "residual_add",
    "concatenate_branches",
    "separable_convolution",
    "depthwise_mobile",
    "squeeze_excite",
    "transposed_autoencoder",
    "upsampling_nearest",
    "upsampling_bilinear",
    "leaky_and_prelu",
    "swish_convolution",
    "two_outputs",
)
ROWS = (
    "dense_sigmoid",
    "conv1d_activity",
    "embedding_text",
    "embedding_lstm",
    "lstm_sequence",
    "gru_forecast",
    "bidirectional_tagger",
    "simple_rnn",
    "multi_head_attention",
    "dot_attention",
    "two_inputs",
    "elu_and_negative",
)
QUICK = ("two_inputs", "two_outputs")
"""Of all tests; the others are long."""


SENT = 16
"""Samples of 40 that test: the others calibrate. Where all inputs are quantized, drawn vectors are sent beside them."""


@dataclass(frozen=True)
class Refusal:
    """What a refusal says: the layer or operator, and the way out."""

    names: str
    way_out: str


REFUSED = {
    "gelu_dense": Refusal("Gelu", "activation='swish'"),
    "code_in_a_lambda": Refusal("layer 'lambda' is a Lambda layer", "keras.ops"),
}


def run_exactly(name: str, folder: Path, target: str, build_dir: Path, suffix: str = ".keras") -> None:
    """Runs a model of ``folder`` by the engine ``compiled``, and asserts that every output is the reference's."""
    report = tinyhil.run(
        folder / f"{name}{suffix}",
        samples=folder / f"{name}.npz",
        target=target,
        engine="compiled",
        build_dir=build_dir,
        vectors="all",
    )
    assert report.verdict == "pass"
    found = report.fidelity
    assert found is not None
    assert (found.mismatches, found.tolerance_lsb) == (0, 0)
    assert found.vectors >= SENT
    assert found.reference.startswith("tflite-micro")
    assert "because" not in found.reference


def run_refused(name: str, folder: Path, target: str, build_dir: Path) -> None:
    """Runs a model, and asserts that it is refused by name and with a way out."""
    with pytest.raises(tinyhil.InputError) as caught:
        run_exactly(name, folder, target, build_dir)
    wanted = REFUSED[name]
    assert f"{name}.keras" in caught.value.message
    assert wanted.names in caught.value.message
    assert wanted.way_out in caught.value.hint
