import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from avalanche_emgd.gradients.model_structure import same_structure, structure_of
from avalanche_emgd.models import NearestMean, is_masked
from tests.optim.families import unit
from tests.tolerance import tolerance

CLASSES = 5


def small_model(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, CLASSES)).double()


def nearest_mean(model, x, inputs, labels):
    """Compute minus the distances ``[B, K]``, one by one; −inf for classes without exemplars."""
    logits = torch.full((len(x), CLASSES), -torch.inf, dtype=torch.float64)
    for label in set(labels.tolist()):
        units = [unit(model[:2](p)) for p, y in zip(inputs, labels, strict=True) if y == label]
        mean = unit(sum(units) / len(units))
        for row, sample in zip(logits, x, strict=True):
            row[label] = -(unit(model[:2](sample)) - mean).norm()
    return logits


@given(st.lists(st.integers(0, CLASSES - 1), max_size=12), st.integers(0, 99))
@settings(max_examples=60)
def test_logits_are_distances_to_the_normalised_means_of_normalised_features(labels, seed):
    model, labels = small_model(seed), torch.tensor(labels, dtype=torch.long)
    inputs, x = torch.randn(len(labels), 3).double(), torch.randn(7, 3).double()
    wrapped = NearestMean(model, lambda: (inputs, labels)).eval()
    with torch.no_grad():
        logits, expected = wrapped(x), nearest_mean(model, x, inputs, labels)
    absent = expected.isinf()
    assert torch.equal(is_masked(logits), absent)
    torch.testing.assert_close(logits[~absent], expected[~absent])
    if len(labels):
        assert torch.equal(logits.argmax(1), expected.argmax(1))


def test_many_exemplars_are_taken_in_pieces():
    model, inputs, x = small_model(), torch.randn(1100, 3).double(), torch.randn(4, 3).double()
    labels = torch.arange(1100) % CLASSES
    with torch.no_grad():
        logits = NearestMean(model, lambda: (inputs, labels)).eval()(x)
        torch.testing.assert_close(logits, nearest_mean(model, x, inputs, labels))


def test_classes_without_exemplars_are_masked():
    wrapped = NearestMean(small_model(), lambda: (torch.empty(0), torch.empty(0, dtype=torch.long)))
    assert is_masked(wrapped.eval()(torch.randn(2, 3).double())).all()


def test_in_training_mode_the_output_is_that_of_the_model():
    def exemplars():
        raise AssertionError("nobody predicts")

    model, x = small_model(), torch.randn(4, 3).double()
    assert torch.equal(NearestMean(model, exemplars)(x), model(x))


def test_means_are_kept_until_refreshed():
    model, x = small_model(), torch.randn(6, 3).double()
    exemplars, asked = [torch.randn(4, 3).double(), torch.tensor([0, 0, 1, 1])], []

    def give():
        asked.append(True)
        return tuple(exemplars)

    wrapped = NearestMean(model, give).eval()
    before = wrapped(x)
    exemplars[1] = torch.tensor([2, 3, 3, 2])
    assert torch.equal(wrapped(x), before)
    assert len(asked) == 1
    wrapped.refresh()
    assert len(asked) == 1
    with torch.no_grad():
        after = wrapped(x)
        expected = nearest_mean(model, x, *exemplars)
    assert len(asked) == 2
    torch.testing.assert_close(after[:, 2:4], expected[:, 2:4])
    assert is_masked(after)[:, [0, 1, 4]].all()


def test_means_are_taken_in_evaluation_mode_and_modes_are_left():
    torch.manual_seed(0)
    dropout = nn.Dropout(0.5)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), dropout, nn.Linear(4, CLASSES)).double()
    inputs, labels = torch.randn(5, 3).double(), torch.arange(5)
    wrapped = NearestMean(model, lambda: (inputs, labels)).eval()
    dropout.train()  # on its own, as in Monte-Carlo dropout
    wrapped(inputs)
    assert dropout.training
    dropout.eval()
    with torch.no_grad():
        distances = -wrapped(inputs).diagonal()
    # the root of what has cancelled
    bound = tolerance(torch.float64, 4) ** 0.5
    torch.testing.assert_close(distances, torch.zeros(5).double(), rtol=0, atol=bound)


def test_training_changes_the_parameters_of_the_model():
    model = small_model()
    wrapped = NearestMean(model, lambda: (torch.empty(0), torch.empty(0)))
    assert [id(p) for p in wrapped.parameters()] == [id(p) for p in model.parameters()]
    assert wrapped.classifier is model[2]


def test_a_classifier_is_needed():
    with pytest.raises(ValueError, match=r"contains no torch\.nn\.Linear"):
        NearestMean(nn.ReLU(), lambda: None)


def test_an_evaluation_changes_nothing_that_gradient_engines_compare():
    inputs, labels = torch.randn(4, 3).double(), torch.tensor([0, 1, 1, 2])
    wrapped = NearestMean(small_model(), lambda: (inputs, labels))
    before = structure_of(wrapped)
    wrapped.eval()(inputs)
    assert same_structure(structure_of(wrapped.train()), before)
