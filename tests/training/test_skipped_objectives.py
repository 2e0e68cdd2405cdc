"""The objectives of a tick that are left, once others are left out."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from avalanche_emgd.benchmarks import Part, TickBatch
from avalanche_emgd.training.nonfinite import NonFinite
from avalanche_emgd.training.skipped_objectives import leave_out
from avalanche_emgd.training.tick import Tick

PARTS = [Part("a", 0, 2), Part("b", 2, 3), Part("c", 3, 6, replayed=True)]


def strategy(action):
    found = SimpleNamespace(
        now=Tick(PARTS),
        nonfinite=NonFinite(action),
        tick=7,
        model=nn.BatchNorm1d(1),
        mbatch=TickBatch([torch.arange(6.0)[:, None], torch.arange(6)], PARTS, 7),
        replay=SimpleNamespace(drawn={"c": torch.arange(3)}),
        forward=lambda: found.mbatch[0],
        criterion=lambda: torch.tensor(2.0),
        events=[],
        _make_empty_loss=lambda: torch.zeros(()),
    )
    found._trigger = found.events.append
    found.now.buffers_before = [each.clone() for each in found.model.buffers()]
    found.model.running_mean.fill_(math.nan)
    return found


def test_the_others_are_forwarded_anew():
    found = strategy("skip")
    with pytest.warns(UserWarning, match="objective 'b' is skipped at tick 7"):
        assert leave_out(found, [1], [1.0, math.nan, 3.0])
    assert (found.now.objectives, found.now.skipped) == (["a", "c"], ["b"])
    assert found.mb_output.flatten().tolist() == [0.0, 1.0, 3.0, 4.0, 5.0]
    assert float(found.loss) == 2.0
    assert found.events == ["after_forward"]
    assert [*found.replay.drawn] == ["c"]
    assert not found.model.running_mean.isnan().any()


def test_none_is_left():
    found = strategy("skip")
    with pytest.warns(UserWarning, match="is skipped"):
        assert not leave_out(found, [0, 1, 2], 3 * [math.inf])
    assert found.now.skipped == ["a", "b", "c"]
    assert found.now.weights.tolist() == [0.0, 0.0, 0.0]


def test_a_run_stops_at_the_tick():
    with pytest.raises(ValueError, match=r"The loss of objective 'b' \(nan\) .* at tick 7"):
        leave_out(strategy("stop"), [1], [1.0, math.nan, 3.0])
