"""CPUs as bakenn names them, and those that it does not know.

bakenn plans the working memory of CMSIS-NN's kernels for CPUs with the DSP extension. The same sources, compiled for
Helium (Arm's vector extension MVE), need more: what exceeds the plan would be written over other tensors.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

_HELIUM = {"cortex-m55": "cortex-m4"}
"""Profiles with Helium, and the one of bakenn's that takes the same sources."""

_EXTENSIONS = {"cortex-m4": "DSP", "cortex-m55": "MVE"}
"""What is in their ``features``: a run that finds everything made would import bakenn for nothing else."""

_BLOCK = 124
"""CMSIS-NN 4.0.0, Include/arm_nnsupportfunctions.h: CH_IN_BLOCK_MVE."""


def descriptor(name: str) -> Any:
    """Bakenn's ``TargetDescriptor`` of a profile.

    Raises:
        ValueError: neither bakenn nor this module knows it.
    """
    import bakenn

    if name in _HELIUM:
        known = bakenn.resolve_target(_HELIUM[name])
        return replace(known, target_id=name, cpu=name, features=known.features | {"mve"})
    return bakenn.resolve_target(name)


def extension(name: str) -> str:
    """The extension of its instruction set that CMSIS-NN's kernels compute with: ``MVE`` or ``DSP``, else nothing."""
    return _EXTENSIONS.get(name, "")


def scratch_bytes(name: str, step: Any, plan: Any, planned: int) -> int:
    """Working memory of a step that a kernel of CMSIS-NN computes, in bytes.

    Args:
        name: of the profile.
        step: bakenn's step.
        plan: bakenn's plan, which has its weights.
        planned: bytes that bakenn plans.

    Source: CMSIS-NN 4.0.0, ``arm_convolve_s8_get_buffer_size`` and ``arm_depthwise_conv_s8_opt_get_buffer_size``.
    """
    if name not in _HELIUM or not planned:
        return planned
    if step.kernel_kind == "conv2d_s8":
        _, height, width, channels = plan.constants[step.weight].shape
        return max(planned, 4 * 8 * -(-int(height * width * channels) // 8))
    if step.kernel_kind == "depthwise_conv2d_s8":
        height, width, _ = plan.constants[step.weight].shape
        return max(planned, 4 * _BLOCK * int(height * width))
    return planned
