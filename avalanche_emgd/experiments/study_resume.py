"""Comparison of a study with the records in its directory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .config import RunConfig
from .records import LATER, Record, run_identity
from .setting import declared
from .study_config import SHARED, StudyConfig

__all__ = ["check_same_study"]

_REMEDY = "Name another output directory, or leave the setting as it was."


def check_same_study(
    study: StudyConfig, runs: Mapping[str, RunConfig], records: Mapping[str, Record]
) -> None:
    """Check that records belong to a study of which only the lists have changed.

    :param study: study to do.
    :param runs: runs of the study, by key.
    :param records: existing records, by key.
    :raises ValueError: if a setting differs; the message names it.
    """
    here = asdict(next(iter(runs.values())).resolved())
    choices = {choice.label: choice for choice in study.methods}
    planned = {run_identity(config): key for key, config in runs.items()}
    for key, record in records.items():
        there = record["config"]
        for name in SHARED:
            # A setting that the first records did not have was at its default.
            known = there.get(name, LATER.get(name))
            if name != "download" and not _same(name, known, here[name]):
                raise ValueError(
                    f"`{name}` is {here[name]!r}, but {known!r} in the record {key!r} of "
                    f"the study in `output`. {_REMEDY}"
                )
        choice = choices.get(record["method"])
        if choice is not None:
            for name in ("method", "settings"):
                if there.get(name) != getattr(choice, name):
                    raise ValueError(
                        f"`{name}` of {choice.label!r} is {getattr(choice, name)!r}, but "
                        f"{there.get(name)!r} in the record {key!r} of the study in `output`. Give "
                        "the method another `name`, or leave it as it was."
                    )
        if planned.get(run_identity(record), key) != key:
            raise ValueError(
                f"The record {key!r} of the study in `output` is of the same run as one of this "
                "study, but not with the same streams. Either the content of `protocol` has "
                f"changed, or the version of the package. {_REMEDY}"
            )


def _same(name: str, one: Any, other: Any) -> bool:
    if isinstance(other, tuple) and one is not None:  # a list in the record
        return tuple(one) == other
    is_path = declared(StudyConfig)[name].setting.place
    if is_path and one is not None and other is not None:
        return Path(one).resolve() == Path(other).resolve()
    return bool(one == other)
