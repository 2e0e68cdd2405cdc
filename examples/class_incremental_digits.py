"""Class-incremental digits: EMGDStrategy in the place of Naive with ReplayPlugin.

An ordinary Avalanche benchmark of five experiences with two classes each, three epochs for each
experience, a memory of 50 samples. Takes seconds; nothing is downloaded.

    python examples/class_incremental_digits.py                     # Avalanche's log of one run
    python examples/class_incremental_digits.py --seeds 3,4,5,6,7   # a table
"""

import argparse
import statistics

import torch
from avalanche.benchmarks import nc_benchmark
from avalanche.evaluation.metrics import accuracy_metrics, forgetting_metrics, loss_metrics
from avalanche.logging import InteractiveLogger
from avalanche.models import SimpleMLP
from avalanche.training import Naive
from avalanche.training.plugins import EvaluationPlugin, ReplayPlugin
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import TensorDataset

from avalanche_emgd import AvgGradStrategy, EMGDStrategy
from avalanche_emgd.evaluation import quiet_evaluator

MEMORY = 50  # samples


def emgd(model, optimizer, **common):
    return EMGDStrategy(model, optimizer=optimizer, memory_size=MEMORY, **common)


def average(model, optimizer, **common):
    return AvgGradStrategy(model, optimizer=optimizer, memory_size=MEMORY, **common)


def replay(model, optimizer, **common):
    return Naive(model=model, optimizer=optimizer, plugins=[ReplayPlugin(MEMORY)], **common)


# Each with the learning rate that is best for it on seeds 0, 1 and 2.
METHODS = {
    "EMGDStrategy": (emgd, 0.001),
    "AvgGradStrategy": (average, 0.01),
    "Naive + ReplayPlugin": (replay, 0.0005),
}


def split_digits(seed):
    """scikit-learn's 8×8 digits, two classes for each of five experiences."""
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 8 - 1
    labels = torch.tensor(digits.target)
    parts = train_test_split(range(len(labels)), test_size=360, stratify=labels, random_state=0)
    train, test = (TensorDataset(images[part], labels[part]) for part in parts)
    for dataset in (train, test):
        dataset.targets = dataset.tensors[1].tolist()
    return nc_benchmark(train, test, n_experiences=5, task_labels=False, seed=seed)


def train_and_test(make, learning_rate, evaluator, *, seed, epochs):
    """Accuracy on the test images of all ten classes, after the last experience."""
    torch.manual_seed(seed)
    benchmark = split_digits(seed)
    model = SimpleMLP(num_classes=10, input_size=64, hidden_size=128, drop_rate=0.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    strategy = make(model, optimizer, train_mb_size=32, train_epochs=epochs, evaluator=evaluator)
    for experience in benchmark.train_stream:
        strategy.train(experience)
        results = strategy.eval(benchmark.test_stream)
    return results["Top1_Acc_Stream/eval_phase/test_stream/Task000"]


def log_one_run(seed, epochs):
    evaluator = EvaluationPlugin(
        accuracy_metrics(epoch=True, experience=True, stream=True),
        loss_metrics(epoch=True, experience=True),
        forgetting_metrics(experience=True, stream=True),
        loggers=[InteractiveLogger()],
    )
    make, learning_rate = METHODS["EMGDStrategy"]
    train_and_test(make, learning_rate, evaluator, seed=seed, epochs=epochs)


def compare(seeds, epochs, learning_rate=None):
    print(f"{'':22}{'learning rate':>14}{'mean':>8}{'std':>7}   of {len(seeds)} seeds, percent")
    for name, (make, own_rate) in METHODS.items():
        rate = own_rate if learning_rate is None else learning_rate
        found = [
            100 * train_and_test(make, rate, metrics(), seed=seed, epochs=epochs) for seed in seeds
        ]
        spread = statistics.stdev(found) if len(found) > 1 else float("nan")
        each = " ".join(f"{value:.1f}" for value in found)
        print(f"{name:22}{rate:14}{statistics.mean(found):8.1f}{spread:7.1f}   {each}", flush=True)


def metrics():
    return quiet_evaluator(accuracy_metrics(stream=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Class-incremental digits with EMGD.")
    parser.add_argument("--seeds", help="compare three methods on these seeds, such as 3,4,5,6,7")
    parser.add_argument("--epochs", type=int, default=3, help="for each experience, by default 3")
    parser.add_argument("--learning-rate", type=float, help="by default, the best for each method")
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # a network as small as this gains nothing from more
    if arguments.seeds is None:
        log_one_run(seed=3, epochs=arguments.epochs)
    else:
        seeds = [int(seed) for seed in arguments.seeds.split(",")]
        compare(seeds, arguments.epochs, arguments.learning_rate)
