"""A live stream of digits: three sources that start and stop by themselves, for 5,000 ticks.

Three generators deliver scikit-learn's 8×8 digits, each with its own classes. A thread starts them
at times that the training does not know. They end by themselves, and the first one returns. The
network begins with one output and grows. In the middle the run is interrupted, and goes on from its
last checkpoint. Takes about a minute; nothing is downloaded.

    python examples/live_streams.py [--ticks 5000] [--picture live_streams.png]

With --checkpoint run.pt the run is yours to interrupt or to kill: call the same command again.
"""

import argparse
import random
import sys
import tempfile
import threading
from pathlib import Path

import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import TensorDataset

from avalanche_emgd import (
    MLP,
    CheckpointPlugin,
    EMGDStrategy,
    LiveStream,
    live_metrics,
    load_checkpoint,
)
from avalanche_emgd.evaluation import quiet_evaluator
from avalanche_emgd.training import TrainingStopped
from avalanche_emgd.training.plugins import MultiGradientPlugin

CLASSES = {"even": [0, 2, 4], "odd": [1, 3, 5], "high": [6, 7, 8, 9]}
# (share of the ticks at which it starts, share of the ticks that it lasts)
SPANS = [("even", 0.0, 0.5), ("odd", 0.2, 0.4), ("high", 0.45, 0.4), ("even", 0.8, 0.2)]
BATCH = 8


def digits():
    """Training and test images of each source, by its name."""
    data = load_digits()
    images = torch.tensor(data.images, dtype=torch.float32).flatten(1) / 8 - 1
    labels = torch.tensor(data.target)
    parts = train_test_split(range(len(labels)), test_size=360, stratify=labels, random_state=0)
    found = {}
    for name, classes in CLASSES.items():
        chosen = [[i for i in part if int(labels[i]) in classes] for part in map(sorted, parts)]
        found[name] = [TensorDataset(images[each], labels[each]) for each in chosen]
    return found


class Camera:
    """Random images of one source, a given number of them; can be read again from its start."""

    def __init__(self, data, size, seed):
        self.data, self.size, self.seed = data, size, seed

    def __iter__(self):
        draw = random.Random(self.seed)
        return (self.data[draw.randrange(len(self.data))] for _ in range(self.size))


class World(MultiGradientPlugin):
    """Starts cameras in another thread, when the stream has come to their ticks."""

    def __init__(self, stream, ticks, data):
        super().__init__()
        self.stream, self.ticks, self.data = stream, ticks, data

    def add(self, name, length):
        """Add a camera."""
        train, test = self.data[name]
        size = max(1, round(length * self.ticks)) * BATCH
        camera = Camera(train, size, seed=len(name) + size)
        self.stream.add_task(camera, classes=CLASSES[name], name=name, test=test)

    def add_again(self, active):
        """Add data of active cameras, and tests of the others, which a checkpoint lacks."""
        done = {task.name: task.rounds for task in self.stream.tasks}  # rounds that have ended
        for name in active:
            spans = [span for span in SPANS if span[0] == name]
            self.add(name, spans[done.get(name, 0)][2])
        for name in done:
            if name not in active:
                self.stream.set_test(name, self.data[name][1])
        self.close_in_time()

    def close_in_time(self):
        """Close the stream when the last camera has been added."""
        if self.stream.tick >= round(SPANS[-1][1] * self.ticks):
            self.stream.close()

    def after_training_iteration(self, strategy, **kwargs):
        """Start the cameras whose time has come."""
        for name, start, length in SPANS:
            if start and self.stream.tick == round(start * self.ticks):
                thread = threading.Thread(target=self.add, args=(name, length))
                thread.start()
                thread.join()  # so that two runs are the same
        self.close_in_time()


class Interruption(MultiGradientPlugin):
    """Stops the run after a tick, without a checkpoint of this tick."""

    def __init__(self, tick):
        super().__init__()
        self.tick = tick

    def state_dict(self):
        """Return nothing: the resumed run has no interruption."""
        return {}

    def load_state_dict(self, state):
        """Restore nothing."""

    def after_tick(self, strategy, **kwargs):
        """Stop."""
        if strategy.tick == self.tick:
            raise KeyboardInterrupt


def run(ticks, path, *plugins):
    """Train from the start, or from a checkpoint if there is one."""
    data = digits()
    torch.manual_seed(0)
    model = MLP(1, in_features=64, hidden=(64, 32))
    stream = LiveStream(batch_size=BATCH, max_wait=60.0)
    (metrics,) = live_metrics(stream, every=max(1, ticks // 100))
    world = World(stream, ticks, data)
    checkpoint = CheckpointPlugin(path, every=max(1, ticks // 50))
    strategy = EMGDStrategy(
        model,
        optimizer=torch.optim.Adam(model.parameters(), lr=0.001),
        memory_size=60,
        plugins=[world, checkpoint, *plugins],
        evaluator=quiet_evaluator(metrics),
    )
    if checkpoint.path.exists():
        state = load_checkpoint(path)
        active = stream.load_state_dict(state)
        world.add_again(active)
        strategy.load_state_dict(state)
        print(f"resumed at tick {stream.tick} with {', '.join(active) or 'no source'}")
    else:
        world.add(SPANS[0][0], SPANS[0][2])
    with checkpoint.stopping():
        strategy.train(stream)
    return stream, metrics


def run_with_an_interruption(ticks):
    """Train for a good half of the ticks, interrupt, and go on with new objects."""
    with tempfile.TemporaryDirectory() as folder:
        interruption = Interruption(round(0.55 * ticks))
        try:
            run(ticks, Path(folder) / "run.pt", interruption)
        except KeyboardInterrupt:
            print(f"interrupted at tick {interruption.tick}")
        return run(ticks, Path(folder) / "run.pt")


def draw(metrics, path):
    """Accuracy of each task over the ticks, as a picture."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for name, curve in metrics.history.items():
        ticks, accuracies = zip(*curve, strict=True)
        axes.plot(ticks, [100 * each for each in accuracies], label=name)
    axes.set(xlabel="tick", ylabel="test accuracy (%)", ylim=(0, 100))
    axes.legend(title="source")
    figure.savefig(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="EMGD on a live stream of digits.")
    parser.add_argument("--ticks", type=int, default=5000, help="by default 5000")
    parser.add_argument("--picture", default="live_streams.png", help="where the curves go")
    parser.add_argument("--checkpoint", help="file to go on from, without an interruption")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # a network as small as this gains nothing from more
    if arguments.checkpoint is None:
        stream, metrics = run_with_an_interruption(arguments.ticks)
    else:
        try:
            stream, metrics = run(arguments.ticks, arguments.checkpoint)
        except TrainingStopped as stop:
            sys.exit(str(stop))
    for task in stream.tasks:
        print(
            f"{task.name:5} classes {task.classes}, added {task.rounds}×, {task.ticks} ticks, "
            f"{task.samples} samples, {100 * metrics.at_end[task.name]:.1f} % at its end, "
            f"{100 * metrics.final[task.name]:.1f} % at last"
        )
    result = metrics.result()
    print(
        f"{stream.tick} ticks, {stream.num_segments} segments: A_e {100 * result.A_e:.1f}, "
        f"A_ebar {100 * result.A_ebar:.1f}, F_ebar {100 * result.F_ebar:+.1f}"
    )
    draw(metrics, arguments.picture)
