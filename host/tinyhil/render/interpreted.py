"""A target that runs the model file itself: the file, what the device says of it, and how to start the device."""

from __future__ import annotations

from importlib.metadata import version

import msgspec

import tinyhil
from tinyhil import tflite
from tinyhil.artifacts import hashing
from tinyhil.artifacts.types import QuantizedModel
from tinyhil.config.recipe import Demo
from tinyhil.sim import facts
from tinyhil.sim.facts import DemoFacts, DeviceFacts, TensorFacts
from tinyhil.targets.model import Target

README = "README.md"
_ZERO = "0" * 64


def lay_out(model: QuantizedModel, target: Target, demo: Demo | None = None) -> tuple[dict[str, bytes], str]:
    """The files of the project by path, and its SHA-256: over all of them, with itself in the description as zeros."""
    described = DeviceFacts(
        made_by=f"tinyhil {tinyhil.__version__}",
        recipe=model.recipe,
        model_sha256=model.sha256,
        project_sha256=_ZERO,
        stateful=tflite.stateful(model.ops),
        max_payload=target.link.max_payload,
        inputs=tuple(map(TensorFacts.of, model.inputs)),
        outputs=tuple(map(TensorFacts.of, model.outputs)),
        demo=None if demo is None else DemoFacts(start=demo.start, step=demo.step, steps=demo.steps),
    )
    files = {
        facts.MODEL: model.path.read_bytes(),
        README: f"The model {model.recipe} as a device, on a pseudo-terminal: python -m tinyhil.sim .\n".encode(),
        facts.FACTS: described.to_json(),
    }
    identity = hashing.of_tree(files)
    named = msgspec.structs.replace(described, project_sha256=identity)
    return {**files, facts.FACTS: named.to_json()}, identity


def describe() -> str:
    """What computes, for the report."""
    return f"tflite-micro {version('tflite-micro')}, reference"
