"""The configuration of a search over settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from ..._atomic import replacing
from ..._near import did_you_mean, known_words
from ..._text_files import excerpt
from ..study_config import StudyConfig
from ..yaml_files import read_config
from .space import Dimension, parse_space

__all__ = ["SWEEP", "Metric", "SweepConfig"]

SWEEP = "sweep.yaml"
"""File with the configuration of a search, in the directory of a sweep."""

Metric = Literal["A_ebar", "A_e", "F_ebar"]

# Settings of a run that a search may vary. All others define the task.
_OF_THE_RUN = ("learning_rate", "weight_decay", "optimizer", "batch_size")
_MOST_TRIALS = 100_000
_SHARED = tuple(each.name for each in fields(StudyConfig) if each.name != "methods")
# Places of data and the length of the search do not change a trial.
_FREE = ("trials", "data_root", "download", "protocol")


@dataclass(frozen=True)
class SweepConfig:
    """A search over settings of one method.

    A trial is a study of one method with one value for each searched setting: a run for each
    scenario, label set, time line and seed. Its objective is the mean of a metric over these runs.

    :param method: name of the method, see :class:`~avalanche_emgd.experiments.RunConfig`.
    :param search: mapping from names of settings to ranges ``{"low": 0.1, "high": 1.0}`` or
        ``{"choices": [...]}``. A range has ``"log": True`` for evenly drawn logarithms, and
        ``"int": True`` for whole numbers. ``learning_rate``, ``weight_decay``, ``optimizer`` and
        ``batch_size`` are settings of the run, all other names settings of the method.
    :param settings: settings of the method that all trials share.
    :param metric: metric to maximise: ``"A_ebar"``, ``"A_e"`` or ``"F_ebar"``.
    :param trials: number of all trials, at least 1.
    :param sampler_seed: seed of the search, at least 0. The same seed gives the same trials.
    :param study: the parameters of :class:`~avalanche_emgd.experiments.StudyConfig` but
        ``methods``. ``seeds`` are 0, 1 and 2 if left out: report what is found on others.
    :raises ValueError: if a setting is unknown, of the wrong kind, out of range or given twice.
    """

    method: str
    search: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    metric: Metric = "A_ebar"
    trials: int = 20
    sampler_seed: int = 0
    study: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.metric not in get_args(Metric):
            raise ValueError(
                f"`metric` must be one of {', '.join(get_args(Metric))}, found "
                f"{excerpt(self.metric)}.{did_you_mean(self.metric, get_args(Metric))}"
            )
        for name, low, high in (("trials", 1, _MOST_TRIALS), ("sampler_seed", 0, 2**31 - 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
                raise ValueError(
                    f"`{name}` must be a whole number in {low}..{high}, found {excerpt(value)}."
                )
        if not isinstance(self.settings, Mapping):
            raise ValueError(
                f"`settings` must map names to values, found {excerpt(self.settings)}."
            )
        for name in self.space:
            if name in self.settings or name in self.study:
                place = "settings" if name in self.settings else "the file, too"
                raise ValueError(f"`search` has {name!r}, which is also in {place}: give one.")
            if name in _SHARED and name not in _OF_THE_RUN:
                raise ValueError(
                    f"`search` cannot vary {name!r}, which says what is to be learned; of a run it "
                    f"varies {', '.join(_OF_THE_RUN)}."
                )
        object.__setattr__(self, "study", {"seeds": (0, 1, 2), **self.study})
        self.study_of({name: each.ends[0] for name, each in self.space.items()})

    @property
    def space(self) -> dict[str, Dimension]:
        """Ranges and choices of the search, by name."""
        return parse_space(self.search)

    def study_of(self, values: Mapping[str, Any], name: str | None = None) -> StudyConfig:
        """Make the study of a trial.

        :param values: values of the searched settings, by name.
        :param name: name of the method in tables and pictures.
        :raises ValueError: if a value is out of range.
        """
        of_run = {key: value for key, value in values.items() if key in _OF_THE_RUN}
        of_method = {key: value for key, value in values.items() if key not in _OF_THE_RUN}
        method: dict[str, Any] = {
            "method": self.method,
            "name": name,
            "settings": {**self.settings, **of_method},
        }
        return StudyConfig([method], **{**self.study, **of_run})

    @classmethod
    def from_yaml(cls, path: str | Path, **instead: Any) -> SweepConfig:
        """Read a YAML file whose keys are the parameters of this class and of a study.

        :param path: path of the file; paths in it are relative to the current directory.
        :param instead: parameters that replace those of the file.
        :raises ValueError: if the file cannot be read, is not YAML, or has unknown keys or wrong
            values.
        """
        content = read_config(path)
        if not isinstance(content, dict) or not {"method", "search"} <= set(content):
            raise ValueError(
                f"`config` {str(path)!r} must map names to values, and have at least `method` and "
                "`search`."
            )
        own = [each.name for each in fields(cls) if each.name != "study"]
        known = (*own, *_SHARED)
        for key in content:
            if key not in known:
                raise ValueError(
                    f"`config` {str(path)!r} has the unknown key {excerpt(key)}."
                    f"{known_words(key, known)}."
                )
        content = {**content, **instead}
        study = {key: value for key, value in content.items() if key not in own}
        try:
            return cls(**{key: content[key] for key in own if key in content}, study=study)
        except ValueError as error:
            raise ValueError(f"`config` {str(path)!r}: {error}") from None

    def to_plain(self) -> dict[str, Any]:
        """Return the content of a file that :meth:`from_yaml` reads."""
        own = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "study"}
        own["search"] = {name: each.to_plain() for name, each in self.space.items()}
        own["settings"] = dict(self.settings)
        study = {k: list(v) if isinstance(v, tuple) else v for k, v in self.study.items()}
        return {**own, **study}

    def to_yaml(self, path: Path) -> None:
        """Write a YAML file that :meth:`from_yaml` reads."""
        text = yaml.safe_dump(self.to_plain(), sort_keys=False, allow_unicode=True)
        with replacing(path) as draft:
            draft.write_text(text, encoding="utf-8")

    def check_same(self, earlier: SweepConfig) -> None:
        """Check that the trials of an earlier search can be continued with this one.

        :raises ValueError: if a setting differs; the message names it.
        """
        here, there = self.to_plain(), earlier.to_plain()
        for name in (*here, *there):
            if name not in _FREE and here.get(name) != there.get(name):
                raise ValueError(
                    f"`{name}` is {excerpt(here.get(name))}, but {excerpt(there.get(name))} in the "
                    "sweep in `output`. Name another output directory, or leave the setting as it "
                    "was."
                )
