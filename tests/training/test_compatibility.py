import pytest
import torch
from torch import nn

from tests.toy import toy_benchmark
from tests.training.common import toy_strategy, weights_of


def test_batch_norm_with_a_lone_sample_is_refused_before_any_work():
    model = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Linear(8, 6))
    before = weights_of(model)
    with pytest.raises(ValueError, match="13 samples of 'task1' comes alone in minibatches of 4"):
        toy_strategy(model=model).train(toy_benchmark((20, 13, 16)).train_stream)
    assert torch.equal(weights_of(model), before)
    toy_strategy(model=model, memory_size=12).train(toy_benchmark((20, 14, 16)).train_stream)


def test_label_smoothing_is_refused():
    strategy = toy_strategy(criterion=nn.CrossEntropyLoss(label_smoothing=0.1))
    with pytest.raises(ValueError, match=r"`criterion` has label_smoothing=0.1"):
        strategy.train(toy_benchmark().train_stream)
