import torch
from avalanche.models import IncrementalClassifier, MTSimpleMLP
from torch import nn

from avalanche_emgd.models import prepare_heads
from tests.toy import toy_benchmark


def test_heads_of_all_tasks_are_there_before_training():
    benchmark = toy_benchmark(scenario="task")
    model = MTSimpleMLP(input_size=5, hidden_size=4)
    prepare_heads(model, benchmark)
    for task in range(3):
        assert model(torch.randn(2, 5), task).shape[1] >= 2


def test_incremental_classifiers_grow_and_modes_stay():
    model = nn.Sequential(nn.Dropout(), IncrementalClassifier(5, initial_out_features=2))
    model[0].eval()
    prepare_heads(model, toy_benchmark())
    assert model[1].classifier.out_features == 6
    assert not model[0].training
    assert model.training


def test_other_models_do_not_change():
    model = nn.Linear(5, 3)
    before = model.weight.clone()
    prepare_heads(model, toy_benchmark())
    assert torch.equal(model.weight, before)
