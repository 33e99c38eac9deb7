"""A conversation with a device: who it is, and what it answers to the vectors."""

from tinyhil.session.answers import Answers
from tinyhil.session.capture import capture
from tinyhil.session.identity import Identity
from tinyhil.session.lines import PortLines, lines_to
from tinyhil.session.measuring import measure
from tinyhil.session.session import Session, open_session

__all__ = ["Answers", "Identity", "PortLines", "Session", "capture", "lines_to", "measure", "open_session"]
