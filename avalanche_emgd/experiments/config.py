"""The configuration of a run: everything needed to repeat it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from numbers import Integral
from typing import TYPE_CHECKING, Any, get_args

from .. import benchmarks
from .._imports import find_callable
from .._near import did_you_mean
from ..benchmarks._text_files import check_text, excerpt
from ..benchmarks.limits import MOST_TASKS
from ..benchmarks.scenario import Scenario
from ..models.model_name import check_model_name
from ..training.methods import find_method
from ..training.precision_name import Precision
from .data import DATA, BenchmarkName
from .optimizers import OptimizerName
from .own_data import TEXTS, check_own_data, check_table

if TYPE_CHECKING:
    from ..benchmarks import ParallelBenchmark, Timeline

__all__ = [
    "RunConfig",
    "make_benchmark",
    "published_streams",
]

_MOST = 2**31 - 1  # what every library below takes
# Whole numbers. A larger one is a slip, and would cost memory or time in proportion to it.
_RANGES = {
    "seed": (0, _MOST),
    "label_set": (0, _MOST),
    "timeline": (0, _MOST),
    "num_tasks": (1, MOST_TASKS),
    "epochs": (1, _MOST),
    "batch_size": (1, _MOST),
    "memory_per_class": (0, _MOST),
    "eval_every": (1, _MOST),
    "threads": (1, 1024),
}


@dataclass(frozen=True)
class RunConfig:
    """One training run.

    :param benchmark: ready-made benchmark, or ``"images"``, ``"npz"`` or ``"table"`` for data of
        one's own.
    :param scenario: ``"task"`` or ``"class"``.
    :param method: one of :data:`~avalanche_emgd.training.METHODS`, or ``module:callable``.
    :param settings: of the method, in place of its defaults.
    :param name: of the method in tables and pictures; ``method`` if ``None``.
    :param seed: of the model, the order of delivery, the memory, and of label sets and time line
        where no protocol says them.
    :param data_root: folder with the data set, for benchmarks that need one; of one's own data the
        folder of images, or the file of arrays or with the table.
    :param download: whether to download it there.
    :param protocol: file with label sets and time lines.
    :param label_set: which label set of the protocol; the first if ``None``.
    :param timeline: which time line of the label set; the first if ``None``.
    :param overlap: of successive tasks in [0, 1], instead of a random or published time line.
    :param num_tasks: tasks, where no protocol says it; the benchmark's own if ``None``.
    :param size: (height, width) to which images of one's own are scaled; if ``None``, all must have
        one size.
    :param label_column: of a table of one's own, the column with the classes. For this and the
        next, see :func:`~avalanche_emgd.benchmarks.parallel_benchmark_from_table`.
    :param task_column: the column with the tasks.
    :param feature_columns: names of the columns that are inputs; if ``None``, all others.
    :param test_table: file with the rows for testing.
    :param test_share: share of the rows or images of each class for testing, in (0, 1).
    :param raw_features: whether to leave the features of a table as they are.
    :param model: name of a model, or ``module:callable`` for one of your own, called with the
        number of classes and the shape of an input; the benchmark's own if ``None``.
    :param augment: whether training images are cropped and flipped at random, replayed ones too.
    :param batch_size: samples per task and tick; the benchmark's own if ``None``.
    :param epochs: passes over each task's samples within its span, which is as much longer.
    :param optimizer: ``"adam"``, ``"adamw"`` or ``"sgd"``.
    :param learning_rate: of the optimizer; the benchmark's own, chosen for Adam, if ``None``.
    :param weight_decay: of the optimizer, ≥ 0.
    :param memory_per_class: capacity of the replay memory divided by the number of classes; the
        benchmark's own if ``None``, no memory if 0.
    :param eval_every: test all started tasks every so many ticks, for the curves. If ``None``, a
        run by itself tests about 50 times in all, a run of a study at the ends of segments only.
    :param device: where the model is trained.
    :param precision: ``"bfloat16"`` or ``"float16"``: forward passes of training in fewer bits.
    :param channels_last: whether a convolutional model is laid out pixel by pixel in memory, which
        is faster on many machines and changes last digits.
    :param threads: of the CPU, for the operations of torch, in 1..1024. Sums are divided among
        them: with another number, last digits differ, and in time weights.
    :raises ValueError: if an argument is out of range; before any work starts.
    """

    benchmark: BenchmarkName = "ps-digits"
    scenario: Scenario = "class"
    method: str = "emgd-gmc"
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    seed: int = 0
    data_root: str | None = None
    download: bool = False
    protocol: str | None = None
    label_set: int | None = None
    timeline: int | None = None
    overlap: float | None = None
    num_tasks: int | None = None
    size: Sequence[int] | None = None
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
        for name, choices in (
            ("benchmark", get_args(BenchmarkName)),
            ("scenario", get_args(Scenario)),
            ("optimizer", get_args(OptimizerName)),
            ("precision", (None, *get_args(Precision))),
        ):
            value = getattr(self, name)
            if value not in choices:
                words = ", ".join(choice for choice in choices if choice is not None)
                near = did_you_mean(value, filter(None, choices))
                raise ValueError(f"`{name}` must be one of {words}, found {excerpt(value)}.{near}")
        for name in (*("method", "name", "data_root", "protocol", "device"), *TEXTS):
            value = getattr(self, name)
            if isinstance(value, str):
                check_text(value, f"`{name}`")
        find_method(self.method)
        check_own_data(self)
        if self.feature_columns is not None:
            object.__setattr__(self, "feature_columns", tuple(self.feature_columns))
        self._check_model_and_size()
        self._check_contradictions()
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, bool) or not isinstance(value, Integral):
                raise ValueError(f"`{name}` must be a whole number, found {excerpt(value)}.")
            if not low <= int(value) <= high:
                bound = f"at least {low}" if int(value) < low else f"at most {high}"
                raise ValueError(f"`{name}` must be {bound}, found {excerpt(value)}.")
        num_classes = DATA[self.benchmark].num_classes
        if num_classes is not None and (self.num_tasks or 0) > num_classes:
            raise ValueError(f"`num_tasks` must be in 1..{num_classes}, found {self.num_tasks}.")
        if self.overlap is not None and not 0.0 <= self.overlap <= 1.0:
            raise ValueError(f"`overlap` must be in [0, 1], found {self.overlap!r}.")
        if self.learning_rate is not None and not 0.0 < self.learning_rate < float("inf"):
            raise ValueError(f"`learning_rate` must be positive, found {self.learning_rate!r}.")
        if not 0.0 <= self.weight_decay < float("inf"):
            raise ValueError(
                f"`weight_decay` must be at least 0 and finite, found {self.weight_decay!r}."
            )

    def _check_model_and_size(self) -> None:
        if self.model is not None:
            check_model_name(self.model)
            if ":" in self.model:
                find_callable(self.model, "model")
        if self.size is None:
            return
        size = self.size if isinstance(self.size, Sequence) else ()
        if len(size) != 2 or not all(isinstance(n, int) and 0 < n < 2**15 for n in size):
            raise ValueError(
                f"`size` must be a height and a width in pixels, at least 1, found {self.size!r}."
            )
        object.__setattr__(self, "size", tuple(size))

    def _check_contradictions(self) -> None:
        """Refuse options that would have no effect beside others."""
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
        """Check that the data can be where the run looks for them; see ``Data.check``.

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
        """With the settings that apply where none are given."""
        own, published = DATA[self.benchmark], self.protocol is not None
        said = published or self.task_column is not None
        return replace(
            self,
            label_set=(self.label_set or 0) if published else None,
            timeline=(self.timeline or 0) if published else None,
            num_tasks=self.num_tasks if said else self.num_tasks or own.num_tasks,
            model=self.model or own.model,
            batch_size=own.batch_size if self.batch_size is None else self.batch_size,
            learning_rate=own.learning_rate if self.learning_rate is None else self.learning_rate,
            memory_per_class=(
                own.memory_per_class if self.memory_per_class is None else self.memory_per_class
            ),
        )

    def to_json(self) -> dict[str, Any]:
        """Everything needed to repeat the run, versions of the packages included."""
        packages = ("avalanche-emgd", "avalanche-lib", "torch", "torchvision", "torchjd", "numpy")
        return {**asdict(self.resolved()), "versions": {p: version(p) for p in packages}}


def published_streams(config: RunConfig) -> tuple[tuple[tuple[int, ...], ...], Timeline]:
    """Label sets and time line that a run's protocol gives, as they are.

    :param config: with a protocol.
    :raises ValueError: if the protocol is malformed, or not for the run's benchmark.
    """
    chosen = config.resolved()
    protocol = benchmarks.Protocol.load(str(chosen.protocol))
    num_classes = DATA[chosen.benchmark].num_classes
    if num_classes is not None and protocol.num_classes != num_classes:
        raise ValueError(
            f"`protocol` {chosen.protocol!r} is for {protocol.num_classes} classes, "
            f"but {chosen.benchmark} has {num_classes}."
        )
    return protocol.select(chosen.label_set or 0, chosen.timeline or 0)


def make_benchmark(config: RunConfig) -> ParallelBenchmark:
    """Build the benchmark of a run.

    :raises FileNotFoundError: if the data are not there.
    :raises ValueError: if the folder of the data is needed and not given, or as in
        ``published_streams``.
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
    for name in data.own:
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
        # In proportions; the generator fits it to the data.
        lengths = [1000] * int(chosen.num_tasks or 0)
        arguments["timeline"] = benchmarks.Timeline.overlapping(lengths, chosen.overlap)
    where = [str(chosen.data_root)] if data.needs else []
    if data.downloads:
        arguments["download"] = chosen.download
    return data.make(*where, **arguments)
