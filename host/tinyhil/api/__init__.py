"""The public Python API; ``tinyhil`` itself offers what is in ``tinyhil.__all__``, the fronts use the rest too.

The command line and the pytest plugin open every run here, so what a script gets is what they get.
"""

from tinyhil.api.memory import Model
from tinyhil.api.runs import open_replay, open_run, open_session, run, session_with, verify
from tinyhil.api.signature import DEFAULTS
from tinyhil.compare.verdict import Report
from tinyhil.history.keep import keep
from tinyhil.options import Options
from tinyhil.pipeline.observer import Observer
from tinyhil.session import Answers, Session

__all__ = [
    "DEFAULTS",
    "Answers",
    "Model",
    "Observer",
    "Options",
    "Report",
    "Session",
    "keep",
    "open_replay",
    "open_run",
    "open_session",
    "run",
    "session_with",
    "verify",
]
