"""Runs a libFuzzer program and reads what it did from its log.

It works in a folder of its own, on a corpus of its own that begins as that of the checkout, so that a run never
changes the checkout. What breaks a promise is kept there too, as ``NAME-crash-*``, ``NAME-timeout-*``, ``NAME-leak-*``
or ``NAME-oom-*``; the program runs such a file again if it is its only argument.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .programs import CORPUS, FIRMWARE

LONGEST_INPUT = {"decoder": 4400, "server": 1500}
"""Bytes; the decoder's holds one frame above the protocol's limit."""

_PAYLOAD_520 = 11  # the place of 520, the payload limit of the table of cases, in fuzz_decoder.cpp's list
_SECONDS_PER_INPUT = 20
# A broken promise, a sanitizer's headline, where in the sources it was, and the file with the input.
_SAYS_WHY = re.compile(
    r"^.*broken promise:.*$|^.*runtime error:.*$|^.*ERROR: .*$|^ +#\d+ .*/firmware/.*:\d.*$|Test unit written to .*$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Limit:
    """When to stop: after so many executions where it is given, otherwise after so many seconds."""

    seconds: int
    runs: int | None = None


@dataclass(frozen=True)
class Result:
    """What a run came to.

    Attributes:
        problem: why the run ended badly, otherwise "".
        executions: inputs that were run.
        per_second: their rate.
        edges: of the control flow that were reached, those of the harness included.
        corpus: inputs that each reach something that no other does.
    """

    problem: str
    executions: int
    per_second: int
    edges: int
    corpus: int

    @property
    def line(self) -> str:
        """The figures in one line."""
        verdict = "a promise was BROKEN" if self.problem else "no crash, leak or hang"
        figures = f"{self.executions:,} executions, {self.per_second:,}/s, {self.edges} edges, corpus of {self.corpus}"
        return f"{figures}: {verdict}"


class Run:
    """A libFuzzer program at work.

    Args:
        name: "decoder" or "server".
        program: built by ``programs.fuzzer``.
        folder: for the corpus, the log, and the inputs that break something.
        seed: of the program's random numbers.
        limit: when to stop.
    """

    def __init__(self, name: str, program: Path, folder: Path, seed: int, limit: Limit) -> None:
        self._log = folder / f"{name}.log"
        self._limit = limit
        own = folder / "corpus" / name
        own.mkdir(parents=True, exist_ok=True)
        corpora = [own, CORPUS / name]
        if name == "decoder":
            corpora.append(_seeds(folder / "corpus" / "cases"))
        command = [
            str(program),
            f"-seed={seed % 2**31 or 1}",
            f"-max_len={LONGEST_INPUT[name]}",
            f"-timeout={_SECONDS_PER_INPUT}",
            "-rss_limit_mb=1024",
            "-print_final_stats=1",
            f"-artifact_prefix={folder}/{name}-",
            f"-max_total_time={limit.seconds}" if limit.runs is None else f"-runs={limit.runs}",
            *map(str, corpora),
        ]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=_environment())

    def wait(self) -> Result:
        """Waits for the end, not much longer than the limit, and returns what came out."""
        try:
            status = self._process.wait(timeout=self._limit.seconds * 2 + 120)
            ending = f"ended with {status}"
        except subprocess.TimeoutExpired:
            ending = "did not end"
        finally:
            self.stop()
        log = self._log.read_text(encoding="utf-8", errors="replace")
        executions = _last(r"stat::number_of_executed_units: +(\d+)", log)
        why = [*_SAYS_WHY.findall(log), f"{self._log}: the program {ending}"]
        return Result(
            problem="" if ending == "ended with 0" else "\n".join(why),
            executions=executions,
            per_second=_last(r"stat::average_exec_per_sec: +(\d+)", log),
            edges=_last(r"\bcov: (\d+)", log),
            corpus=_last(r"\bcorp: (\d+)", log),
        )

    def stop(self) -> None:
        """Ends the program if it has not ended."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def minimise(name: str, program: Path, folder: Path, longest: int) -> int:
    """Replaces the checkout's corpus by the smallest part of both corpora that reaches as much, and returns its bytes.

    Args:
        longest: bytes of the largest input to keep.
    """
    fresh = folder / "corpus" / f"{name}-minimised"
    fresh.mkdir(parents=True, exist_ok=True)
    for path in fresh.iterdir():
        path.unlink()
    sources = [CORPUS / name, folder / "corpus" / name]
    command = [str(program), "-merge=1", f"-max_len={longest}", str(fresh), *map(str, sources)]
    subprocess.run(command, check=True, capture_output=True, env=_environment())
    for path in (CORPUS / name).iterdir():
        path.unlink()
    for path in fresh.iterdir():
        (CORPUS / name / path.name).write_bytes(path.read_bytes())
    return sum(path.stat().st_size for path in (CORPUS / name).iterdir())


def _seeds(folder: Path) -> Path:
    """The streams of the table of cases, as inputs of the decoder's fuzzer."""
    folder.mkdir(parents=True, exist_ok=True)
    table = json.loads((FIRMWARE / "lib" / "link" / "cases" / "frames.json").read_text(encoding="utf-8"))
    for number, case in enumerate(table["cases"]):
        (folder / f"{number:03}").write_bytes(bytes([_PAYLOAD_520]) + bytes.fromhex(case["stream"]))
    return folder


def _environment() -> dict[str, str]:
    # Freed memory is kept for a while to catch late accesses; 256 MB of it, the default, only cost time here.
    return {**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=16:detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}


def _last(pattern: str, log: str) -> int:
    found = re.findall(pattern, log)
    return int(found[-1]) if found else 0
