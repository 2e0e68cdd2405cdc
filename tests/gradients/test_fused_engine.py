"""The fused engine against one pass per objective."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from avalanche_emgd import MLP, EMGDStrategy
from avalanche_emgd.gradients import (
    FusedEngine,
    PlainEngine,
    gradient_rule,
    rules,
    unfit_for_fusing,
)
from tests.gradients.layers import Unknown
from tests.tolerance import tolerance
from tests.toy import toy_benchmark
from tests.training.common import toy_model, toy_strategy, weights_of


class Tokens(nn.Module):
    """Numbers, as if they were words."""

    def forward(self, x):
        return (x * 3).long().abs() % 11


def conv(**options):
    return nn.Conv2d(4, 6, 3, **options)


IMAGE, VECTOR = (3, 8, 8), (6,)
MODELS = {
    "mlp": (lambda: MLP(5, in_features=6, hidden=(8, 7)), VECTOR),
    "no bias": (
        lambda: nn.Sequential(nn.Linear(6, 8, bias=False), nn.ReLU(), nn.Linear(8, 5)), VECTOR
    ),
    "layer norm": (
        lambda: nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Linear(8, 5)), VECTOR
    ),
    "twice": (lambda: Twice(), VECTOR),  # defined below
    "words": (
        lambda: nn.Sequential(
            Tokens(), nn.Embedding(11, 4, padding_idx=3), nn.LayerNorm((6, 4)), nn.Linear(4, 2),
            nn.Flatten(), nn.Linear(12, 5),
        ),
        VECTOR,
    ),
    "convolutions": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.GroupNorm(2, 4), nn.ReLU(),
            conv(stride=2, padding="valid"), nn.ReLU(), nn.Flatten(), nn.Linear(54, 5),
        ),
        IMAGE,
    ),
    "odd convolutions": (
        lambda: nn.Sequential(
            nn.Conv2d(3, 4, 3, padding="same", padding_mode="reflect"), nn.Tanh(),
            nn.Conv2d(4, 6, 3, padding=1, dilation=2, groups=2, bias=False), nn.Tanh(),
            nn.Flatten(), nn.Linear(216, 5),
        ),
        IMAGE,
    ),
}  # fmt: skip


class Twice(nn.Module):
    """The same layer in two places."""

    def __init__(self):
        super().__init__()
        self.layer, self.head = nn.Linear(6, 6), nn.Linear(6, 5)

    def forward(self, x):
        return self.head(torch.tanh(self.layer(torch.tanh(self.layer(x)))))


def make_batches(sizes, shape, dtype):
    return [(torch.randn(n, *shape, dtype=dtype), torch.randint(0, 5, (n,))) for n in sizes]


def gradients_of(engine, model, batches, parameters=None):
    """Gradients of a tick; of a fused one, where the engine fuses after it has compared."""
    while True:
        made = engine.forward(lambda batch: model(batch[0]), batches)
        is_compared = isinstance(engine, FusedEngine) and made.joined is None and len(batches) > 1
        losses = [
            nn.functional.cross_entropy(output, y)
            for output, (_, y) in zip(made.outputs, batches, strict=True)
        ]
        found = made.gradients(losses, parameters or list(model.parameters()))
        if not is_compared or engine.reason is not None:
            return found


def rows_of(engine, model, batches, parameters=None):
    return gradients_of(engine, model, batches, parameters).rows.clone()


TERMS = 1000  # no gradient here is of more: 216 inputs of a layer, 49 places of 7 samples


def close(found, expected, dtype):
    bound = tolerance(dtype, TERMS)
    assert ((found - expected).norm(dim=1) <= bound * (1 + expected.norm(dim=1))).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("sizes", [(5, 5, 5), (7, 1, 4), (3,)])
@pytest.mark.parametrize("name", MODELS)
def test_rows_are_those_of_separate_passes(name, sizes, dtype):
    make, shape = MODELS[name]
    model = make().to(dtype)
    plain, fused = PlainEngine(), FusedEngine(model)
    for _ in range(3):  # verified at the first, where there are several
        batches = make_batches(sizes, shape, dtype)
        expected, found = gradients_of(plain, model, batches), gradients_of(fused, model, batches)
        close(found.rows, expected.rows, dtype)
        assert fused.reason is None
        assert list(found.used) == list(expected.used)


@settings(max_examples=40)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=6), st.integers(0, 10**6))
def test_any_number_of_objectives_of_any_sizes(sizes, seed):
    torch.manual_seed(seed)
    model = MLP(5, in_features=6, hidden=(4,)).double()
    fused = FusedEngine(model)
    for _ in range(2):
        batches = make_batches(sizes, VECTOR, torch.float64)
        close(rows_of(fused, model, batches), rows_of(PlainEngine(), model, batches), torch.float64)


def test_frozen_and_foreign_parameters():
    model, foreign = MLP(5, in_features=6, hidden=(4,)), nn.Parameter(torch.ones(3))
    first = next(model.parameters()).requires_grad_(False)
    parameters = [foreign, *(p for p in model.parameters() if p is not first)]
    plain, fused = PlainEngine(), FusedEngine(model)
    batches = make_batches((4, 4), VECTOR, torch.float32)
    expected = gradients_of(plain, model, batches, parameters)
    found = gradients_of(fused, model, batches, parameters)
    close(found.rows, expected.rows, torch.float32)
    assert list(found.used) == list(expected.used) == [False, True, True, True]


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        (nn.Sequential(nn.Linear(6, 5), Unknown()), "no gradient rule for Unknown"),
        (nn.Sequential(nn.Dropout(0.5), nn.Linear(6, 5)), "Dropout (0) is random"),
        (nn.Sequential(nn.LSTM(6, 5)), "no gradient rule for LSTM (0)"),
    ],
)
def test_says_why_a_model_is_not_fused(model, reason):
    assert reason in unfit_for_fusing(model)


def test_batch_norm_normalises_each_objective_by_itself():
    model = nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5))
    fused, batches = FusedEngine(model), make_batches((4, 6), VECTOR, torch.float32)
    close(rows_of(fused, model, batches), rows_of(PlainEngine(), model, batches), torch.float32)
    for _ in range(2):  # the first is compared
        made = fused.forward(lambda batch: model(batch[0]), batches)
    assert made.joined is not None
    bound = tolerance(torch.float32, 6, scale=10.0)  # deviations that inputs are from zero
    assert all(float(o.detach().mean(0).abs().max()) <= bound for o in made.outputs)


class Centred(nn.Linear):
    """Looks like a linear layer, and mixes samples."""

    def forward(self, x):
        return super().forward(x - x.mean(0))


class Bypassed(nn.Module):
    """Uses the weight of a layer behind its back."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, 5)

    def forward(self, x):
        return self.layer(x) + x @ self.layer.weight.T


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: nn.Sequential(Centred(6, 5)), "its outputs differ from those of separate passes"),
        (Bypassed, "layer.weight acts by other ways than calls of its layer"),
    ],
)
def test_what_types_do_not_tell_is_found_out_at_the_first_tick(make, reason, monkeypatch):
    monkeypatch.setitem(rules._RULES, Centred, rules._linear)
    model = make()
    fused, batches = FusedEngine(model), make_batches((4, 6), VECTOR, torch.float32)
    assert fused.reason is None
    expected = rows_of(PlainEngine(), model, batches)
    close(rows_of(fused, model, batches), expected, torch.float32)
    assert fused.reason == reason
    close(rows_of(fused, model, batches), expected, torch.float32)
    fused.attach(model)  # as before each experience: it is not forgotten
    assert fused.reason is not None


class Kink(nn.Module):
    """A ReLU that takes a nearly vanishing input for zero in large batches, as rounding may."""

    def forward(self, x):
        return x * (x > (1e-12 if len(x) > 20 else 0.0))


class MixesGradients(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, back):
        return back + 0.3 * back.mean(0)


class BehindTheScenes(nn.Module):
    def forward(self, x):
        return MixesGradients.apply(x)


@pytest.mark.parametrize(
    ("make", "is_right"),
    [
        (lambda: nn.Sequential(nn.Linear(6, 40), Kink(), nn.Linear(40, 5)), True),
        (lambda: nn.Sequential(nn.Linear(6, 40), BehindTheScenes(), nn.Linear(40, 5)), False),
    ],
)
def test_units_at_their_kinks_are_told_from_small_errors(make, is_right):
    torch.manual_seed(0)
    model = make().double()
    batches = make_batches((19, 17, 20), VECTOR, torch.float64)
    first = next(layer for layer in model.modules() if isinstance(layer, nn.Linear))
    with torch.no_grad():  # one unit at its kink, in one sample of the second objective
        first.bias[0] = 1e-14 - first.weight[0] @ batches[1][0][3]
    fused = FusedEngine(model)
    expected = rows_of(PlainEngine(), model, batches)
    found = rows_of(fused, model, batches)
    assert (fused.reason is None) is is_right
    error = (found - expected).norm(dim=1) / expected.norm(dim=1)
    if is_right:
        assert 1e-4 < float(error[1]) < 0.1
        assert float(error[[0, 2]].max()) <= tolerance(torch.float64, TERMS)
    else:
        assert "its gradients differ" in fused.reason
        close(rows_of(fused, model, batches), expected, torch.float64)


def test_a_rule_of_ones_own(monkeypatch):
    monkeypatch.setattr(rules, "_RULES", dict(rules._RULES))

    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.factor = nn.Parameter(torch.ones(6))

        def forward(self, x):
            return self.factor * x

    model = nn.Sequential(Scale(), nn.Linear(6, 5))
    assert "no gradient rule for Scale" in unfit_for_fusing(model)

    @gradient_rule(Scale)
    def _scale(layer, inputs, gradients):
        return {"factor": (inputs * gradients).sum(dim=0)}

    batches = make_batches((4, 2), VECTOR, torch.float32)
    fused = FusedEngine(model)
    close(rows_of(fused, model, batches), rows_of(PlainEngine(), model, batches), torch.float32)
    assert fused.reason is None


@pytest.mark.parametrize("scenario", ["class", "task"])
def test_a_whole_run_is_the_same(scenario):
    runs = []
    for engine in (PlainEngine(), FusedEngine()):
        model = toy_model().double()
        strategy = toy_strategy(EMGDStrategy, model, memory_size=6, engine=engine)
        benchmark = toy_benchmark(scenario=scenario, dtype=torch.float64)
        strategy.train(benchmark.train_stream)
        runs.append(weights_of(model))
    assert runs[1].dtype == torch.float64
    # A tick at most doubles what the one before has left.
    bound = tolerance(torch.float64, TERMS, scale=2.0**benchmark.timeline.num_ticks)
    torch.testing.assert_close(runs[0], runs[1], rtol=bound, atol=bound)
