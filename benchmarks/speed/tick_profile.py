"""Where the time of a tick goes: a flame graph of EMGD's training loop."""

from __future__ import annotations

import random
import signal
import warnings
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import matplotlib as mpl
import torch
import typer
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from avalanche_emgd import MLP

from .clock import seconds
from .strategy import emgd
from .streams import IMAGE, equal_tasks

_INTERVAL = 0.002  # seconds between two looks, on average
_LOOP = "training_epoch"  # Avalanche's name of the loop over ticks
_WORTH_A_LABEL = 0.02

# Parts of a tick and how the names of their outermost frames end; the first that is found counts.
_PARTS = (
    ("loading", "loader.__iter__"),
    ("model, forward", "utils.avalanche_forward"),
    ("hooks, masks", "update.forward"),
    ("losses", "update.criterion"),
    ("backward to the layers' outputs", "__init__.grad"),
    ("Gramian", ".gramian"),
    ("n gradients from that", "update._differentiate"),
    ("elastic factors and dual", "update.weigh"),
    ("weighted sum", "update.combine"),
    ("weighted sum", "gradient_space.assign"),
    ("Adam", "base_sgd.optimizer_step"),
    ("Adam", "optimizer.zero_grad"),
    ("Avalanche's loop and everything else", ""),
)

Stack = tuple[str, ...]


class Sampler:
    """Looks at the stack of the main thread, at random intervals.

    At regular ones, ticks of nearly a multiple of these would be seen at a few places only.
    """

    def __init__(self) -> None:
        self.stacks: Counter[Stack] = Counter()
        """How often each stack was seen, from the loop over ticks inwards."""

    def __enter__(self) -> Sampler:
        signal.signal(signal.SIGALRM, self._look)
        self._again()
        return self

    def __exit__(self, *exception: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0.0)

    def _again(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.5, 1.5) * _INTERVAL)

    def _look(self, _: int, frame: FrameType | None) -> None:
        self._again()
        names: list[str] = []
        while frame is not None:
            code = frame.f_code
            if code.co_name == _LOOP:
                self.stacks[tuple(reversed(names))] += 1
                return
            names.append(f"{Path(code.co_filename).stem}.{code.co_name}")
            frame = frame.f_back


def parts_of(stacks: Counter[Stack]) -> dict[str, float]:
    """Share of time of each part of a tick."""
    found = dict.fromkeys((part for part, _ in _PARTS), 0.0)
    for stack, count in stacks.items():
        names = ["", *stack]
        part = next(part for part, end in _PARTS if any(n.endswith(end) for n in names))
        found[part] += count / sum(stacks.values())
    return found


def flame_graph(stacks: Counter[Stack], title: str) -> Figure:
    """Draw callers above what they call, as wide as the share of time that they take."""
    figure = Figure(figsize=(14, 6), layout="constrained")
    axes = figure.subplots()
    colours = mpl.colormaps["YlOrRd"]
    total = sum(stacks.values())

    def draw(some: dict[Stack, int], left: float, depth: int) -> None:
        inner: dict[str, dict[Stack, int]] = {}
        for stack, count in sorted(some.items()):
            if stack:
                inner.setdefault(stack[0], {})[stack[1:]] = count
        for name, rest in inner.items():
            share = sum(rest.values()) / total
            shade = colours(0.15 + 0.5 * (hash_of(name) % 97) / 97)
            axes.barh(-depth, share, 0.94, left, align="center", color=shade, edgecolor="white")
            if share > _WORTH_A_LABEL:
                label = f"{name} {share:.0%}"
                text = axes.text(left + 0.003, -depth, label, va="center", fontsize=7, clip_on=True)
                text.set_clip_path(axes.patches[-1])
            draw(rest, left, depth + 1)
            left += share

    draw(dict(stacks), 0.0, 0)
    axes.set_xlim(0.0, 1.0)
    axes.set_yticks([])
    axes.set_xlabel("share of the time of the loop over ticks")
    axes.set_title(title, fontsize=10)
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    return figure


def hash_of(name: str) -> int:
    """Give a number that is the same in every run, for the colour."""
    return sum((place + 1) * ord(letter) for place, letter in enumerate(name))


def main(
    objectives: Annotated[int, typer.Option(help="Tasks that stream together.")] = 3,
    batch_size: Annotated[int, typer.Option(help="Samples of each at a tick.")] = 128,
    ticks: Annotated[int, typer.Option(help="Of one run.")] = 300,
    runs: Annotated[int, typer.Option(help="To look at, after one to get warm.")] = 8,
    threads: Annotated[int, typer.Option(help="Of torch.")] = 2,
    output: Annotated[Path, typer.Option(help="Directory to write to.")] = Path("runs/profile"),
) -> None:
    """Train the MLP on noise, print the parts of a tick, and write a flame graph and its stacks.

    `stacks.txt` is in the format that flame graph tools and speedscope read.

    Example: python -m benchmarks.speed.tick_profile --objectives 10 --batch-size 10
    """
    torch.set_num_threads(threads)
    warnings.simplefilter("ignore")  # Avalanche's, about its own deprecations
    stream = equal_tasks(objectives, batch_size, ticks, IMAGE)

    def run() -> Any:
        torch.manual_seed(0)
        return emgd(stream, MLP(6 * objectives))

    seconds(run())
    sampler, times = Sampler(), []
    for _ in range(runs):
        work = run()
        with sampler:
            times.append(seconds(work) / ticks)
    milliseconds = 1000 * sorted(times)[len(times) // 2]
    output.mkdir(parents=True, exist_ok=True)
    lines = [f"{';'.join(stack)} {count}\n" for stack, count in sorted(sampler.stacks.items())]
    (output / "stacks.txt").write_text("".join(lines), encoding="utf-8")
    title = (
        f"EMGD, MLP, {objectives} objectives of {batch_size} samples: "
        f"{milliseconds:.1f} ms a tick, {threads} threads"
    )
    flame_graph(sampler.stacks, title).savefig(output / "flame_graph.png", dpi=110)
    table = Table("part", "ms", title=title)
    for part, share in parts_of(sampler.stacks).items():
        table.add_row(part, f"{share * milliseconds:.2f}")
    console = Console()
    console.print(table)
    console.print(f"Saved: {output / 'flame_graph.png'}", soft_wrap=True)


if __name__ == "__main__":
    typer.run(main)
