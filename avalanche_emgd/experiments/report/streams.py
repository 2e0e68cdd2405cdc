"""Pictures of streams, and of single runs on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, NullLocator

from ...benchmarks.gantt import draw_gantt, task_color
from ..pictures import draw_accuracies, plain
from ..records import Record
from .families import short_label

__all__ = [
    "Streams",
    "draw_losses",
    "draw_runs",
    "draw_timelines",
    "draw_trace",
    "has_losses",
    "has_trace",
    "streams_of",
]

_MEAN_OF = 5  # losses
_WEIGHT_TICKS = (0, 0.25, 0.5, 0.75, 1, 2, 5, 10, 20, 50, 100, 1000, 10000, 100000)


@dataclass(frozen=True)
class Streams:
    """A time line of runs of a study.

    :param title: words for label set and time line.
    :param names: names of the tasks.
    :param spans: (first tick, last tick) of each task.
    """

    title: str
    names: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]


def streams_of(records: Sequence[Record]) -> list[Streams]:
    """Return the different time lines of the finished runs, in order.

    :param records: records of a study.
    """
    found: dict[tuple[Any, ...], set[int]] = {}
    for record in records:
        if record["status"] == "done":
            names = tuple(task["name"] for task in record["tasks"])
            which = (record["label_set"], record["timeline"], names, tuple(_spans(record)))
            found.setdefault(which, set()).add(record["seed"])
    streams = [
        (
            (label_set or 0, timeline or 0, min(seeds)),
            Streams(_title(label_set, timeline, seeds), names, spans),
        )
        for (label_set, timeline, names, spans), seeds in found.items()
    ]
    return [each for _, each in sorted(streams, key=lambda pair: pair[0])]


def draw_timelines(streams: Sequence[Streams]) -> Figure:
    """Time lines side by side, three in a row, on the same scale.

    :param streams: streams, at least one.
    """
    columns = min(3, len(streams))
    rows = -(-len(streams) // columns)
    tasks = max(len(each.spans) for each in streams)
    figure = Figure(
        figsize=((7.0, 8.6, 10.2)[columns - 1], rows * (0.95 + 0.17 * tasks)), layout="constrained"
    )
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    ticks = max(last for each in streams for _, last in each.spans) + 1
    for ax, each in zip(axes, streams, strict=False):
        starts = {first for first, _ in each.spans} | {last + 1 for _, last in each.spans}
        draw_gantt(each.spans, each.names, sorted(starts)[1:-1], ax)
        ax.set_xlim(0, ticks)
        ax.set_title(each.title, fontsize=9)
        ax.tick_params(labelsize=7.5)
        ax.xaxis.label.set_size(8)
    for empty in axes[len(streams) :]:
        empty.set_axis_off()
    return figure


def draw_runs(records: Sequence[Record]) -> Figure:
    """Accuracy of each task over ticks of runs on the same streams, two side by side.

    :param records: records of different methods, at least one.
    """
    spans, names = _spans(records[0]), [task["name"] for task in records[0]["tasks"]]
    curves = {
        f"{short_label(record['method'])}: A_ē {100 * record['A_ebar']:.1f} %": [
            task["curve"] for task in record["tasks"]
        ]
        for record in records
    }
    return draw_accuracies(spans, names, curves, columns=min(2, len(curves)))


def draw_losses(records: Sequence[Record]) -> Figure:
    """Training losses of runs on the same streams over ticks, two panels side by side.

    Values are running means over five minibatches. Tasks have their colours, the memory of a task
    has dashed lines, and the whole memory black ones.

    :param records: records of different methods with traces of losses, at least one.
    """
    names, columns = [task["name"] for task in records[0]["tasks"]], min(2, len(records))
    rows = -(-len(records) // columns)
    figure = Figure(figsize=(1.5 + 4.2 * columns, 0.4 + 2.5 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for panel, (ax, record) in enumerate(zip(axes.ravel(), records, strict=False)):
        for objective, points in record["trace"]["loss"].items():
            ticks, values = zip(*points, strict=True)
            ax.plot(ticks, _running_mean(values), label=objective, **_style(objective, names))
        ax.set_title(plain(short_label(record["method"])), fontsize=10)
        ax.grid(alpha=0.25)
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_ylim(bottom=0.0)
        if panel % columns == 0:
            ax.set_ylabel("training loss")
        if panel + columns >= len(records):  # last panel of its column
            ax.set_xlabel("tick")
            ax.tick_params(labelbottom=True)
    for empty in axes.ravel()[len(records) :]:
        empty.set_axis_off()
    return figure


def _running_mean(values: Sequence[float]) -> list[float]:
    """Return the mean of each value and the four before it."""
    return [fmean(values[max(0, i - _MEAN_OF + 1) : i + 1]) for i in range(len(values))]


def has_losses(record: Record) -> bool:
    """Return whether a run has training losses to show."""
    return bool(record["trace"].get("loss"))


def has_trace(record: Record) -> bool:
    """Return whether a run has weights to show."""
    return bool(record["trace"].get("weight"))


def draw_trace(record: Record) -> Figure:
    """Weights λ of a run over ticks under the spans, and its elastic factors σ where it has them.

    Tasks have their colours, the memory of a task has dashed lines, and the whole memory black
    ones. The scale of the weights is linear up to 1 and logarithmic above.

    :param record: record of a run that :func:`has_trace`.
    """
    names, spans = [task["name"] for task in record["tasks"]], _spans(record)
    kinds = [kind for kind in ("weight", "sigma") if record["trace"].get(kind)]
    spans_height = 0.6 + 0.2 * len(spans)
    figure = Figure(figsize=(8.6, 0.6 + spans_height + 2.3 * len(kinds)), layout="constrained")
    axes = figure.subplots(
        1 + len(kinds), 1, sharex=True, height_ratios=[spans_height] + len(kinds) * [2.3]
    )
    draw_gantt(spans, names, (), axes[0])
    axes[0].set_xlabel("")
    for ax, kind in zip(axes[1:], kinds, strict=True):
        for objective, points in record["trace"][kind].items():
            ax.plot(*zip(*points, strict=True), label=objective, **_style(objective, names))
        ax.grid(alpha=0.25)
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_ylabel({"weight": "weight λ", "sigma": "elastic factor σ"}[kind])
        if kind == "sigma":
            ax.set_yscale("log")
        else:
            # A weight may be zero, and for a few ticks many times as large as the others.
            ax.set_yscale("symlog", linthresh=1.0)
            ax.set_ylim(0.0, 1.1 * max(1.0, ax.get_ylim()[1]))
            ax.set_yticks([tick for tick in _WEIGHT_TICKS if tick <= ax.get_ylim()[1]])
            ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
            ax.yaxis.set_minor_locator(NullLocator())
    axes[-1].set_xlabel("tick")
    return figure


def _style(objective: str, names: Sequence[str]) -> dict[str, Any]:
    """Solid lines for tasks, dashed ones for the memory of a task, black for the whole memory."""
    task = objective.removeprefix("memory-")
    if task not in names:
        return {"color": "black", "linewidth": 1.0}
    dashes = "-" if objective == task else "--"
    return {"color": task_color(names.index(task)), "linewidth": 1.3, "linestyle": dashes}


def _title(label_set: int | None, timeline: int | None, seeds: Iterable[int]) -> str:
    if label_set is not None:
        return f"label set {label_set}, time line {timeline}"
    first, *others = sorted(seeds)
    return f"seeds {', '.join(map(str, (first, *others)))}" if others else f"seed {first}"


def _spans(record: Record) -> list[tuple[int, int]]:
    return [(first, last) for first, last in (task["span"] for task in record["tasks"])]
