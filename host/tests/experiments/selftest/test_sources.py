"""Every fault of the sources finds its place in the firmware as it is rendered today, and only that one."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyhil.artifacts.types import QuantizedModel
from tinyhil.errors import ToolError
from tinyhil.experiments.selftest import KINDS, Edit, Fault
from tinyhil.experiments.selftest.sources import Way, source_faults
from tinyhil.render import render
from tinyhil.resources import read_tree
from tinyhil.targets.model import Target

SMALL, LARGE = Way(large=False, together=True, ranks=(2, 2)), Way(large=True, together=False, ranks=(2, 2))
FAULTS = {each.name: each for way in (SMALL, LARGE) for each in source_faults(way)}


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory,
    quantized_model: Callable[[Path, bytes], QuantizedModel],
    tiny_model: bytes,
    qemu_m4: Target,
) -> Path:
    folder = tmp_path_factory.mktemp("rendered")
    render(quantized_model(folder, tiny_model), qemu_m4, "compiled", folder / "project")
    return folder / "project"


@pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: f"{fault.kind}: {fault.name}")
def test_a_fault_changes_what_it_names_and_nothing_else(project: Path, fault: Fault) -> None:
    before = read_tree(project)
    try:
        for edit in fault.edits:
            edit.apply(project)
        after = read_tree(project)
        assert {path for path in after if after[path] != before[path]} == {edit.path for edit in fault.edits}
    finally:
        for edit in fault.edits:
            (project / edit.path).write_bytes(before[edit.path])
    assert fault.edits
    assert fault.change is None
    assert fault.kind in KINDS


def test_a_flipped_bit_is_one_bit_of_the_last_byte(project: Path) -> None:
    fault = FAULTS["the last bit of the build's hash"]
    path = project / fault.edits[0].path
    before = path.read_bytes()

    def digest() -> int:
        found = re.search(r"kProjectSha256\[32\] = \{([^}]*)\}", path.read_text())
        assert found is not None
        return int.from_bytes(bytes(int(part, 16) for part in found[1].split(",")))

    was = digest()
    fault.edits[0].apply(project)
    assert digest() ^ was == 1
    path.write_bytes(before)


@pytest.mark.parametrize(("old", "times"), [("nothing of the kind", 0), ("a", 2)])
def test_a_fault_whose_place_has_moved_is_not_planted(tmp_path: Path, old: str, times: int) -> None:
    (tmp_path / "file").write_text("a a")
    with pytest.raises(ToolError, match=f"file has {times} places"):
        Edit("file", old, "b").apply(tmp_path)
    assert (tmp_path / "file").read_text() == "a a"


def test_a_fault_that_changes_nothing_is_not_planted(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a")
    with pytest.raises(ToolError):
        Edit("file", "a", "a").apply(tmp_path)


def test_vectors_only_meet_faults_on_their_way() -> None:
    alone = {each.name for each in source_faults(Way(large=False, together=False, ranks=(2, 2)))}
    flat = {each.name for each in source_faults(Way(large=False, together=True, ranks=(1, 2)))}
    small, large = ({each.name for each in source_faults(way)} for way in (SMALL, LARGE))
    assert small - alone == {each.name for each in source_faults(SMALL) if each.kind == "order"}
    assert small - flat == {"each shape in the handshake lacks its last size"}
    assert large - small
    assert small - large
