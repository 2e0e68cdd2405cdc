"""Trained models as files."""

import numpy as np
import pytest
import torch

from avalanche_emgd import load_model
from avalanche_emgd.experiments import RunConfig, make_benchmark, run
from avalanche_emgd.models import MLP
from avalanche_emgd.training.state import StateError
from tests.command_line import call

pytestmark = pytest.mark.usefixtures("undrawn")

QUICK = {"num_tasks": 2, "batch_size": 32, "eval_every": 100}


def slim(num_classes, shape):
    """A model of a user's own."""
    return MLP(num_classes, in_features=64, hidden=(8,))


@pytest.mark.parametrize("method", ["emgd++", "mdmt-r", "icarl", "naive"])
@pytest.mark.parametrize("scenario", ["task", "class"])
def test_predictions_are_those_of_the_run(method, scenario, tmp_path):
    config = RunConfig(method=method, scenario=scenario, **QUICK)
    finished = run(config, tmp_path / "run", progress=False)
    trained = load_model(tmp_path / "run")
    benchmark = make_benchmark(config)
    right = []
    for number, experience in enumerate(benchmark.test_stream):
        x, y, _ = experience.load()
        task = benchmark.task_names[number] if scenario == "task" else None
        found = trained.predict(x, task)
        assert torch.allclose(found.sum(dim=1), torch.ones(len(x)))
        with torch.no_grad():
            own = trained.module(x)
            assert torch.equal(own, finished.model.eval()(x))
        right.append(float((found.argmax(dim=1) == y).double().mean()))
    if method != "icarl":  # its last test comes before the last samples enter its memory
        assert right == pytest.approx(finished.result.final)
    assert trained.class_names == [str(label) for label in range(10)]
    assert not trained.training


def test_models_of_users_are_not_imported_by_the_file(tmp_path):
    name = f"{__name__}:slim"
    run(RunConfig(method="naive", model=name, **QUICK), tmp_path / "run", progress=False)
    with pytest.raises(ValueError, match="not imported by a name in a file"):
        load_model(tmp_path / "run")
    trained = load_model(tmp_path / "run", model=slim(10, (1, 8, 8)))
    assert trained.predict(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    with pytest.raises(StateError, match="does not fit the architecture"):
        load_model(tmp_path / "run", model=MLP(10, in_features=64))
    np.savez(tmp_path / "a.npz", x=np.zeros((3, 1, 8, 8), dtype=np.float32))
    found = call("predict", tmp_path / "run", "--npz", tmp_path / "a.npz", "--model", name)
    assert found.exit_code == 0, found.stderr


def test_damaged_models_are_refused(tmp_path):
    run(RunConfig(method="naive", **QUICK), tmp_path / "run", progress=False)
    path = tmp_path / "run" / "model.pt"
    whole = torch.load(path, weights_only=True)
    for changed in (
        {"kind": "x"}, {"format": 2}, {"num_classes": 10**9}, {"class_names": []},
        {"input_shape": [10**6, 10**6]}, {"tasks": {"a": [99]}}, {"state": {}}, {"head": None},
        {"model": 3}, {"state": {"a": 1}},
    ):  # fmt: skip
        torch.save({**whole, **changed}, path)
        with pytest.raises((StateError, ValueError), match="`run`") as caught:
            load_model(path)
        assert "\n" not in str(caught.value)
