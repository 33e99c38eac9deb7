"""What the engine computes right decides the export."""

from __future__ import annotations

import msgspec
import pytest

from tinyhil.config.recipe import Scheme
from tinyhil.quantize import export_for
from tinyhil.targets.model import Target


@pytest.mark.parametrize(
    ("computed", "dense", "asked", "export"),
    [
        (False, "per-channel", "int8", "int8"),
        (False, "per-tensor", "int8", "int8"),
        (True, "per-tensor", "int8", "int8"),
        (True, "per-channel", "int8", "int8-per-channel"),
        (False, "per-channel", "int8-per-channel", "int8-per-channel"),
        (True, "per-tensor", "int8-per-channel", "int8-per-channel"),
    ],
)
def test_int8_leaves_it_to_the_engine_and_what_is_asked_for_is_made(
    qemu_m4: Target, computed: bool, dense: str, asked: Scheme, export: str
) -> None:
    engine = msgspec.structs.replace(qemu_m4.engines["compiled"], per_channel_dense=computed, dense=dense)
    assert export_for(asked, engine) == export
