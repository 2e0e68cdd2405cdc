"""Progress of a study in a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..records import Record, run_identity
from ..study_config import STUDY, StudyConfig
from .words import count

__all__ = ["progress_words"]


def progress_words(directory: Path, records: Sequence[Record]) -> str:
    """Count the runs that are done, failed and, if the study is known, still to do.

    :param directory: directory of the study.
    :param records: records of its runs.
    """
    failed = sum(record["status"] == "failed" for record in records)
    words = f"{len(records) - failed} done, {failed} failed"
    if not (directory / STUDY).is_file():
        return words
    try:
        study = StudyConfig.from_yaml(directory / STUDY)
    except ValueError as error:
        return f"{words}; how many are planned cannot be said: {error}"
    planned = set(map(run_identity, study.runs()))
    left = planned - set(map(run_identity, records))
    return f"{words}, {len(left)} to be done, of {count(len(planned), 'run')} in {STUDY}"
