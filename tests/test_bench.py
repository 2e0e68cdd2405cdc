"""The loops that the bench compares compute the same as the engine."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from avalanche_emgd import MLP
from avalanche_emgd.gradients import PlainEngine
from avalanche_emgd.models import ResNet18
from benchmarks.speed.by_hand import emgd_by_hand, emgd_passes_by_hand
from benchmarks.speed.grouped_norm import normalised_by_objective
from benchmarks.speed.strategy import core_tick, with_step
from benchmarks.speed.streams import COLOUR, IMAGE, noise
from tests.tolerance import assert_near


@pytest.mark.parametrize(("n", "batch_size"), [(1, 4), (3, 2), (10, 3)])
def test_batch_norm_by_objective_is_that_of_separate_passes(n, batch_size):
    torch.manual_seed(0)
    separate = ResNet18(6 * n, width=4).double()
    together = normalised_by_objective(separate, n)
    batches = [(x.double(), y) for x, y in noise(n, batch_size, COLOUR)]
    for _ in range(2):
        outputs = torch.cat([separate(x) for x, _ in batches])
        x, y = (torch.cat(column) for column in zip(*batches, strict=True))
        found = together(x)
        assert_near(found, outputs, 2**14)
        cross_entropy(outputs, y).backward()
        cross_entropy(found, y).backward()
    for one, other in zip(separate.parameters(), together.parameters(), strict=True):
        assert_near(other.grad, one.grad, 2**14)
    buffers = {name.replace(".norm.", "."): b for name, b in together.named_buffers()}
    for name, buffer in separate.named_buffers():
        assert_near(buffers[name].double(), buffer.double(), 2**14)


@pytest.mark.parametrize("n", [1, 3, 10])
def test_loops_by_hand_do_what_the_engine_does(n):
    batches = noise(n, 4, IMAGE)

    def gradients_after_a_tick(make):
        torch.manual_seed(0)
        model = MLP(6 * n)
        make(model)()
        return nn.utils.parameters_to_vector([p.grad for p in model.parameters()])

    expected = gradients_after_a_tick(
        lambda model: with_step(core_tick(model, batches, PlainEngine()), model)
    )
    for by_hand in (emgd_by_hand, emgd_passes_by_hand):
        found = gradients_after_a_tick(lambda model, own=by_hand: own([batches], model))
        assert_near(found, expected, 2**14)
