"""What a CI system is told without being asked, by each command that has found something.

In a job of GitHub Actions: the summary of the step, annotations, and a comment for the pull request. In one of GitLab:
the comment, and the reports of code quality, of metrics and of the gate's tests. The files are in ``FOLDER``. Several
commands of a job add to them: each leaves its part, and the files are made anew of all parts of this job.

Nothing here changes an exit code: what goes wrong is a line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tinyhil.cli.session import Output
    from tinyhil.compare.changes import Changes
    from tinyhil.compare.verdict import Report
    from tinyhil.errors import BlockedError
    from tinyhil.history.gate import Held
    from tinyhil.matrix import Result
    from tinyhil.pipeline.run import Run
    from tinyhil.report.parts import Part
    from tinyhil.report.problems import Problem

FOLDER = Path("build/ci")
COMMENT, CODE_QUALITY, METRICS, GATE = "comment.md", "codequality.json", "metrics.txt", "gate.xml"
NAME = "TINYHIL_COMMENT"
"""The variable that names the comment: two jobs with one name would write over each other's."""
_ROOTS = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR")
_JOB = ("GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB", "CI_JOB_ID")

System = Literal["github", "gitlab", ""]


def system() -> System:
    """The CI system whose job this is; empty for none."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        return "github"
    return "gitlab" if os.environ.get("GITLAB_CI") == "true" else ""


def tell_run(output: Output, run: Run) -> str:
    """Says what became of a run that has ended.

    Returns:
        What could not be written, in a line; empty where all was, or where nothing is to be said.
    """
    if not system() or run.concluded is None:
        return ""
    from tinyhil.report import problems
    from tinyhil.report.markdown import to_markdown

    report, _ = run.concluded
    return _tell(output, _of_run(report, to_markdown(report), tuple(problems.of_report(report, _of_model(run)))))


def tell_matrix(output: Output, results: Sequence[Result], markdown: str) -> str:
    """Says what became of several runs, in one table; returns as ``tell_run``."""
    if not system():
        return ""
    from tinyhil.report.parts import Part
    from tinyhil.report.problems import Problem

    wrong = tuple(
        Problem(
            "matrix",
            each.cell.title,
            f"{each.row.outcome.upper()}  {each.row.reason}",
            "major" if each.row.outcome == "fail" else "blocker",
            _of_model(each.cell.run),
        )
        for each in results
        if each.row.outcome != "pass"
    )
    figures = [_of_run(each.report) for each in results if each.report is not None]
    return _tell(output, Part(name="matrix", rank=2, markdown=markdown, problems=wrong), figures)


def _of_run(report: Report, markdown: str = "", found: tuple[Problem, ...] = ()) -> Part:
    from tinyhil.compare import metrics
    from tinyhil.report.parts import Part

    labels = {"recipe": report.recipe, "target": report.target, "engine": report.engine, "scheme": report.scheme or ""}
    name, figures = " ".join(labels.values()), metrics.figures(report)
    return Part(name=name, rank=3, markdown=markdown, problems=found, labels=labels, figures=figures)


def tell_comparison(output: Output, sides: Sequence[str], found: Sequence[Changes], markdown: str) -> str:
    """Says what a comparison has found; returns as ``tell_run``."""
    if not system():
        return ""
    from tinyhil.report import changes as shown
    from tinyhil.report.parts import Part
    from tinyhil.report.problems import Problem

    worse = tuple(
        Problem("compare", shown.title(one), shown.summary(one), "minor", _of_recipe(one.after.recipe))
        for one in found
        if one.of("worse")
    )
    return _tell(output, Part(name=" ".join(("compare", *sides)), rank=1, markdown=markdown, problems=worse))


def tell_gate(output: Output, found: Sequence[Held], markdown: str) -> str:
    """Says what the gate has found; returns as ``tell_run``."""
    if not system():
        return ""
    from tinyhil.history import gate
    from tinyhil.report.parts import Part

    part = Part(name="gate", rank=0, markdown=markdown, problems=tuple(_of_gate(found)), junit=gate.to_junit(found))
    return _tell(output, part)


def tell_no_gate(output: Output, error: BlockedError, against: str) -> str:
    """Says that the gate had nothing to compare with; returns as ``tell_run``."""
    if not system():
        return ""
    from tinyhil.history import gate
    from tinyhil.report.markdown import MARKS, escaped
    from tinyhil.report.parts import Part
    from tinyhil.report.problems import Problem

    text = f"{error.message}; next: {error.hint}"
    markdown = f"### {MARKS['blocked']}: gate against {escaped(against)}\n\n{escaped(text)}\n"
    problem = Problem("gate", f"gate against {against}", f"BLOCKED  {text}", "blocker")
    junit = gate.to_junit((), blocked=(error.message, error.hint))
    return _tell(output, Part(name="gate", rank=0, markdown=markdown, problems=(problem,), junit=junit))


def _of_gate(found: Sequence[Held]) -> Iterator[Problem]:
    from tinyhil.report import changes as shown
    from tinyhil.report.problems import Problem

    severities: dict[str, Literal["info", "minor", "major"]] = {
        "broken": "major",
        "incomparable": "minor",
        "accepted": "info",
    }
    for one in found:
        about, file = shown.name(one.found.after), _of_recipe(one.found.after.recipe)
        for judged in one.judged:
            if judged.outcome in severities:
                check = f"gate/{judged.rule.metric.name}"
                yield Problem(check, about, shown.of_rule(judged), severities[judged.outcome], file)


def _tell(output: Output, part: Part, more: Sequence[Part] = ()) -> str:
    """Says a part, and leaves it for the files of the job, with more that are not said."""
    from tinyhil.artifacts import lock, store
    from tinyhil.cli import github
    from tinyhil.errors import StorageError
    from tinyhil.report import parts, problems
    from tinyhil.report.openmetrics import to_openmetrics

    said = ""
    if system() == "github":
        for line in github.commands(part.problems):
            # Past the console, which writes out what a CI system obeys: this is to be obeyed.
            output.console.file.write(f"{line}\n")
        said = github.summarize(part.markdown)
    job = "-".join(os.environ.get(name, "") for name in _JOB)
    try:
        with lock.exclusive(FOLDER, lambda _: None):
            for each in (part, *more):
                parts.leave(FOLDER / "parts", job, each)
            every = parts.of_job(FOLDER / "parts", job)
            store.write_text(FOLDER / COMMENT, parts.comment(every, _name()))
            if system() == "gitlab":
                found = problems.to_code_quality((one for each in every for one in each.problems), _elsewhere())
                store.write_json(FOLDER / CODE_QUALITY, found)
                figures = to_openmetrics((each.labels, each.figures) for each in every if each.figures)
                store.write_text(FOLDER / METRICS, figures)
                if part.junit:
                    store.write_text(FOLDER / GATE, part.junit)
    except StorageError as error:
        return "; ".join(filter(None, (said, f"the files for this CI job are not written: {error.message}")))
    return said


def _name() -> str:
    """What tells the comment of this job from those of others."""
    usual = "/".join(os.environ.get(name, "") for name in ("GITHUB_WORKFLOW", "GITHUB_JOB"))
    usual = usual if usual != "/" else os.environ.get("CI_JOB_NAME", "")
    return re.sub(r"[^\w ./]+", "-", os.environ.get(NAME) or usual)


def _elsewhere() -> str:
    return os.environ.get("CI_CONFIG_PATH") or ".gitlab-ci.yml"


def _of_model(run: Run) -> str:
    """The recipe's or the model's file, as ``_of_repository``."""
    return _of_repository(Path(run.source.file)) if run.source.file else _of_recipe(run.name)


def _of_recipe(name: str) -> str:
    """The recipe's file, as ``_of_repository``."""
    from tinyhil.config import recipe
    from tinyhil.errors import TinyhilError

    try:
        return _of_repository(recipe.find(name))
    except TinyhilError:
        return ""


def _of_repository(path: Path) -> str:
    """A file's name below the repository; empty where it is none of it."""
    root = next((Path(os.environ[name]) for name in _ROOTS if os.environ.get(name)), Path.cwd())
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return ""
