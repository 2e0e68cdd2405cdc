from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd import MultiGradientTemplate
from avalanche_emgd.optim.peers import ERWeighting
from avalanche_emgd.training.peers import ERLASStrategy
from tests.toy import toy_benchmark
from tests.training.common import scenarios, toy_strategy
from tests.training.peers.by_hand import CheckLosses, competing, trained


@scenarios
@pytest.mark.parametrize("memory_objectives", ["one", "per-task"])
@pytest.mark.parametrize("tau", [1.0, 0.4])
def test_logits_are_shifted_by_the_log_frequencies(scenario, memory_objectives, tau):
    def expected(strategy, part, x, y, t):
        weights = Counter()
        for p in strategy.mbatch.parts:
            alike = [q for q in strategy.mbatch.parts if q.replayed == p.replayed]
            for label in strategy.mbatch[1][p.start : p.stop].tolist():
                weights[label] += 1.0 / (len(alike) * (p.stop - p.start))
        losses = []
        for row, label, task in zip(strategy.model(x), y.tolist(), t.tolist(), strict=True):
            classes = [c for c in competing(strategy.experience, task) if weights[c] > 0.0]
            shifted = {c: row[c].exp() * weights[c] ** tau for c in classes}
            losses.append(-(shifted[label] / sum(shifted.values())).log())
        return torch.stack(losses).mean()

    check = CheckLosses(expected)
    strategy = toy_strategy(
        ERLASStrategy, memory_size=12, memory_objectives=memory_objectives, plugins=[check], tau=tau
    )
    strategy.train(toy_benchmark((20, 13, 17), scenario=scenario).train_stream)
    assert check.checked["replayed"] >= 5


@scenarios
def test_without_shift_equals_plain_replay(scenario):
    benchmark = toy_benchmark(scenario=scenario)
    ours = trained(ERLASStrategy, benchmark, memory_size=12, tau=0.0)
    plain = trained(MultiGradientTemplate, benchmark, memory_size=12, weighting=ERWeighting())
    torch.testing.assert_close(ours, plain)


class Lookahead(ERLASStrategy):
    """Records frequencies of the classes at losses before the forward pass of the tick."""

    def label_loss(self, output, part):
        loss = super().label_loss(output, part)
        if not self.now.losses and not any(p.replayed for p in self.mbatch.parts):
            counts = Counter()
            for p in self.mbatch.parts:
                for label in self.mb_y[p.start : p.stop].tolist():
                    counts[label] += 1.0 / (len(self.mbatch.parts) * (p.stop - p.start))
            self.found.append(self.class_frequencies(output.shape[1]).tolist())
            self.expected.append([counts[k] for k in range(output.shape[1])])
        assert float(loss.detach()) < 100.0
        return loss


def test_a_look_ahead_takes_the_frequencies_of_the_samples_that_it_sees():
    strategy = toy_strategy(Lookahead, memory_size=12, memory_retrieval="mir")
    strategy.found, strategy.expected = [], []
    strategy.train(toy_benchmark().train_stream)
    assert len(strategy.found) > 5
    assert np.allclose(strategy.found, strategy.expected)


@given(st.integers(1, 5))
def test_a_window_counts_the_ticks_in_it(window):
    strategy = toy_strategy(ERLASStrategy, window=window)
    strategy.train(toy_benchmark((20,), timeline=None).train_stream)
    frequencies = strategy.class_frequencies(6)
    assert float(frequencies.sum()) == pytest.approx(1.0)
    assert len(strategy._seen) == min(window, 5)


@pytest.mark.parametrize(
    ("options", "message"), [({"tau": -1.0}, "`tau`"), ({"window": 0}, "`window`")]
)
def test_settings_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        toy_strategy(ERLASStrategy, **options)
