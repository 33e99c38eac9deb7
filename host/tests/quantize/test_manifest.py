"""What a manifest says of a model's vectors is what they are, whoever has edited it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tinyhil.artifacts import arrays, hashing, store
from tinyhil.progress import Silent
from tinyhil.quantize import model_file, quantized_folder, stage


def edited(folder: Path, changes: dict[str, Any], *, sealed: bool) -> None:
    """Edits the facts by hand; ``sealed`` with the hash that belongs to them."""
    place = folder / store.MANIFEST
    said = json.loads(place.read_text())
    said["facts"].update(changes)
    if sealed:
        del said["sha256"]
        said["sha256"] = hashing.of_json(said)
    place.write_text(json.dumps(said))


CHANGES: list[tuple[dict[str, Any], bool]] = [
    ({"exhaustive": True}, False),
    ({"exhaustive": True}, True),
    ({"computed": 10**6, "available": 10**6}, True),
    ({"reference": "a better one 9.0"}, False),
]


def test_what_was_edited_by_hand_is_made_anew(tmp_path: Path, tiny_model: bytes) -> None:
    path, folder = tmp_path / "m.tflite", tmp_path / "out"
    path.write_bytes(tiny_model)
    made, found = model_file.tflite_model(path, None, folder, Silent())
    assert (made.vectors.exhaustive, found) == (False, False)
    again, found = model_file.tflite_model(path, None, folder, Silent())
    assert (again.vectors.exhaustive, found) == (False, True)
    for changes, sealed in CHANGES:
        edited(folder, changes, sealed=sealed)
        again, found = model_file.tflite_model(path, None, folder, Silent())
        assert not found, changes
        assert (again.vectors.exhaustive, again.reference) == (False, made.reference)
        assert again.vectors.count == made.vectors.count


def test_a_converted_model_is_described_by_its_vectors(tmp_path: Path, tiny_model: bytes) -> None:
    """Before its reference is computed, too: what is said of it then goes on into the manifest of the whole."""
    store.write_bytes(tmp_path / quantized_folder.MODEL, tiny_model)
    inputs = np.random.default_rng(1).integers(-128, 128, (9, 1, 3), np.int8)
    arrays.write_vectors(tmp_path / quantized_folder.VECTORS, arrays.StoredVectors((inputs,)))
    facts = {"exhaustive": False, "available": 9, "drawn": 4}
    for said, there in ((facts, True), ({**facts, "exhaustive": True}, False), ({**facts, "available": 8}, False)):
        store.save(tmp_path, stage.CONVERTED, "key", (quantized_folder.MODEL, quantized_folder.VECTORS), said)
        assert (stage._converted(tmp_path, "key") == said) is there
