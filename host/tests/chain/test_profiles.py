"""CPUs that bakenn does not know: what it plans for another one is not enough for them."""

from __future__ import annotations

import re
from importlib.resources import files

import numpy as np
import pytest

from tinyhil.chain import compile_model, extension, profiles
from tinyhil.targets import registry

from .makers import layers

PROFILES = sorted({each.profile for name in registry.paths() for each in registry.get(name).engines.values()} - {""})


def memory(data: bytes, profile: str) -> int:
    return compile_model(data, "m", cmsis=True, profile=profile).memory_bytes


@pytest.mark.long
def test_helium_s_convolutions_get_what_cmsis_nn_asks_for() -> None:
    """Never less than on a CPU with DSP, for which bakenn plans it; a depthwise one takes blocks of channels."""
    rng = np.random.default_rng(3)
    for make in (layers.conv, layers.depthwise):
        more = [
            memory(data, "cortex-m55") - memory(data, "cortex-m4") for data in (make(rng, "int8") for _ in range(100))
        ]
        assert min(more) >= 0
        assert max(more) > 0


def test_the_block_is_the_one_of_the_sources() -> None:
    header = files("bakenn.backend.cmsis_nn.vendor").joinpath("cmsis_nn/Include/arm_nnsupportfunctions.h").read_text()
    (block,) = re.findall(r"^#define CH_IN_BLOCK_MVE \((\d+)\)", header, re.MULTILINE)
    assert int(block) == profiles._BLOCK


@pytest.mark.parametrize("profile", PROFILES)
def test_what_cmsis_nn_computes_with(profile: str) -> None:
    features = profiles.descriptor(profile).features
    assert extension(profile) == next((name for name in ("MVE", "DSP") if name.lower() in features), "")
