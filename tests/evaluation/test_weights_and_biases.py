"""Values that reach Weights & Biases: with a stand-in, and with the real package offline."""

import pickle
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from avalanche.evaluation.metric_results import AlternativeValues, MetricValue, TensorImage
from avalanche.evaluation.metrics import WeightCheckpoint, accuracy_metrics
from avalanche.logging import WandBLogger as AvalancheWandBLogger
from avalanche.training.plugins import EvaluationPlugin
from matplotlib.figure import Figure
from PIL import Image

from avalanche_emgd import gradient_diagnostics, pcl_metrics
from avalanche_emgd.evaluation import WandBLogger
from tests.toy import toy_benchmark
from tests.training.common import toy_strategy


class Kept(SimpleNamespace):
    """Record of a converted value."""


class Run:
    def __init__(self, **arguments):
        self.arguments = arguments
        self.id = arguments.get("id") or "made-up"
        self.entries, self.axes, self.artifacts = [], {}, []

    def define_metric(self, name, step_metric=None):
        self.axes[name] = step_metric

    def log(self, entry):
        self.entries.append(entry)

    def log_artifact(self, artifact):
        self.artifacts.append(artifact)


class Artifact:
    def __init__(self, name, type, metadata):
        self.name, self.kind, self.metadata, self.files = name, type, metadata, []

    def add_file(self, path, name):
        self.files.append(name)


class StandIn:
    """Stand-in with exactly the public names of wandb that the logger may use."""

    __version__ = "0"
    plot = SimpleNamespace(CustomChart=type("CustomChart", (), {}))
    Artifact = Artifact

    def __init__(self):
        self.runs = []

    @property
    def run(self):
        return self.runs[-1]

    def init(self, **arguments):
        self.runs.append(Run(**arguments))
        return self.run

    @staticmethod
    def Image(image):  # noqa: N802  # wandb's name
        shape = None if isinstance(image, Figure) else np.asarray(image).shape
        return Kept(kind="image", shape=shape)

    @staticmethod
    def Histogram(np_histogram):  # noqa: N802
        return Kept(kind="histogram", total=int(np_histogram[0].sum()))


@pytest.fixture
def wandb(monkeypatch):
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "wandb", stand_in)
    monkeypatch.delenv("WANDB_RUN_ID", raising=False)
    return stand_in


def values(step, **named):
    return [MetricValue(None, name, value, step) for name, value in named.items()]


def test_the_fault_of_avalanches_logger(wandb):
    with pytest.raises(AttributeError):
        AvalancheWandBLogger()


def test_arguments_reach_the_run(wandb, tmp_path):
    WandBLogger("project", "name", dir=tmp_path, config={"a": 1}, params={"mode": "offline"})
    arguments = wandb.run.arguments
    expected = {"project": "project", "name": "name", "dir": tmp_path, "config": {"a": 1}}
    assert {**arguments, **expected, "mode": "offline"} == arguments
    assert "id" not in arguments
    assert wandb.run.axes == {"iteration": None, "*": "iteration"}


def test_values_of_an_iteration_are_one_entry(wandb):
    logger = WandBLogger()
    logger.log_metrics([*values(3, a=1.0, b=2), *values(4, a=1.5)])
    logger.log_single_metric("c", 0.5, 4)
    logger.log_metrics(values(2, late=1.0))  # an evaluation that looks back
    logger.log_metrics([])
    assert wandb.run.entries == [
        {"a": 1.0, "b": 2, "iteration": 3},
        {"a": 1.5, "iteration": 4},
        {"c": 0.5, "iteration": 4},
        {"late": 1.0, "iteration": 2},
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (torch.tensor(0.25), 0.25),
        (torch.tensor([[2]]), 2),
        (torch.rand(3, 4, requires_grad=True), Kept(kind="histogram", total=12)),
        (torch.rand(5, dtype=torch.bfloat16), Kept(kind="histogram", total=5)),
        (Image.new("RGB", (4, 5)), Kept(kind="image", shape=(5, 4, 3))),
        (TensorImage(torch.zeros(6, 7, 3)), Kept(kind="image", shape=(6, 7, 3))),
        (Figure(), Kept(kind="image", shape=None)),
        (AlternativeValues("text", 7.0), 7.0),
        ("text", None),
        (AlternativeValues("text"), None),
        ([1, 2], None),
    ],
)
def test_conversion_of_values(wandb, value, expected):
    WandBLogger().log_metrics(values(1, it=value))
    assert wandb.run.entries == ([] if expected is None else [{"it": expected, "iteration": 1}])


def test_charts_are_passed_on(wandb):
    chart = wandb.plot.CustomChart()
    WandBLogger().log_metrics(values(1, chart=chart))
    assert wandb.run.entries == [{"chart": chart, "iteration": 1}]


def test_a_loaded_logger_continues_its_run(wandb):
    logger = WandBLogger(params={"mode": "offline"})
    again = pickle.loads(pickle.dumps(logger))
    assert len(wandb.runs) == 2
    assert wandb.run.arguments["id"] == wandb.runs[0].id
    assert wandb.run.arguments["resume"] == "allow"
    again.log_metrics(values(1, a=1.0))
    assert [len(run.entries) for run in wandb.runs] == [0, 1]


def train(logger, *metrics):
    benchmark = toy_benchmark()
    strategy = toy_strategy(
        memory_size=6,
        evaluator=EvaluationPlugin(
            pcl_metrics(benchmark), gradient_diagnostics(), *metrics, loggers=[logger]
        ),
    )
    strategy.train(benchmark.train_stream)
    return benchmark, strategy


def test_a_training_run(wandb, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    logger = WandBLogger(log_artifacts=True)
    benchmark, strategy = train(logger, accuracy_metrics(experience=True), WeightCheckpoint())
    strategy.eval(benchmark.test_stream)
    entries, ticks = wandb.run.entries, benchmark.timeline.num_ticks
    weighed = [entry["iteration"] for entry in entries if "Squared_Direction" in entry]
    assert weighed == list(range(ticks))
    experiences = [e["TrainingExperience"] for e in entries if "TrainingExperience" in e]
    assert experiences == list(range(len(benchmark.train_stream)))
    assert [entry["A_ebar"] for entry in entries if "A_ebar" in entry]
    names = [artifact.files for artifact in wandb.run.artifacts]
    assert names == [[f"Models/Model_{n}.pth"] for n in range(len(benchmark.train_stream))]


def test_the_real_package_offline(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    logger = WandBLogger(dir=tmp_path)
    try:
        _, strategy = train(logger)
        logger.log_metrics(values(99, image=TensorImage(torch.zeros(6, 7, 3)), bars=torch.rand(9)))
        summary = logger.run.summary
        assert summary["A_ebar"] == strategy.evaluator.get_last_metrics()["A_ebar"]
        assert summary["iteration"] == 99
        assert {"image", "bars"} <= set(summary.keys())
    finally:
        wandb.finish()
    assert list(tmp_path.rglob("*.wandb"))
