"""Tests with a moving average of the weights; training is the same without."""

import copy
import pickle

import pytest
import torch
from avalanche.core import SupervisedPlugin
from avalanche.evaluation.metrics import accuracy_metrics
from avalanche.models import IncrementalClassifier
from torch import nn

from avalanche_emgd.evaluation import PCLMetrics
from avalanche_emgd.training.ingredients import AveragedWeights
from tests.tolerance import assert_near
from tests.toy import toy_benchmark
from tests.training.averaged import SIZES, strategy_with
from tests.training.common import TERMS, quiet, toy_model, weights_of
from tests.training.peers.by_hand import Each, ordinary_benchmark


def model_of_all_kinds():
    """Running statistics, dropout, whole numbers and booleans."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(5, 12), nn.BatchNorm1d(12), nn.ReLU(), nn.Dropout(0.3), nn.Linear(12, 6)
    )
    model.register_buffer("whole", torch.tensor([3, 1], dtype=torch.int8))
    model.register_buffer("flags", torch.tensor([True, False]))
    return model


@pytest.mark.parametrize("decay", [0.0, 0.5, 0.99])
def test_the_average_follows_the_formula(decay):
    model, states = model_of_all_kinds(), []
    note = Each("after_update", lambda s: states.append(copy.deepcopy(s.model.state_dict())))
    strategy = strategy_with(model, AveragedWeights(decay), plugins=[note])
    strategy.train(toy_benchmark(SIZES).train_stream)
    expected = {name: value.double() for name, value in states[0].items()}
    for k, state in enumerate(states[1:], 1):
        share = min(decay, (1 + k) / (10 + k))
        for name, value in state.items():
            expected[name] = share * expected[name] + (1 - share) * value.double()
    for name, value in strategy.tested_model.state_dict().items():
        if value.is_floating_point():
            assert_near(value, expected[name].to(value), TERMS * len(states), least=10.0)
        else:
            assert torch.equal(value, states[-1][name])
    assert len(states) == toy_benchmark(SIZES).timeline.num_ticks


def run(tested_weights, model=None, benchmark=None, evaluate=True, **options):
    benchmark = toy_benchmark(SIZES) if benchmark is None else benchmark
    metrics = PCLMetrics(benchmark, every=2)
    strategy = strategy_with(
        model_of_all_kinds() if model is None else model,
        tested_weights,
        evaluator=quiet(metrics, *accuracy_metrics(stream=True)),
        eval_every=1 if evaluate else -1,
        peval_mode="iteration",
        **options,
    )
    torch.manual_seed(7)
    streams = [benchmark.test_stream] if evaluate else []
    for experience in benchmark.train_stream:
        strategy.train(experience, eval_streams=streams)
        if evaluate:
            strategy.eval(benchmark.test_stream)
    return strategy, metrics


@pytest.mark.parametrize("options", [{}, {"memory_objectives": "per-task"}, {"seed": 3}])
def test_training_is_the_same_bit_for_bit(options):
    last, before = run("last", **options)
    average, after = run("average", **options)
    for one, other in zip(
        last.model.state_dict().values(), average.model.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)
    assert torch.equal(last.memory.inputs, average.memory.inputs)
    assert [m.training for m in last.model.modules()] == [
        m.training for m in average.model.modules()
    ]
    assert last.tested_model is last.model
    assert average.tested_model is not average.model
    assert before.history.keys() == after.history.keys()


def test_metrics_are_of_the_average():
    strategy, metrics = run("average", lr=0.5)
    model, differ = strategy.tested_model.eval(), []
    for task, experience in enumerate(toy_benchmark(SIZES).test_stream):
        x = torch.stack([experience.dataset[i][0] for i in range(8)])
        y = torch.tensor([experience.dataset[i][1] for i in range(8)])
        found, last = (
            float((each(x).argmax(1) == y).double().mean())
            for each in (model, copy.deepcopy(strategy.model).eval())
        )
        assert metrics.history[task][-1][1] == pytest.approx(found)
        differ.append(found != last)
    assert any(differ)


class Nesting(SupervisedPlugin):
    """Notes which model is there, and tests again inside a test."""

    def __init__(self, benchmark):
        super().__init__()
        self.benchmark = benchmark
        self.tested, self.trained = [], []
        self.depth = 0

    def before_eval_exp(self, strategy, **kwargs):
        if not self.trained:
            return
        self.tested.append(strategy.model)
        assert strategy.tested_model is strategy.model
        if self.depth == 0:
            self.depth += 1
            strategy.eval(self.benchmark.test_stream)
            self.depth -= 1
            assert strategy.model is self.tested[-1]

    def before_training_iteration(self, strategy, **kwargs):
        self.trained.append(strategy.model)


def test_tests_within_tests():
    benchmark = toy_benchmark(SIZES)
    plugin = Nesting(benchmark)
    strategy, _ = run("average", benchmark=benchmark, plugins=[plugin])
    assert set(map(id, plugin.trained)) == {id(strategy.model)}
    assert id(strategy.model) not in set(map(id, plugin.tested))


@pytest.mark.parametrize("way", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))])
def test_copies_go_on_with_the_average(way):
    stream = toy_benchmark(SIZES).train_stream
    strategy = strategy_with(toy_model())
    strategy.train(stream[:2])
    other = way(strategy)
    assert torch.equal(weights_of(other.tested_model), weights_of(strategy.tested_model))
    for each in (strategy, other):
        each.train(stream[2:])
    assert torch.equal(weights_of(other.model), weights_of(strategy.model))
    assert torch.equal(weights_of(other.tested_model), weights_of(strategy.tested_model))
    assert not torch.equal(weights_of(other.tested_model), weights_of(other.model))


def test_states_carry_the_average_into_another_process(tmp_path):
    stream = toy_benchmark(SIZES).train_stream
    strategy = strategy_with(toy_model())
    assert strategy.averaged_weights.state_dict() == {}
    strategy.train(stream[:2])
    torch.save(strategy.averaged_weights.state_dict(), tmp_path / "average.pt")
    state = torch.load(tmp_path / "average.pt", weights_only=True)
    other = strategy_with(copy.deepcopy(strategy.model))
    other.memory.load_state_dict(strategy.memory.state_dict())
    other.averaged_weights.load_state_dict(state, other.model)
    assert torch.equal(weights_of(other.tested_model), weights_of(strategy.tested_model))
    other.averaged_weights.load_state_dict({}, other.model)
    assert other.tested_model is other.model


def test_another_model_begins_another_average():
    stream = toy_benchmark(SIZES).train_stream
    strategy = strategy_with(toy_model())
    strategy.train(stream[:2])
    strategy.model = toy_model(seed=5)
    strategy.optimizer = torch.optim.SGD(strategy.model.parameters(), lr=0.05)
    strategy.optimized_param_id = None
    assert strategy.tested_model is strategy.model
    weights = []
    strategy.plugins.append(Each("after_update", lambda s: weights.append(weights_of(s.model))))
    strategy.train(stream[2:])
    low, high = torch.stack(weights).aminmax(dim=0)
    tested = weights_of(strategy.tested_model)
    assert ((low - 1e-6 <= tested) & (tested <= high + 1e-6)).all()


class Growing(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Linear(5, 8)
        self.classifier = IncrementalClassifier(8, initial_out_features=1)

    def forward(self, x):
        return self.classifier(self.features(x).relu())


@pytest.mark.parametrize("tests", [False, True])
def test_heads_that_grow(tests):
    """Tests grow the head, too, for classes of later experiences."""
    found = []
    for tested in ("last", "average"):
        benchmark = ordinary_benchmark()
        torch.manual_seed(0)
        strategy = strategy_with(Growing(), tested, train_mb_size=4)
        for experience in benchmark.train_stream:
            if tests:
                strategy.eval(benchmark.train_stream)
            strategy.train(experience)
            assert len(strategy.tested_model.classifier.classifier.weight) == len(
                strategy.model.classifier.classifier.weight
            )
        result = strategy.eval(benchmark.train_stream)
        assert isinstance(result, dict)
        found.append(strategy)
    last, average = found
    assert torch.equal(weights_of(last.model), weights_of(average.model))
    assert torch.equal(
        average.tested_model.classifier.active_units, average.model.classifier.active_units
    )
    assert not torch.equal(weights_of(average.tested_model), weights_of(average.model))


def test_new_rows_of_a_head_begin_as_they_are():
    benchmark = ordinary_benchmark()
    strategy = strategy_with(Growing(), train_mb_size=4)
    strategy.train(benchmark.train_stream[0])
    before = strategy.tested_model.classifier.classifier.weight.clone()
    seen = []
    note = Each(
        "before_eval_iteration", lambda s: seen.append(s.model.classifier.classifier.weight.clone())
    )
    strategy.plugins.append(note)
    strategy.eval(benchmark.train_stream[1])
    assert torch.equal(seen[0][:2], before[:2])
    assert torch.equal(seen[0][2:], strategy.model.classifier.classifier.weight[2:])


def test_averages_of_two_strategies_do_not_mix():
    setting = AveragedWeights()
    one, other = (strategy_with(toy_model(seed=seed), setting) for seed in (0, 1))
    one.train(toy_benchmark(SIZES).train_stream)
    before = weights_of(one.tested_model)
    other.train(toy_benchmark(SIZES).train_stream)
    assert torch.equal(weights_of(one.tested_model), before)


class Uncopied(nn.Linear):
    def __deepcopy__(self, memo):
        raise RuntimeError("no copies")


def test_a_model_that_cannot_be_copied_is_refused():
    strategy = strategy_with(nn.Sequential(Uncopied(5, 6)))
    with pytest.raises(ValueError, match=r"`tested_weights` needs a copy of `model`.*no copies"):
        strategy.train(toy_benchmark(SIZES).train_stream)


@pytest.mark.parametrize("decay", [-0.1, 1.0, 2, float("nan"), "0.9", None, True])
def test_wrong_decay(decay):
    with pytest.raises(ValueError, match=r"`decay` of `tested_weights` must be in \[0, 1\)"):
        AveragedWeights(decay)
