"""The kinds of errors of the history of runs."""

from __future__ import annotations

from tinyhil.kind import Kind

NO_HISTORY = Kind(
    "TH-125",
    "There is nothing in the history",
    2,
    "The history has no run that fits what was asked for, or no history is kept.",
    (
        "Run something: tinyhil run RECIPE. The next tinyhil history has it.",
        "tinyhil history import PATH takes the reports of earlier runs.",
    ),
)
HISTORY = Kind(
    "TH-240",
    "The history cannot be used",
    3,
    "The database of runs cannot be read or written: it is locked, damaged, no history, or its server is away.",
    (
        "What runs have left waits in .tinyhil, and nothing of it is lost: call the command again later.",
        "TINYHIL_HISTORY names another file or server; off keeps no history.",
    ),
)
NEWER_HISTORY = Kind(
    "TH-241",
    "The history is of a newer version",
    3,
    "A newer version of tinyhil has written the database of runs, and this one does not know its tables.",
    ("Install a newer version of tinyhil.", "Or name another history with TINYHIL_HISTORY."),
)
NO_BASELINE = Kind(
    "TH-242",
    "There is nothing to compare with",
    3,
    "The gate found no run of the present commit, or no baseline: so it can neither pass nor fail.",
    (
        "Run the recipes on the branch that is the baseline, with the same history.",
        "Or import its reports: tinyhil history import PATH --commit HASH --branch NAME.",
    ),
)
ALL = (NO_HISTORY, HISTORY, NEWER_HISTORY, NO_BASELINE)
"""As ``tinyhil.kinds`` has them."""
