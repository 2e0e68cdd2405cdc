import pytest
import torch

from avalanche_emgd import MultiGradientTemplate
from avalanche_emgd.gradients import PlainEngine
from avalanche_emgd.models import evaluation_mode, is_masked
from avalanche_emgd.optim.peers import ERWeighting
from avalanche_emgd.training.ingredients import StoredLogits
from tests.toy import toy_benchmark
from tests.training.common import replay_strategy, scenarios, toy_strategy, weights_of
from tests.training.peers.by_hand import check_replayed_loss, dropping_model


@scenarios
@pytest.mark.parametrize("memory_objectives", ["one", "per-task"])
def test_replayed_loss_is_cross_entropy_and_distance_to_competing_logits(
    scenario, memory_objectives
):
    loss = StoredLogits(20.0, 0.4)  # so that a thousandth of the distance is seen

    def squares(now, before):
        return [(a - b) ** 2 for a, b in zip(now, before, strict=True)]

    check_replayed_loss(loss, squares, scenario, memory_objectives)


def test_without_stored_logits_equals_experience_replay():
    # Mean losses of one objective after the other, as for losses of one's own.
    benchmark, options = toy_benchmark(), {"memory_size": 12, "engine": PlainEngine()}
    found = []
    for loss in ("labels", StoredLogits(0.0, 1.0), StoredLogits(0.5)):
        strategy = replay_strategy(memory_loss=loss, **options)
        strategy.train(benchmark.train_stream)
        found.append(weights_of(strategy.model))
    assert torch.equal(found[1], found[0])
    assert not torch.equal(found[2], found[0])


@pytest.mark.parametrize("name", ["alpha", "beta"])
@pytest.mark.parametrize("value", [-0.1, float("inf"), float("nan"), "much", None, True])
def test_wrong_weights_of_terms(name, value):
    with pytest.raises(
        ValueError, match=f"`{name}` must be at least 0 and finite, found {value!r}"
    ):
        StoredLogits(**{name: value})


def test_former_implementation_is_the_same_bit_for_bit():
    """DER++ as a strategy with a loss of its own, on whose results records rest."""

    class Former(MultiGradientTemplate):
        def objective_loss(self, output, part):
            loss = self._criterion(output, self.mb_y[part.start : part.stop])
            if part.objective not in self.replay.drawn:
                return loss
            drawn = self.replay.drawn[part.objective]
            stored = self.memory.annotation("logits")[drawn]
            difference = (output[:, : stored.shape[1]] - stored)[~is_masked(stored)]
            return 1.0 * loss + 0.3 * difference.square().mean()

        def _before_training_exp(self, **kwargs):
            super()._before_training_exp(**kwargs)
            self.memory.annotate("logits", self._logits)

        def _after_training_exp(self, **kwargs):
            super()._after_training_exp(**kwargs)
            self.memory.annotate("logits", self._logits)

        def _logits(self, x, y, task_labels):
            with torch.no_grad(), evaluation_mode(self.model):
                return self._class_mask(self._forward_batch((x, task_labels)), task_labels)

    for scenario in ("class", "task"):
        options = {"memory_size": 12, "engine": PlainEngine()}
        former = toy_strategy(Former, dropping_model(), weighting=ERWeighting(), **options)
        ours = replay_strategy(dropping_model(), memory_loss="stored-logits", **options)
        for strategy in (former, ours):
            torch.manual_seed(2)
            strategy.train(toy_benchmark(scenario=scenario).train_stream)
        assert torch.equal(weights_of(former.model), weights_of(ours.model))
