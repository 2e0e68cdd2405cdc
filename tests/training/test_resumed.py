"""Runs that continue from state dicts equal uninterrupted runs, bit for bit.

Gradients are of separate passes throughout: a fused engine counts its ticks from the start of the
process, and at some of them compares both kinds of passes, which round differently.
"""

import pytest
import torch
from torch.optim import SGD, Adam

from avalanche_emgd.evaluation import PCLMetrics
from avalanche_emgd.gradients import PlainEngine
from tests.toy import toy_benchmark
from tests.training.common import quiet, through_a_file, toy_model, toy_strategy, weights_of
from tests.training.test_tick_template import serial_benchmark

OPTIMIZERS = {
    "adam": lambda p: Adam(p, lr=0.01),
    "amsgrad": lambda p: Adam(p, lr=0.01, amsgrad=True),
    "momentum": lambda p: SGD(p, lr=0.05, momentum=0.9),
    "two groups": lambda p: Adam([{"params": p[:2], "lr": 0.02}, {"params": p[2:]}], lr=0.01),
}
EACH_OPTIMIZER = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


def fresh(make, benchmark):
    model = toy_model()
    metrics = PCLMetrics(benchmark, every=2)
    strategy = toy_strategy(
        model=model, memory_size=12, evaluator=quiet(metrics), engine=PlainEngine()
    )
    strategy.optimizer = make(list(model.parameters()))
    return strategy, metrics


@EACH_OPTIMIZER
@pytest.mark.parametrize("scenario", ["task", "class"])
@pytest.mark.parametrize("done", [1, 3])
def test_a_resumed_run_equals_the_uninterrupted_one(make, scenario, done, tmp_path):
    whole, measured = fresh(make, toy_benchmark(scenario=scenario))
    whole.train(measured.benchmark.train_stream)
    half, before = fresh(make, toy_benchmark(scenario=scenario))
    half.train(before.benchmark.train_stream[:done])
    rest, after = fresh(make, toy_benchmark(scenario=scenario))
    for name, of, to in (
        ("model", half.model, rest.model),
        ("optimizer", half.optimizer, rest.optimizer),
        ("memory", half.memory, rest.memory),
        ("metrics", before, after),
    ):
        to.load_state_dict(through_a_file(of.state_dict(), tmp_path / name))
    rest.weighting.load_state_dict(half.weighting.state_dict())
    results = rest.train(after.benchmark.train_stream[done:])
    assert torch.equal(weights_of(rest.model), weights_of(whole.model))
    assert after.result() == measured.result()
    assert after.history == measured.history
    assert results["A_e"] == measured.result().A_e


@EACH_OPTIMIZER
def test_the_first_experience_keeps_a_loaded_state(make):
    first, _ = fresh(make, toy_benchmark())
    first.train(toy_benchmark().train_stream[0])
    state = first.optimizer.state_dict()
    second, _ = fresh(make, toy_benchmark())
    second.optimizer.load_state_dict(state)
    second.experience = toy_benchmark().train_stream[0]
    second.check_model_and_optimizer()
    found = second.optimizer.state_dict()["state"]
    assert {k: v for k, v in found.items() if v}.keys() == state["state"].keys()
    for number, values in state["state"].items():
        assert all(torch.equal(found[number][name], value) for name, value in values.items())


def test_on_ordinary_benchmarks():
    stream = serial_benchmark().train_stream
    weights = []
    for interrupted in (False, True):
        strategy, _ = fresh(OPTIMIZERS["adam"], toy_benchmark())
        torch.manual_seed(1)
        strategy.train(stream[:2])
        if interrupted:
            rest, _ = fresh(OPTIMIZERS["adam"], toy_benchmark())
            rest.model.load_state_dict(strategy.model.state_dict())
            rest.optimizer.load_state_dict(strategy.optimizer.state_dict())
            rest.memory.load_state_dict(strategy.memory.state_dict())
            rest.weighting.load_state_dict(strategy.weighting.state_dict())
            strategy = rest
        torch.manual_seed(2)
        strategy.train(stream[2:])
        weights.append(weights_of(strategy.model))
    assert torch.equal(*weights)


def test_the_state_of_the_optimizer_is_reset_on_request():
    strategy, _ = fresh(OPTIMIZERS["adam"], toy_benchmark())
    strategy.train(toy_benchmark().train_stream[0])
    strategy.train(toy_benchmark().train_stream[1], reset_optimizer_state=True)
    ticks = len(toy_benchmark().train_stream[1].ticks)
    assert {int(s["step"]) for s in strategy.optimizer.state.values()} == {ticks}


def test_without_a_loaded_state_nothing_changes():
    """Parameters that the optimizer lacks are added, as in Avalanche."""
    model = toy_model()
    strategy = toy_strategy(model=model, memory_size=0)
    strategy.optimizer = SGD(list(model.parameters())[:2], lr=0.05)
    before = weights_of(model).clone()
    strategy.train(toy_benchmark().train_stream)
    assert len(strategy.optimizer.param_groups[0]["params"]) == len(list(model.parameters()))
    assert not torch.equal(weights_of(model)[-6:], before[-6:])
