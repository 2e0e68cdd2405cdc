import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from avalanche_emgd import MLP
from avalanche_emgd.gradients import FusedEngine, PlainEngine, agreement
from benchmarks.speed.meters import PeakBytes

CLASSES = 5


def make_batches(n, samples, width):
    return [torch.randn(samples, width) for _ in range(n)]


def gradients_of(engine, model, batches):
    made = engine.forward(model, batches)
    losses = [cross_entropy(o, torch.arange(len(o)) % CLASSES) for o in made.outputs]
    return made, made.gradients(losses, list(model.parameters()))


@pytest.mark.parametrize(("lean", "rows"), [(False, 10), (True, 1)])
@pytest.mark.parametrize("samples", [2, 40])
def test_a_compared_tick_holds_few_rows(monkeypatch, lean, rows, samples):
    """Beside a plain step: n rows, or one of the separate passes, and one of the joint pass."""
    monkeypatch.setattr(agreement, "_CHUNK", 1 << 12)
    n, width = 10, 600
    model = MLP(CLASSES, in_features=width, hidden=(400, 400))
    size = sum(p.numel() for p in model.parameters())
    # Activations, and their gradients, of separate passes and of the joint pass.
    activations = 4 * n * samples * (width + 400 + 400 + CLASSES)
    batches, engine = make_batches(n, samples, width), FusedEngine(model, lean=lean)
    with PeakBytes() as meter:
        cross_entropy(model(batches[0]), torch.arange(samples) % CLASSES).backward()
    plain = meter.peak
    model.zero_grad()
    for tick in range(1, 5):
        with PeakBytes() as meter:
            made, _ = gradients_of(engine, model, batches)
            del _
        if tick != 3:  # a power of two: compared
            assert made.joined is None
            assert meter.peak <= plain + 4 * ((rows + 1) * size + activations)
        del made
    assert engine.reason is None


class MixesFew(nn.Module):
    """Centres batches of more than eight samples only."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, CLASSES)

    def forward(self, x):
        return self.layer(x - x.mean(0) if len(x) > 8 else x)


@pytest.mark.parametrize("lean", [False, True])
@pytest.mark.parametrize("make", [MixesFew, lambda: MLP(CLASSES, in_features=6, hidden=(7,))])
def test_a_compared_tick_gives_the_gradients_of_separate_passes(make, lean):
    model, batches = make(), make_batches(3, 4, 6)
    engine = FusedEngine(model, lean=lean)
    _, found = gradients_of(engine, model, batches)
    _, expected = gradients_of(PlainEngine(), model, batches)
    is_mixed = isinstance(model, MixesFew)
    assert (engine.reason is not None) is is_mixed
    if lean and not is_mixed:  # those of the joint pass
        torch.testing.assert_close(found.rows, expected.rows)
    else:
        assert torch.equal(found.rows, expected.rows)
    assert list(found.used) == list(expected.used)


def test_separate_passes_of_the_lean_engine_are_computed_again_where_losses_are_not_finite():
    model, batches = MLP(CLASSES, in_features=6, hidden=(7,)), make_batches(3, 4, 6)
    engine = FusedEngine(model, lean=True)
    made = engine.forward(model, batches)
    losses = [cross_entropy(o, torch.zeros(4).long()) for o in made.outputs]
    losses[1] = losses[1] * float("inf")
    rows = made.gradients(losses, list(model.parameters())).rows
    assert rows[[0, 2]].isfinite().all()
    assert not rows[1].isfinite().all()
    assert engine.reason == "some layers have had no gradient to compare yet"


def test_memory_of_a_fused_tick_is_lent_to_one_that_is_compared():
    model, batches = MLP(CLASSES, in_features=600, hidden=(50,)), make_batches(4, 30, 600)
    engine, places = FusedEngine(model), []
    for _ in range(4):
        _, found = gradients_of(engine, model, batches)
        pieces = getattr(found, "_dense", None)
        rows = found.rows if pieces is None else pieces.pieces[0].padded
        places.append(rows.untyped_storage().data_ptr())
    assert engine.reason is None
    assert places[2] == places[3]
