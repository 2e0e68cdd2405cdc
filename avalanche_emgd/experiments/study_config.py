"""The configuration of a study: many runs that share a benchmark and differ in a few things."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import yaml

from .._atomic import replacing
from .._near import did_you_mean, known_words
from .._text_files import excerpt
from ..benchmarks.scenario import Scenario
from ..training.method_makers import INGREDIENTS
from .config import RunConfig
from .grid import expand_grid
from .method_choice import MethodChoice, as_json
from .run_settings import SharedSettings
from .setting import Setting, declared, documented
from .setting_texts import names, whole_numbers
from .setting_values import as_kind
from .yaml_files import read_config

__all__ = ["SHARED", "STUDY", "StudyConfig"]

STUDY = "study.yaml"
"""File with the configuration of a study, in its directory."""

SHARED: tuple[str, ...] = tuple(declared(SharedSettings))
"""Names of the settings that all runs of a study have in common."""

_MOST_RUNS = 100_000
_LIST = "A,B,..."
_LISTS = ("methods", "scenarios", "seeds", "label_sets", "timelines")


@documented
@dataclass(frozen=True)
class StudyConfig(SharedSettings):
    """Many runs: every method in every scenario with every label set, time line and seed.

    All runs share each parameter that is not a list, as in :class:`RunConfig`. An
    entry of ``methods`` is a name, a mapping or a
    :class:`~avalanche_emgd.experiments.method_choice.MethodChoice`. A mapping may have a ``grid``
    of settings, see ``avalanche_emgd.experiments.grid.expand_grid``. The data set is downloaded
    once, before the runs start.

    :raises ValueError: if a value is of the wrong kind or out of range, or twice in a list.
    """

    methods: Annotated[
        Sequence[Any],
        Setting(
            "Names of the methods, at least one: of those that `avalanche-emgd methods` lists, of "
            "the file with the study, or module:callable for your own.",
            metavar=_LIST,
            read=names,
        ),
    ]
    scenarios: Annotated[
        Sequence[Scenario],
        Setting(
            "Scenarios of the runs: task, class, or both.",
            default="class",
            metavar=_LIST,
            read=names,
        ),
    ] = ("class",)
    seeds: Annotated[
        Sequence[int],
        Setting("Seeds of the runs, at least one.", default="0", metavar=_LIST, read=whole_numbers),
    ] = (0,)
    label_sets: Annotated[
        Sequence[int],
        Setting(
            "Label sets of the protocol, from 0.", default="0", metavar=_LIST, read=whole_numbers
        ),
    ] = ()
    timelines: Annotated[
        Sequence[int],
        Setting(
            "Time lines of each label set, from 0.", default="0", metavar=_LIST, read=whole_numbers
        ),
    ] = ()

    checkpoint_every: Annotated[
        int | None,
        Setting(
            "Ticks between two checkpoints of each run; a run in work then continues after an "
            "interruption of the study.",
            default="runs in work begin anew",
            low=1,
        ),
    ] = None
    ingredients: Annotated[
        Mapping[str, Any],
        Setting(
            "Ingredients that every method is given: settings such as memory_loss or competition. "
            "A method's own settings win.",
            default="none",
            on_command_line=False,
        ),
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "ingredients", _checked_ingredients(self.ingredients))
        for name in _LISTS:
            value = getattr(self, name)
            if isinstance(value, str) or not isinstance(value, Sequence):
                raise ValueError(f"`{name}` must be a list, found {excerpt(value)}.")
            if not value and name in ("methods", "scenarios", "seeds"):
                raise ValueError(f"`{name}` must have at least one entry, found none.")
            object.__setattr__(self, name, tuple(value))
        entries = (each for entry in self.methods for each in expand_grid(entry))
        choices = (MethodChoice.parse(each).with_ingredients(self.ingredients) for each in entries)
        object.__setattr__(self, "methods", tuple(choices))
        for name in ("seeds", "label_sets", "timelines"):
            entries = (
                as_kind(int, entry, f"an entry of `{name}`") for entry in getattr(self, name)
            )
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
        """Return all runs; those with the same streams follow each other.

        Their ``download`` is false.
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

        :param path: path of the file; paths in it are relative to the current directory.
        :param instead: parameters of this class that replace those of the file. A name among
            ``methods`` stands for the entry of the file with this name, if there is one.
        :raises ValueError: if the file cannot be read, is not YAML, or has unknown keys or wrong
            values.
        """
        content = read_config(path)
        known = [*declared(cls)]
        if not isinstance(content, dict) or "methods" not in {**content, **instead}:
            raise ValueError(
                f"`config` {str(path)!r} must map names to values, and have at least `methods`."
            )
        unknown = [key for key in content if key not in known]
        if unknown:
            names = [key if isinstance(key, str) else excerpt(key) for key in unknown]
            shown = excerpt(", ".join(names), 300)[1:-1]
            raise ValueError(
                f"`config` {str(path)!r} has unknown keys: {shown}."
                f"{known_words(str(unknown[0])[:80], known)}."
            )
        try:
            if "methods" in content and "methods" in instead:
                instead["methods"] = _chosen(instead["methods"], cls(content["methods"]).methods)
            return cls(**{**content, **instead})
        except ValueError as error:
            raise ValueError(f"`config` {str(path)!r}: {error}") from None

    def to_yaml(self, path: str | Path) -> None:
        """Write a YAML file that :meth:`from_yaml` reads, without settings that are ``None``."""
        content: dict[str, Any] = {}
        for name in declared(StudyConfig):
            value = getattr(self, name)
            if name == "methods":
                content[name] = [choice.to_plain() for choice in value]
            elif isinstance(value, tuple):
                content.update({name: list(value)} if value else {})
            elif value is not None and value != {}:
                content[name] = value
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
        with replacing(Path(path)) as draft:
            draft.write_text(text, encoding="utf-8")


def _checked_ingredients(value: Any) -> dict[str, Any]:
    ingredients = as_json(value, "`ingredients`")
    for name in ingredients:
        if name not in INGREDIENTS:
            raise ValueError(
                f"`ingredients` can have {', '.join(INGREDIENTS)}, found {excerpt(name)}."
                f"{did_you_mean(name, INGREDIENTS)}"
            )
    return ingredients


def _chosen(wanted: Sequence[Any], known: Sequence[MethodChoice]) -> list[Any]:
    """Replace labels of known choices by these choices."""
    by_label = {choice.label: choice for choice in known}
    return [by_label.get(w, w) if isinstance(w, str) else w for w in wanted]
