import pytest
import torch
from avalanche.models import IncrementalClassifier, MTSimpleMLP
from torch import nn

from avalanche_emgd import MLP
from avalanche_emgd.models.classifier import classifier_inputs, find_classifier


class Classified(nn.Module):
    def __init__(self, classifier):
        super().__init__()
        self.classifier = classifier
        self.later = nn.Linear(3, 2)


def test_the_attribute_classifier_comes_first():
    model = Classified(nn.Linear(4, 3))
    assert find_classifier(model) == ("classifier", model.classifier)
    model = MLP(6, in_features=5)
    assert find_classifier(model) == ("classifier", model.classifier)


def test_otherwise_the_last_linear_layer_is_found():
    inner = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3))
    assert find_classifier(nn.Sequential(nn.Linear(4, 4), inner, nn.ReLU())) == ("1.1", inner[1])
    model = Classified(nn.Sequential(nn.Linear(4, 3)))
    assert find_classifier(model) == ("later", model.later)


@pytest.mark.parametrize("model", [nn.Linear(3, 2), nn.Sequential(nn.Conv1d(1, 2, 3), nn.ReLU())])
def test_a_model_without_linear_layer_is_refused(model):
    with pytest.raises(ValueError, match=f"`model` {type(model).__name__} contains no torch.nn"):
        find_classifier(model)


@pytest.mark.parametrize("head", [IncrementalClassifier(3), MTSimpleMLP()])
def test_heads_that_grow_are_refused(head):
    with pytest.raises(ValueError, match="`model` Sequential has heads that grow"):
        find_classifier(nn.Sequential(nn.Linear(4, 3), head))


def test_inputs_are_collected_at_each_pass_without_change():
    model, x = MLP(6, in_features=5, hidden=(4,)), torch.randn(3, 5)
    expected = model(x)
    with classifier_inputs(model.classifier) as collected:
        assert torch.equal(model(x), expected)
        model(x[:1])
    model(x)
    assert [tuple(features.shape) for features in collected] == [(3, 4), (1, 4)]
    assert torch.equal(collected[0], model.backbone(x))


def test_the_hook_is_removed_after_an_error():
    layer = nn.Linear(3, 2)
    with pytest.raises(RuntimeError), classifier_inputs(layer) as collected:
        layer(torch.zeros(1, 7))
    layer(torch.zeros(1, 3))
    assert [tuple(features.shape) for features in collected] == [(1, 7)]
