import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from avalanche_emgd.training.cross_entropy import is_mean_cross_entropy, mean_cross_entropies


@pytest.mark.parametrize("sizes", [(4, 4), (3, 5)])
def test_ignored_samples_do_not_count(sizes):
    outputs, targets = torch.randn(8, 5).double(), torch.tensor([1, 2, 1, 0, 3, 1, 4, 2])
    criterion = nn.CrossEntropyLoss(ignore_index=1)
    found = mean_cross_entropies(criterion, outputs, targets, sizes)
    pieces = zip(outputs.split(sizes), targets.split(sizes), strict=True)
    torch.testing.assert_close(found, torch.stack([criterion(o, y) for o, y in pieces]))


@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), st.integers(0, 99))
def test_means_are_those_of_each_group(sizes, seed):
    generator = torch.Generator().manual_seed(seed)
    outputs = torch.randn(sum(sizes), 5, generator=generator, dtype=torch.float64)
    targets = torch.randint(5, (sum(sizes),), generator=generator)
    found = mean_cross_entropies(nn.CrossEntropyLoss(), outputs, targets, sizes)
    pieces = zip(outputs.split(sizes), targets.split(sizes), strict=True)
    expected = torch.stack([functional.cross_entropy(x, y) for x, y in pieces])
    torch.testing.assert_close(found, expected)


def hooked():
    criterion = nn.CrossEntropyLoss()
    criterion.register_forward_hook(lambda module, given, loss: 3.0 * loss)
    return criterion


def patched():
    criterion = nn.CrossEntropyLoss()
    criterion.forward = lambda output, target: output.sum()
    return criterion


class Own(nn.CrossEntropyLoss):
    """A criterion of a user's."""


OTHERS = {
    "weighted": lambda: nn.CrossEntropyLoss(weight=torch.ones(5)),
    "sum": lambda: nn.CrossEntropyLoss(reduction="sum"),
    "smoothed": lambda: nn.CrossEntropyLoss(label_smoothing=0.1),
    "hooked": hooked,
    "patched": patched,
    "subclass": Own,
    "function": lambda: functional.cross_entropy,
    "another": nn.MultiMarginLoss,
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_criteria_are_no_plain_means(name):
    assert not is_mean_cross_entropy(OTHERS[name]())


def test_plain_means():
    assert is_mean_cross_entropy(nn.CrossEntropyLoss())
    assert is_mean_cross_entropy(nn.CrossEntropyLoss(ignore_index=3))
