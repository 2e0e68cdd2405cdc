"""The configuration of a study: many runs that share a benchmark and differ in a few things."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields
from itertools import product
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import yaml

from .._near import did_you_mean
from ..benchmarks._text_files import check_text, excerpt, read_text
from ..benchmarks.scenario import Scenario
from ..training.precision_name import Precision
from .atomic import replacing
from .config import RunConfig
from .data import BenchmarkName
from .grid import expand_grid
from .method_choice import MethodChoice
from .optimizers import OptimizerName
from .yaml_files import MOST_BYTES, parse_yaml

__all__ = ["SHARED", "STUDY", "StudyConfig"]

STUDY = "study.yaml"
"""File that says what the runs of a study are, in its directory."""

# Settings that all runs of a study have in common, and their kinds.
_KINDS: dict[str, type] = {
    "benchmark": str,
    "data_root": str,
    "download": bool,
    "protocol": str,
    "overlap": float,
    "num_tasks": int,
    "label_column": str,
    "task_column": str,
    "feature_columns": list,
    "test_table": str,
    "test_share": float,
    "raw_features": bool,
    "model": str,
    "augment": bool,
    "epochs": int,
    "batch_size": int,
    "optimizer": str,
    "learning_rate": float,
    "weight_decay": float,
    "memory_per_class": int,
    "eval_every": int,
    "device": str,
    "threads": int,
    "precision": str,
    "channels_last": bool,
}
SHARED: tuple[str, ...] = tuple(_KINDS)
"""Names of the settings that all runs of a study have in common."""

_REQUIRED = (
    *("benchmark", "download", "raw_features", "augment", "epochs", "optimizer", "weight_decay"),
    *("device", "threads", "channels_last"),
)
_MOST_RUNS = 100_000
_LISTS = ("methods", "scenarios", "seeds", "label_sets", "timelines")


@dataclass(frozen=True)
class StudyConfig:
    """Many runs: every method in every scenario with every label set, time line and seed.

    All runs share each parameter that is not a list; its meaning is that in :class:`RunConfig`.

    :param methods: at least one: names, mappings or
        :class:`~avalanche_emgd.experiments.method_choice.MethodChoice`. A mapping may have a
        ``grid`` of settings, see ``avalanche_emgd.experiments.grid.expand_grid``.
    :param scenarios: at least one of ``"task"`` and ``"class"``.
    :param seeds: at least one.
    :param label_sets: of the protocol; only the first if there are none.
    :param timelines: of each label set; only the first if there are none.
    :param download: whether to download the data set, once, before the runs start.
    :raises ValueError: if something is of the wrong kind or out of range, or twice in a list.
    """

    methods: Sequence[Any]
    scenarios: Sequence[Scenario] = ("class",)
    seeds: Sequence[int] = (0,)
    label_sets: Sequence[int] = ()
    timelines: Sequence[int] = ()
    benchmark: BenchmarkName = "ps-digits"
    data_root: str | None = None
    download: bool = False
    protocol: str | None = None
    overlap: float | None = None
    num_tasks: int | None = None
    label_column: str | None = None
    task_column: str | None = None
    feature_columns: Sequence[str] | None = None
    test_table: str | None = None
    test_share: float | None = None
    raw_features: bool = False
    model: str | None = None
    augment: bool = False
    epochs: int = 1
    batch_size: int | None = None
    optimizer: OptimizerName = "adam"
    learning_rate: float | None = None
    weight_decay: float = 0.0
    memory_per_class: int | None = None
    eval_every: int | None = None
    device: str = "cpu"
    precision: Precision | None = None
    channels_last: bool = False
    threads: int = 1

    def __post_init__(self) -> None:
        for name, kind in _KINDS.items():
            value = getattr(self, name)
            if value is not None or name in _REQUIRED:
                object.__setattr__(self, name, _as(kind, value, f"`{name}`"))
        for name in _LISTS:
            value = getattr(self, name)
            if isinstance(value, str) or not isinstance(value, Sequence):
                raise ValueError(f"`{name}` must be a list, found {excerpt(value)}.")
            if not value and name in ("methods", "scenarios", "seeds"):
                raise ValueError(f"`{name}` must have at least one entry, found none.")
            object.__setattr__(self, name, tuple(value))
        entries = (each for entry in self.methods for each in expand_grid(entry))
        object.__setattr__(self, "methods", tuple(map(MethodChoice.parse, entries)))
        for name in ("seeds", "label_sets", "timelines"):
            entries = (_as(int, entry, f"an entry of `{name}`") for entry in getattr(self, name))
            object.__setattr__(self, name, tuple(entries))
        self._check_twice()
        count = math.prod(len(getattr(self, name)) or 1 for name in _LISTS)
        if count > _MOST_RUNS:
            raise ValueError(
                f"`methods`, `seeds` and so on make {count} runs; {_MOST_RUNS} at most."
            )
        self.runs()

    def _check_twice(self) -> None:
        for name in _LISTS:
            entries = getattr(self, name)
            if name == "methods":
                entries = [choice.label for choice in entries]
            seen: set[Any] = set()
            for entry in entries:
                if not isinstance(entry, Hashable):
                    raise ValueError(f"`{name}` has the entry {excerpt(entry)}, which is no name.")
                if entry in seen:
                    raise ValueError(
                        f"`{name}` has {excerpt(entry)} twice"
                        + ("; give one of them another `name`." if name == "methods" else ".")
                    )
                seen.add(entry)

    def runs(self) -> list[RunConfig]:
        """All runs, such that those with the same streams follow each other.

        None of them downloads anything.
        """
        shared = {name: getattr(self, name) for name in SHARED if name != "download"}
        return [
            RunConfig(
                **shared,
                method=choice.method,
                settings=choice.settings,
                name=choice.name,
                scenario=scenario,
                seed=seed,
                label_set=label_set,
                timeline=timeline,
            )
            for seed, label_set, timeline, scenario, choice in product(
                self.seeds,
                self.label_sets or (None,),
                self.timelines or (None,),
                self.scenarios,
                self.methods,
            )
        ]

    @classmethod
    def from_yaml(cls, path: str | Path, **instead: Any) -> StudyConfig:
        """Read a YAML file whose keys are the parameters of this class.

        :param path: of the file; paths in it are relative to the current directory.
        :param instead: parameters of this class that take the place of what the file says. A name
            among ``methods`` that the file has an entry for stands for that entry, with its
            settings.
        :raises ValueError: if it cannot be read, is not YAML, or has unknown keys or bad values.
        """
        text = read_text(path, "config", most=MOST_BYTES)
        try:
            content = parse_yaml(text)
        except ValueError as error:
            words = " ".join(str(error).split())
            raise ValueError(f"`config` {str(path)!r} is not a YAML file: {words}.") from None
        known = [f.name for f in fields(cls)]
        if not isinstance(content, dict) or "methods" not in {**content, **instead}:
            raise ValueError(
                f"`config` {str(path)!r} must map names to values, and have at least `methods`."
            )
        unknown = [key for key in content if key not in known]
        if unknown:
            names = [key if isinstance(key, str) else excerpt(key) for key in unknown]
            shown = excerpt(", ".join(names), 300)[1:-1]
            raise ValueError(
                f"`config` {str(path)!r} has unknown keys: {shown}. Known are "
                f"{', '.join(known)}.{did_you_mean(str(unknown[0])[:80], known)}"
            )
        try:
            if "methods" in content and "methods" in instead:
                instead["methods"] = _chosen(instead["methods"], cls(content["methods"]).methods)
            return cls(**{**content, **instead})
        except ValueError as error:
            raise ValueError(f"`config` {str(path)!r}: {error}") from None

    def to_yaml(self, path: str | Path) -> None:
        """Write a YAML file that :meth:`from_yaml` reads; what is not given is left out."""
        content: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name == "methods":
                content[each.name] = [choice.to_plain() for choice in value]
            elif isinstance(value, tuple):
                content.update({each.name: list(value)} if value else {})
            elif value is not None:
                content[each.name] = value
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        with replacing(Path(path)) as draft:
            draft.write_text(text, encoding="utf-8")


def _chosen(wanted: Sequence[Any], known: Sequence[MethodChoice]) -> list[Any]:
    """Give the known choices for the labels among what is wanted."""
    by_label = {choice.label: choice for choice in known}
    return [by_label.get(w, w) if isinstance(w, str) else w for w in wanted]


def _as(kind: type, value: Any, name: str) -> Any:
    """Take a setting for what it must be.

    :param kind: text, a truth value, a number, NumPy's included, or a list of texts.
    """
    if kind is list:
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise ValueError(f"{name} must be a list of texts, found {excerpt(value)}.")
        return tuple(_as(str, each, f"an entry of {name}") for each in value)
    accepted, words = {
        str: (str, "text"),
        bool: (bool, "true or false"),
        int: (Integral, "a whole number"),
        float: (Real, "a number"),
    }[kind]
    # Truth values are whole numbers to Python, but not to users.
    if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
        hint = ""
        if kind is float and isinstance(value, str):
            hint = " (YAML takes 3e-3 for text: write 0.003 or 3.0e-3)"
        raise ValueError(f"{name} must be {words}, found {excerpt(value)}{hint}.")
    return check_text(value, name) if isinstance(value, str) else kind(value)
