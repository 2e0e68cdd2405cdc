r"""Conditions that break EMGD, the plain average and experience replay, and others.

Example::

    python benchmarks/studies/break_conditions.py --output runs/break-conditions \
        --picture docs/images/break_conditions.png

PS-Digits in the class-incremental scenario, five random tasks with overlap. Each condition changes
one thing: the loss, the labels or the size of one stream, the editing of the memory, or how far the
weights relax objectives. All methods see the same streams, three seeds each. Prints a table in
Markdown and draws it; finished runs are kept in the output directory and not repeated. About three
minutes on one core.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Annotated, Any

import numpy as np
import torch
import typer
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor
from torch.utils.data import TensorDataset
from torchjd.aggregation import MeanWeighting

from avalanche_emgd import MLP, MultiGradientTemplate, ParallelBenchmark, parallel_benchmark
from avalanche_emgd.benchmarks import Part, Timeline, span_lengths
from avalanche_emgd.evaluation import PCLMetrics, quiet_evaluator
from avalanche_emgd.optim import GMC, EMGDWeighting
from avalanche_emgd.optim.peers import ERWeighting
from avalanche_emgd.training.plugins import MultiGradientPlugin, SetupWatchPlugin

SEEDS = (3, 4, 5)
TASKS, BATCH, MEMORY, RATE = 5, 4, 50, 0.003
HURT = 1  # the stream that a condition changes: the second, which others overlap on both sides
NOISE, FACTOR, TIMES = 0.4, 100.0, 10

WARNED = ("the directions of", "the first loss of", "`radius`")  # how the warnings begin


class SumOne(EMGDWeighting):
    """The weights of EMGD, scaled to the sum one in the place of mean(1/σ) = 1."""

    def _weights(self, gramian: Tensor, objectives: Sequence[Hashable]) -> Tensor:
        weights = super()._weights(gramian, objectives)
        return weights / weights.sum()


METHODS: dict[str, Callable[[], Any]] = {
    "EMGD": lambda: EMGDWeighting("gmc"),
    "EMGD, p = 1": lambda: EMGDWeighting(GMC(1.0, 0.0, 0.0)),
    "EMGD, p = 1, Σλ = 1": lambda: SumOne(GMC(1.0, 0.0, 0.0)),
    "MGDA (σ = 1)": lambda: EMGDWeighting("mgda"),
    "average": MeanWeighting,
    "ER": ERWeighting,
}


@dataclass(frozen=True)
class Condition:
    """Difference from an ordinary run.

    :param factor: factor of the loss of the changed stream.
    :param noise: share of the changed stream's training labels that are wrong.
    :param others: divisor of the number of the other streams' samples.
    :param times: length of the changed stream, in lengths of the others.
    :param editing: editing of the memory.
    :param optimizer: optimizer of the model.
    :param idle: whether there is one more replayed objective, with a millionth of a loss.
    """

    factor: float = 1.0
    noise: float = 0.0
    others: int = 1
    times: int = 1
    editing: Mapping[str, Any] | None = None
    optimizer: str = "adam"
    idle: bool = False


CONDITIONS: dict[str, Condition] = {
    "nothing": Condition(),
    "loss × 100": Condition(factor=FACTOR),
    "40 % wrong labels": Condition(noise=NOISE),
    "all streams a quarter": Condition(others=4),
    "one stream ten times as large": Condition(others=4, times=TIMES),
    "editing, defaults": Condition(editing={}),
    "editing, step 5": Condition(editing={"step": 5.0}),
    "editing, step 5, radius 50": Condition(editing={"step": 5.0, "radius": 50.0}),
    "SGD": Condition(optimizer="sgd"),
    "SGD, one more replay, converged": Condition(optimizer="sgd", idle=True),
}


class Changed(MultiGradientTemplate):
    """Multi-gradient descent with another scale of one stream's loss."""

    condition = Condition()

    def objective_loss(self, output: Tensor, part: Part) -> Tensor:
        """Cross-entropy, times a factor for the changed stream."""
        loss = super().objective_loss(output, part)
        if part.objective == "idle":
            return 1e-6 * loss
        return self.condition.factor * loss if part.objective == f"task{HURT}" else loss


class Idle(MultiGradientPlugin):
    """Adds replayed samples that the model knows, with hardly a loss and hardly a gradient."""

    def before_forward(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Append it to the minibatch."""
        part = strategy.mbatch.parts[0]
        samples = [tensor[part.start : part.stop] for tensor in strategy.mbatch[:3]]
        strategy.mbatch.append_objective("idle", samples, replayed=True)


class Lengths(MultiGradientPlugin):
    """Length of the direction, as a share of the mean length of the gradients."""

    def __init__(self) -> None:
        super().__init__()
        self.shares: list[float] = []

    def after_weighting(self, strategy: Any, *args: Any, **kwargs: Any) -> None:
        """Record the length where a gradient is not zero."""
        gramian, weights = strategy.gramian, strategy.weights
        if len(weights) > 1:
            mean = float(gramian.diagonal().clamp(min=0.0).sqrt().mean())
            length = float(weights @ gramian @ weights) ** 0.5
            self.shares.append(length / mean if mean else 0.0)


def main(
    output: Annotated[Path, typer.Option(help="Directory for the finished runs.")],
    picture: Annotated[Path, typer.Option(help="Picture to write.")],
) -> None:
    """Run what is missing, print the table and draw it."""
    torch.set_num_threads(1)
    say = Console(soft_wrap=True, markup=False, highlight=False).print
    cells = [(c, m, s) for c in CONDITIONS for m in METHODS for s in SEEDS]
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for condition, method, seed in track(cells, "runs"):
        path = output / f"{condition}, {method}, {seed}.json".replace("/", " ")
        if not path.exists():
            measured = run(CONDITIONS[condition], METHODS[method], seed)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(measured))
        found.setdefault((condition, method), []).append(json.loads(path.read_text()))
    names = ("A_ē", "changed stream", "others", "‖d‖ ÷ mean ‖g‖", "warned")
    say("| condition | method | " + " | ".join(names) + " |")
    say("|---|---|" + "---:|" * len(names))
    for (condition, method), runs in found.items():
        values = [scatter([100.0 * r[key] for r in runs]) for key in ("all", "changed", "others")]
        length = f"{fmean(r['length'] for r in runs):.2g}"
        warned = f"{sum(r['warnings'] > 0 for r in runs)} of {len(runs)}"
        say(f"| {condition} | {method} | " + " | ".join([*values, length, warned]) + " |")
    draw(found).savefig(picture, dpi=150)


def scatter(values: list[float]) -> str:
    """Mean ± standard deviation."""
    return f"{fmean(values):.1f} ± {stdev(values):.1f}"


def run(condition: Condition, weighting: Callable[[], Any], seed: int) -> dict[str, float]:
    """Accuracies at the end: of all tasks, of the changed one and of the others."""
    warnings.filterwarnings("ignore", message="No loggers specified")
    streams = make_benchmark(condition, seed)
    torch.manual_seed(seed)
    model = MLP(10, in_features=64)
    kind = torch.optim.Adam if condition.optimizer == "adam" else torch.optim.SGD
    metrics, lengths = PCLMetrics(streams), Lengths()
    strategy = Changed(
        model,
        optimizer=kind(model.parameters(), lr=RATE if condition.optimizer == "adam" else 0.05),
        weighting=weighting(),
        memory_size=MEMORY,
        memory_editing=condition.editing,
        seed=seed,
        plugins=[*([Idle()] if condition.idle else []), lengths, SetupWatchPlugin()],
        evaluator=quiet_evaluator(metrics),
    )
    strategy.condition = condition
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        strategy.train(streams.train_stream)
    result = metrics.result()
    assert result is not None
    others = [value for task, value in enumerate(result.final) if task != HURT]
    return {
        "all": result.A_ebar,
        "changed": result.final[HURT],
        "others": fmean(others),
        "length": fmean(lengths.shares),
        "warnings": sum(str(each.message).startswith(WARNED) for each in said),
    }


def make_benchmark(condition: Condition, seed: int) -> ParallelBenchmark:
    """PS-Digits by hand: two random digits for each task, and a random time line."""
    rng = np.random.default_rng(seed)
    digits = load_digits()
    images = torch.from_numpy((digits.images / 8.0 - 1.0).astype(np.float32)).unsqueeze(1)
    labels = torch.from_numpy(digits.target.astype(np.int64))
    split = train_test_split(
        np.arange(len(labels)), test_size=360, stratify=digits.target, random_state=0
    )
    sets: list[list[TensorDataset]] = [[], []]
    for task, classes in enumerate(rng.permutation(10).reshape(TASKS, 2)):
        for part, rows in enumerate(split):
            own = rng.permutation(rows[np.isin(digits.target[rows], classes)])
            y = labels[own].clone()
            if part == 0:
                size = len(own) // condition.others
                own, y = own[:size], y[:size]
                if task == HURT:
                    wrong = torch.from_numpy(rng.random(len(own)) < condition.noise)
                    y[wrong] = int(classes.sum()) - y[wrong]  # the other one of the two
                    places = np.resize(np.arange(size), size * condition.times)
                    own, y = own[places], y[places]
            sets[part].append(TensorDataset(images[own], y))
    lengths = span_lengths([len(data) for data in sets[0]], BATCH)
    return parallel_benchmark(
        *sets,
        Timeline.overlapping(lengths, 0.5),
        batch_size=BATCH,
        scenario="class",
        seed=seed,
    )


def draw(found: dict[tuple[str, str], list[dict[str, float]]]) -> Figure:
    """A_ē of each method under each condition, with one dot per seed."""
    figure = Figure(figsize=(8.0, 0.75 * len(CONDITIONS) + 1.2), layout="constrained")
    axes = figure.subplots()
    for index, method in enumerate(METHODS):
        for row, condition in enumerate(CONDITIONS):
            values = [100.0 * each["all"] for each in found[condition, method]]
            place = row + 0.14 * (index - (len(METHODS) - 1) / 2)
            axes.plot(values, [place] * len(values), ".", color=f"C{index}", alpha=0.4)
            label = method if row == 0 else None
            axes.plot(fmean(values), place, "D", color=f"C{index}", markersize=5, label=label)
    for row in range(1, len(CONDITIONS)):
        axes.axhline(row - 0.5, color="0.85", linewidth=0.8)
    axes.set_yticks(range(len(CONDITIONS)), list(CONDITIONS))
    axes.set_ylim(len(CONDITIONS) - 0.5, -0.5)
    axes.set_xlabel("A_ē, percent")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


if __name__ == "__main__":
    typer.run(main)
