"""Runs hostile .tflite files from end to end through the API, in a process that stays. Started by ``whole``."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

import tinyhil
from tinyhil.compare.digest import digest
from tinyhil.errors import BlockedError, InputError

VECTORS = "40"


def attempt(path: Path, target: str, build: Path) -> dict[str, str]:
    """What becomes of a file; of one that is judged the verdict, its hash and where its vectors are."""
    shutil.rmtree(build, ignore_errors=True)
    try:
        report = tinyhil.run(path, target=target, build_dir=build, search=0, vectors=VECTORS)
    except InputError as error:
        return {"outcome": "refused", "told": error.message}
    except BlockedError as error:
        return {"outcome": "blocked", "told": error.message}
    except BaseException:
        return {"outcome": "fault", "told": traceback.format_exc(limit=-8)}
    return {"outcome": report.verdict, "told": digest(report)}


def main(target: str) -> None:
    """Answers until its input ends."""
    warnings.simplefilter("ignore")
    answers = sys.stdout
    sys.stdout = sys.stderr
    with tempfile.TemporaryDirectory(prefix="hostile-") as place:
        for line in sys.stdin:
            request: dict[str, Any] = json.loads(line)
            path = Path(request["path"])
            found = attempt(path, target, Path(place) / "build")
            if found["outcome"] == "pass":
                vectors = next((Path(place) / "build").glob("*/model/file/vectors.npz"))
                shutil.copyfile(vectors, request["vectors"])
            answers.write(json.dumps(found) + "\n")
            answers.flush()


if __name__ == "__main__":
    main(sys.argv[1])
