"""Soak of live streams: memory and time per tick stay flat over many tasks, segments and ticks.

    python -m benchmarks.soak                        # 200 tasks, 2,000 segments, 100,000 ticks
    python -m benchmarks.soak --ticks 5000 --tasks 20 --segments 100

Tasks of random classes come, end and return at random; EMGD with a replay memory trains the MLP of
PS-EMNIST. All classes come in the first tenth. For each tenth of the ticks, the script prints the
resident memory at its end and the median processor time of its ticks. Other programs do not change
processor times. The script also prints the growth from the second tenth to the last one; the exit
status is 1 if it is more than 5 percent.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import sys
import time
from array import array
from collections.abc import Callable

import psutil
import torch
from avalanche.core import SupervisedPlugin
from torch.utils.data import TensorDataset

from avalanche_emgd import MLP, EMGDStrategy
from avalanche_emgd.benchmarks.live import LiveStream

CLASSES, PIXELS, MEMORY = 62, 784, 310
ALLOWED = 0.05


class Soak(SupervisedPlugin):
    """Adds tasks so that the given number of segments and ticks results, and measures.

    Each boundary between two segments is the start of a task. Tasks are so long that three of them
    are active at most times; one that is to start while it is active waits for its turn.
    """

    def __init__(
        self, stream: LiveStream, ticks: int, tasks: int, segments: int, batch_size: int
    ) -> None:
        super().__init__()
        self.stream, self.ticks, self.tasks = stream, ticks, tasks
        self.batch_size = batch_size
        self.random = random.Random(0)
        self.draw = torch.Generator().manual_seed(0)
        self.centres = torch.randn(CLASSES, PIXELS, generator=self.draw)
        # A task begins and ends: each makes a segment.
        rounds = max(1, segments // 2)
        self.every = max(1, ticks // rounds)
        self.added = 0
        self.times = array("d")
        self.memory: list[float] = []
        self.process = psutil.Process()
        self._before = 0.0

    def add(self) -> None:
        """Add the next task that is not active; all tasks come once before any returns."""
        active = {task.name for task in self.stream.tasks if task.is_active}
        for _ in range(self.tasks):
            number = self.added % self.tasks
            self.added += 1
            if f"task{number}" not in active:
                break
        else:
            return
        first = 4 * number % CLASSES
        classes = torch.arange(first, first + 4) % CLASSES
        size = self.batch_size * round(self.every * self.random.uniform(2.0, 4.0))
        y = classes[torch.randint(4, (size,), generator=self.draw)]
        x = self.centres[y] + torch.randn(size, PIXELS, generator=self.draw)
        self.stream.add_task(TensorDataset(x, y), name=f"task{number}", classes=classes.tolist())

    def before_training_iteration(self, strategy: EMGDStrategy, **kwargs: object) -> None:
        """Take the processor time."""
        self._before = time.process_time()

    def after_training_iteration(self, strategy: EMGDStrategy, **kwargs: object) -> None:
        """Take the processor time, and add a task if one is due."""
        self.times.append(time.process_time() - self._before)
        done = self.stream.tick
        if done % self.every == 0:
            self.add()
        if done % (self.ticks // 10) == 0:
            gc.collect()
            self.memory.append(self.process.memory_info().rss / 2**20)
        if done == self.ticks:
            self.stream.stop()


def soak(
    ticks: int,
    tasks: int,
    segments: int,
    batch_size: int = 16,
    keep: Callable[[EMGDStrategy], object] = lambda strategy: None,
) -> tuple[Soak, LiveStream]:
    """Train on a stream of the given size; return the measurements.

    :param keep: function that is called with the strategy at the end.
    """
    torch.manual_seed(0)
    stream = LiveStream(batch_size=batch_size)
    model = MLP(1, in_features=PIXELS)
    plugin = Soak(stream, ticks, tasks, segments, batch_size)
    # All classes come in the first tenth, so that the network has its size from then on.
    plugin.add()
    strategy = EMGDStrategy(
        model,
        optimizer=torch.optim.Adam(model.parameters(), lr=1e-3),
        memory_size=MEMORY,
        plugins=[plugin],
        evaluator=None,
    )
    strategy.train(stream)
    keep(strategy)
    return plugin, stream


def tenths(plugin: Soak) -> list[tuple[float, float]]:
    """Return (memory in MiB, median time of a tick in ms) of each tenth."""
    size = len(plugin.times) // 10
    parts = [plugin.times[k * size : (k + 1) * size] for k in range(10)]
    medians = [1000.0 * statistics.median(part) for part in parts]
    return list(zip(plugin.memory, medians, strict=True))


def differences(found: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the relative growth of memory and of time from the second to the last tenth."""
    (memory, first), (last_memory, last) = found[1], found[-1]
    return last_memory / memory - 1.0, last / first - 1.0


def main() -> int:
    parser = argparse.ArgumentParser(description="Soak of live streams.")
    parser.add_argument("--ticks", type=int, default=100_000)
    parser.add_argument("--tasks", type=int, default=200)
    parser.add_argument("--segments", type=int, default=2_000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    plugin, stream = soak(arguments.ticks, arguments.tasks, arguments.segments)
    print(
        f"{len(stream.tasks)} tasks, {stream.num_segments} segments, {stream.tick} ticks, "
        f"{sum(task.rounds for task in stream.tasks)} starts"
    )
    found = tenths(plugin)
    for number, (memory, milliseconds) in enumerate(found, 1):
        print(f"tenth {number:2}: {memory:8.1f} MiB  {milliseconds:6.3f} ms per tick")
    memory, seconds = differences(found)
    print(f"from the second to the last tenth: memory {memory:+.1%}, time per tick {seconds:+.1%}")
    return int(max(memory, seconds) > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
