"""Batches of objectives as pieces of one, and their groups."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.gradients import Batches
from avalanche_emgd.gradients.batches import Pieces, join, versions_of


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_pieces_are_the_batches_that_were_joined(sizes):
    batches = [(torch.randn(size, 3), torch.arange(size)) for size in sizes]
    joined = join(batches)
    assert joined.sizes == sizes
    assert joined.groups == [1] * len(sizes)
    for found, expected in zip(joined, batches, strict=True):
        assert all(map(torch.equal, found, expected))


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=4))
def test_groups_are_one_piece_each(members):
    """``members``: number of objectives in a group, and samples of each."""
    groups = [number for number, _ in members]
    sizes = [size for number, size in members for _ in range(number)]
    whole = torch.randn(sum(sizes), 2)
    batches = Batches(whole, sizes, groups)
    pieces = batches.merged(groups)
    assert pieces.sizes == [number * size for number, size in members]
    assert torch.equal(torch.cat(list(pieces)), whole)


@pytest.mark.parametrize("groups", [[1], [3], [2, 0], [1, 1, 1], []])
def test_groups_must_cover_the_objectives(groups):
    with pytest.raises(ValueError, match="`groups` must be positive and cover 2 objectives"):
        Batches(torch.randn(4, 2), [2, 2], groups)


def test_pieces_of_a_graph_can_be_modified_in_place():
    x = torch.ones(4, 2, requires_grad=True)
    first, second = Pieces(x * 2.0, [1, 3])
    first.mul_(3.0)
    (first.sum() + second.sum()).backward()
    assert torch.equal(x.grad[:, 0], torch.tensor([6.0, 2.0, 2.0, 2.0]))


def test_modifications_of_batches_are_counted():
    batches = [(torch.ones(2), torch.ones(2)), (torch.ones(1), torch.ones(1))]
    before = versions_of(batches)
    batches[1][0].add_(1.0)
    assert [b - a for a, b in zip(before, versions_of(batches), strict=True)] == [0, 0, 1, 0]


@pytest.mark.parametrize(
    "batches",
    [
        [torch.ones(2, 3), torch.ones(2, 4)],
        [torch.ones(2), torch.ones(2).double()],
        [(torch.ones(2), torch.ones(3))],
        [(torch.ones(2), "words")],
        [{"x": torch.ones(2)}],
        [()],
    ],
)
def test_batches_that_cannot_be_joined(batches):
    assert join(batches) is None
