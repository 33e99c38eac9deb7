"""What a direction has carried, and what was done to it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Counters:
    """One direction's counts from its start.

    Attributes:
        bytes_in: bytes from the sender.
        bytes_out: bytes on their way to the receiver after all faults.
        frames: frames that began.
        bit_flips: inverted bits.
        dropped_frames: frames that were lost whole.
        duplicated_frames: frames that were sent twice.
        truncated_frames: frames that lost their end.
        garbage_bytes: bytes that nobody sent.
        lost_blocks: blocks of 64 bytes that were lost, the last perhaps in part.
        stalls: pauses.
        disconnects: times that the host's port vanished.
        resets: times that the device was reset.
        noise_bytes: bytes that arrived at an end which had another rate.
        unheard_bytes: bytes that reached the host's port while nobody had it open, or while it was gone.
    """

    bytes_in: int = 0
    bytes_out: int = 0
    frames: int = 0
    bit_flips: int = 0
    dropped_frames: int = 0
    duplicated_frames: int = 0
    truncated_frames: int = 0
    garbage_bytes: int = 0
    lost_blocks: int = 0
    stalls: int = 0
    disconnects: int = 0
    resets: int = 0
    noise_bytes: int = 0
    unheard_bytes: int = 0
