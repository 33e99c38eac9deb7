"""What a manifest says of a model's vectors is what they are, whoever has edited it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinyhil.artifacts import arrays, hashing, store
from tinyhil.progress import Silent
from tinyhil.quantize import model_file, stage


def edited(folder: Path, change: Callable[[dict[str, Any]], object], *, sealed: bool) -> None:
    """Edits the facts by hand; ``sealed`` with the hash that belongs to them."""
    place = folder / store.MANIFEST
    said = json.loads(place.read_text())
    change(said["facts"])
    if sealed:
        del said["sha256"]
        said["sha256"] = hashing.of_json(said)
    place.write_text(json.dumps(said))


@pytest.mark.parametrize("sealed", [False, True])
def test_vectors_are_all_inputs_there_are_only_if_they_are(tmp_path: Path, tiny_model: bytes, sealed: bool) -> None:
    path, folder = tmp_path / "m.tflite", tmp_path / "out"
    path.write_bytes(tiny_model)
    made, found = model_file.tflite_model(path, None, folder, Silent())
    assert (made.vectors.exhaustive, found) == (False, False)
    again, found = model_file.tflite_model(path, None, folder, Silent())
    assert (again.vectors.exhaustive, found) == (False, True)
    for change in (
        lambda facts: facts.update(exhaustive=True),
        lambda facts: facts.update(available=7),
        lambda facts: facts.update(computed=10**6),
        lambda facts: facts.update(drawn=-1),
    ):
        edited(folder, change, sealed=sealed)
        again, found = model_file.tflite_model(path, None, folder, Silent())
        assert not found, "it is made anew"
        assert not again.vectors.exhaustive
        assert again.vectors.count == made.vectors.count


def test_an_edit_that_nothing_can_be_computed_of_is_noticed(tmp_path: Path, tiny_model: bytes) -> None:
    path, folder = tmp_path / "m.tflite", tmp_path / "out"
    path.write_bytes(tiny_model)
    made, _ = model_file.tflite_model(path, None, folder, Silent())
    edited(folder, lambda facts: facts.update(reference="a better one 9.0"), sealed=False)
    again, found = model_file.tflite_model(path, None, folder, Silent())
    assert (again.reference, found) == (made.reference, False)


def test_a_converted_model_is_described_by_its_vectors(tmp_path: Path, tiny_model: bytes) -> None:
    """Before its reference is computed, too: what is said of it then goes on into the manifest of the whole."""
    store.write_bytes(tmp_path / stage.MODEL, tiny_model)
    inputs = np.random.default_rng(1).integers(-128, 128, (9, 1, 3), np.int8)
    arrays.write_vectors(tmp_path / stage.VECTORS, arrays.StoredVectors((inputs,)))
    facts = {"exhaustive": False, "available": 9, "drawn": 4}
    for said, there in ((facts, True), ({**facts, "exhaustive": True}, False), ({**facts, "available": 8}, False)):
        store.save(tmp_path, stage.CONVERTED, "key", (stage.MODEL, stage.VECTORS), said)
        assert (stage._converted(tmp_path, "key") == said) is there
