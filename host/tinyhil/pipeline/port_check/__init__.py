"""A check of one port and what is behind it, from permissions to goodput: what works, what does not, what to do.

``steps`` has the order; ``findings`` what is found, ``place`` what the system knows of the port, ``probe`` asks single
frames and keeps what else comes, ``line`` judges by them.
"""

from tinyhil.pipeline.port_check.findings import Checked, State
from tinyhil.pipeline.port_check.steps import PRINTS_NOTHING, check

__all__ = ["PRINTS_NOTHING", "Checked", "State", "check"]
