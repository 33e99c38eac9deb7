"""A bad serial line on purpose: faults and a wire's pace between the host and a device.

``faults`` and ``wire`` are pure: bytes and the time in, bytes and times out; ``line`` is one direction made
of the two; ``host_port`` is the pseudo-terminal that the host opens; ``pty_proxy`` moves the bytes.
"""

from tinyhil.proxy.faults import Faults
from tinyhil.proxy.pty_proxy import FaultProxy

__all__ = ["FaultProxy", "Faults"]
