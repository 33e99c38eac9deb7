"""Which vectors are sent where not all can be, and what is expected of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyhil.artifacts.types import QuantizedModel
from tinyhil.progress import Silent
from tinyhil.quantize import model_file
from tinyhil.quantize.selection import Available
from tinyhil.targets.allowance import Allowance
from tinyhil.targets.model import Pace


@st.composite
def available(draw: st.DrawFn) -> Available:
    count = draw(st.integers(1, 600))
    exhaustive = draw(st.booleans())
    drawn = count if exhaustive else draw(st.integers(0, count))
    return Available(count, drawn, exhaustive, draw(st.booleans()))


@given(available(), st.data())
def test_fewer_are_some_of_more(all_of_them: Available, data: st.DataObject) -> None:
    more = data.draw(st.integers(1, all_of_them.count))
    fewer = data.draw(st.integers(1, more))
    large, small = all_of_them.places(more), all_of_them.places(fewer)
    assert len(large) == more
    assert len(small) == fewer
    assert set(small) <= set(large)
    assert (np.diff(large) > 0).all()
    assert 0 <= large[0] <= large[-1] < all_of_them.count


@given(available())
def test_all_are_all_in_their_order(all_of_them: Available) -> None:
    assert all_of_them.places(all_of_them.count).tolist() == list(range(all_of_them.count))


@given(st.integers(1, 300), st.integers(1, 300), st.data())
def test_drawn_ones_and_samples_are_sent_in_equal_numbers(drawn: int, samples: int, data: st.DataObject) -> None:
    wanted = data.draw(st.integers(1, 2 * min(drawn, samples)))
    places = Available(drawn + samples, drawn, False, False).places(wanted)
    assert abs(int((places < drawn).sum()) - int((places >= drawn).sum())) <= 1
    first = places[places < drawn]
    assert first.tolist() == list(range(len(first))), "the corners come first"


@pytest.mark.parametrize("wanted", [32, 50, 100])
def test_samples_come_from_all_over(wanted: int) -> None:
    places = Available(1000, 0, False, False).places(wanted)
    assert {0, 999} <= set(places)
    assert np.diff(places).max() <= 3 * 1000 / wanted


@given(st.integers(1, 100), st.data())
def test_a_model_with_state_is_sent_the_first_ones(count: int, data: st.DataObject) -> None:
    wanted = data.draw(st.integers(1, count))
    assert Available(count, count // 2, False, True).places(wanted).tolist() == list(range(wanted))


def allowing(count: float | None) -> Allowance:
    return Allowance(Pace(), 60, count)


def same(one: QuantizedModel, whole: QuantizedModel, places: Any) -> None:
    np.testing.assert_array_equal(one.vectors.inputs[0], whole.vectors.inputs[0][places])
    np.testing.assert_array_equal(one.vectors.reference[0], whole.vectors.reference[0][places])


def test_what_is_expected_is_computed_for_what_is_sent_and_kept_for_fewer(
    tiny_model: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(tiny_model)
    np.savez(tmp_path / "s.npz", x=np.random.default_rng(1).uniform(-60, 60, (200, 3)))

    def made(folder: str, count: float | None) -> tuple[QuantizedModel, bool]:
        asked = None if count is None else allowing(count)
        return model_file.tflite_model(path, tmp_path / "s.npz", tmp_path / folder, Silent(), asked)

    whole, _ = made("whole", None)
    assert whole.vectors.places is None
    assert whole.vectors.available == 0
    some, found = made("part", 40)
    assert not found
    with np.load(tmp_path / "part" / "reference.npz") as stored:
        assert len(stored["reference_0"]) == 40
    assert some.vectors.places is not None
    assert (some.vectors.count, some.vectors.available) == (40, whole.vectors.count)
    same(some, whole, some.vectors.places)
    fewer, found = made("part", 33)
    assert found
    same(fewer, whole, fewer.vectors.places)
    assert fewer.vectors.count == 33
    more, found = made("part", 50)
    assert not found
    same(more, whole, more.vectors.places)
    everything, found = made("part", np.inf)
    assert not found
    same(everything, whole, slice(None))
    assert everything.vectors.places is None


def test_a_part_of_all_inputs_is_no_proof(build_tflite: Callable[..., bytes], tmp_path: Path) -> None:
    def single(model: Any) -> None:
        graph = model.subgraphs[0]
        graph.tensors[0].shape = [1, 1]
        graph.tensors[1].shape = [2, 1]
        model.buffers[1].data = model.buffers[1].data[:2]

    path = tmp_path / "m.tflite"
    path.write_bytes(build_tflite(single))
    whole, _ = model_file.tflite_model(path, None, tmp_path / "whole", Silent(), allowing(None))
    assert whole.vectors.exhaustive
    assert whole.vectors.count == 256
    some, _ = model_file.tflite_model(path, None, tmp_path / "part", Silent(), allowing(100))
    assert not some.vectors.exhaustive
    same(some, whole, some.vectors.places)
    assert {-128, 127} <= set(some.vectors.inputs[0].reshape(-1).tolist())
