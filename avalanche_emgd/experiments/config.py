"""The configuration of a run: everything needed to repeat it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any

from .. import benchmarks
from ..benchmarks.scenario import Scenario
from ..training.methods import find_method
from .data import DATA
from .own_data import check_own_data, check_table, settings_of
from .run_settings import SharedSettings
from .setting import Setting, documented

if TYPE_CHECKING:
    from ..benchmarks import ParallelBenchmark, Timeline

__all__ = [
    "RunConfig",
    "make_benchmark",
    "published_streams",
]

# Settings after whose change another protocol applies, or none.
_OF_STREAMS = ("benchmark", "task_column", "protocol", "num_tasks", "overlap")


def _checked_method(name: str) -> str:
    find_method(name)
    return name


@documented
@dataclass(frozen=True, kw_only=True)
class RunConfig(SharedSettings):
    """One training run: its data, streams, method, model and training.

    :raises ValueError: if an argument is out of range; before any work starts.
    """

    scenario: Annotated[
        Scenario,
        Setting(
            "Scenario of the tests: task or class. With task, the classes of a sample's own task "
            "compete; with class, those of all tasks started so far."
        ),
    ] = "class"
    method: Annotated[
        str,
        Setting(
            "Name of the method: one of those that `avalanche-emgd methods` lists, or "
            "module:callable for one of your own.",
            check=_checked_method,
        ),
    ] = "emgd-gmc"
    settings: Annotated[
        Mapping[str, Any],
        Setting(
            "Settings of the method, in place of its defaults.",
            on_command_line=False,
            follows=("method",),
        ),
    ] = field(default_factory=dict)
    name: Annotated[
        str | None,
        Setting(
            "Name of the method in tables and pictures.",
            default="the method",
            on_command_line=False,
            follows=("method",),
        ),
    ] = None
    seed: Annotated[
        int,
        Setting(
            "Seed of everything random: the model, the order of delivery, the memory, and label "
            "sets and time line without a protocol.",
            streams=True,
        ),
    ] = 0
    label_set: Annotated[
        int | None,
        Setting(
            "Label set of the protocol, from 0.", default="0", streams=True, follows=_OF_STREAMS
        ),
    ] = None
    timeline: Annotated[
        int | None,
        Setting(
            "Time line of the label set, from 0.", default="0", streams=True, follows=_OF_STREAMS
        ),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.settings, Mapping):
            raise ValueError(
                f"`settings` must map names of settings to values, found {self.settings!r}."
            )
        check_own_data(self)
        self._check_contradictions()
        num_classes = DATA[self.benchmark].sizes.num_classes
        if num_classes and (self.num_tasks or 0) > num_classes:
            raise ValueError(f"`num_tasks` must be in 1..{num_classes}, found {self.num_tasks}.")

    def _check_contradictions(self) -> None:
        """Refuse settings that contradict others, or have no effect beside them."""
        if self.no_flip and not self.augment:
            raise ValueError("`no_flip` is about augmented images: give `augment`, too.")
        if self.protocol is None:
            for name in ("label_set", "timeline"):
                if getattr(self, name) is not None:
                    raise ValueError(f"`{name}` chooses from a protocol: give `protocol`, too.")
            return
        if self.overlap is not None:
            raise ValueError(
                "`protocol` and `overlap` both say when tasks start: give one of the two."
            )
        if self.num_tasks is not None:
            raise ValueError("`protocol` says how many tasks there are: leave `num_tasks` out.")

    def check_data(self) -> None:
        """Check the place of the data before any work starts; see ``Data.check``.

        :raises ValueError: also if settings are missing that the data need.
        """
        DATA[self.benchmark].check(self.benchmark, self.data_root, download=self.download)
        if self.benchmark == "table":
            check_table(self)

    @property
    def label(self) -> str:
        """Name of the method in tables and pictures."""
        return self.name or self.method

    def resolved(self) -> RunConfig:
        """Return the configuration with the benchmark's defaults in place of ``None``."""
        own, published = DATA[self.benchmark], self.protocol is not None
        said = published or self.task_column is not None
        return replace(
            self,
            label_set=(self.label_set or 0) if published else None,
            timeline=(self.timeline or 0) if published else None,
            num_tasks=self.num_tasks if said else self.num_tasks or own.sizes.num_tasks,
            model=self.model or own.model,
            batch_size=own.sizes.batch_size if self.batch_size is None else self.batch_size,
            learning_rate=own.learning_rate if self.learning_rate is None else self.learning_rate,
            memory_per_class=(
                own.memory_per_class if self.memory_per_class is None else self.memory_per_class
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """Return a mapping that is enough to repeat the run, versions of packages included."""
        packages = ("avalanche-emgd", "avalanche-lib", "torch", "torchvision", "torchjd", "numpy")
        return {**asdict(self.resolved()), "versions": {p: version(p) for p in packages}}


def published_streams(config: RunConfig) -> tuple[tuple[tuple[int, ...], ...], Timeline]:
    """Return the label sets and the time line that a run's protocol has.

    :param config: configuration with a protocol.
    :raises ValueError: if the protocol is malformed, or for another benchmark.
    """
    chosen = config.resolved()
    protocol = benchmarks.Protocol.load(str(chosen.protocol))
    num_classes = DATA[chosen.benchmark].sizes.num_classes
    if num_classes and protocol.num_classes != num_classes:
        raise ValueError(
            f"`protocol` {chosen.protocol!r} is for {protocol.num_classes} classes, "
            f"but {chosen.benchmark} has {num_classes}."
        )
    return protocol.select(chosen.label_set or 0, chosen.timeline or 0)


def make_benchmark(config: RunConfig) -> ParallelBenchmark:
    """Build the benchmark of a run.

    :raises FileNotFoundError: if the data are missing.
    :raises ValueError: if ``data_root`` is needed and missing, or as in ``published_streams``.
    """
    config.check_data()
    data = DATA[config.benchmark]
    chosen = config.resolved()
    arguments: dict[str, Any] = {
        "scenario": chosen.scenario,
        "seed": chosen.seed,
        "batch_size": chosen.batch_size,
        "epochs": chosen.epochs,
    }
    for name in settings_of(RunConfig, config.benchmark):
        value = getattr(chosen, name)
        if value is not None:
            arguments[name] = value
    if chosen.protocol is not None:
        arguments["label_sets"], arguments["timeline"] = published_streams(config)
    elif chosen.num_tasks is not None:
        arguments["num_tasks"] = chosen.num_tasks
    if chosen.overlap is not None and chosen.num_tasks is None:
        arguments["overlap"] = chosen.overlap
    elif chosen.overlap is not None:
        # Equal lengths suffice, because the generator fits the time line to the data.
        lengths = [1000] * int(chosen.num_tasks or 0)
        arguments["timeline"] = benchmarks.Timeline.overlapping(lengths, chosen.overlap)
    where = [str(chosen.data_root)] if data.needs else []
    if data.downloads:
        arguments["download"] = chosen.download
    return data.make(*where, **arguments)
