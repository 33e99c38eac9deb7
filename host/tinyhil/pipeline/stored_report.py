"""The report of an earlier run, held against what is asked for now: it may be of another file of the same name."""

from __future__ import annotations

from tinyhil import kinds
from tinyhil.artifacts import hashing
from tinyhil.compare.verdict import Report
from tinyhil.errors import ConfigError
from tinyhil.pipeline import run_preprocessing
from tinyhil.pipeline.run import Run
from tinyhil.pipeline.sources import TfliteFile
from tinyhil.report import files


def read(run: Run) -> Report:
    """The report of an earlier run of the same model and image, with the same samples where some are named.

    Args:
        run: as it would be carried out now; nothing of it is.

    Raises:
        ConfigError: there is no report, it is damaged, or it is of something else.
        InputError: a file that is asked for cannot be read.
    """
    folder = run.layout.results
    report = files.read(folder)
    asked = run.source.asked()
    found = [("another model" if run.source.file else "another recipe", report.source_sha256, asked.source_sha256)]
    if asked.samples_sha256 is not None:
        found.append(("other samples", report.samples_sha256, asked.samples_sha256))
    if isinstance(run.source, TfliteFile):
        # What an earlier version has written does not name the file, but the model that was made of it.
        found.append(("another model", report.model_sha256, hashing.of_bytes(run.source.content()[0])))
    if run.options.firmware is not None:
        found.append(("another firmware", report.firmware_sha256, hashing.of_file(run.options.firmware)))
    named = [("another target", report.target, run.target.name), ("another engine", report.engine, run.engine)]
    raw = run_preprocessing.files(run.options)
    for what, has, wanted in (
        ("other raw samples", report.raw_sha256, raw.raw_sha256),
        ("raw samples prepared otherwise", report.prepare_sha256, raw.prepare_sha256),
    ):
        if wanted is not None:
            named.append((what, f"sha256 {has}" if has else "there is no such file", f"sha256 {wanted}"))
    hashed = [(what, f"sha256 {has}", f"sha256 {wanted}") for what, has, wanted in found if has is not None]
    for what, is_of, asked_for in [*named, *hashed]:
        if is_of != asked_for:
            raise ConfigError(
                f"the report in {folder} is of {what}: {is_of}, asked for is {asked_for}",
                hint="run it: tinyhil run makes the report of what is asked for",
                kind=kinds.NO_REPORT,
            )
    return report
