"""Shares of a tick, and the batches of one process."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.distributed.placement import ByObjective, BySample, Share
from avalanche_emgd.distributed.shares import cut, cuts_objectives, is_in_order
from avalanche_emgd.gradients import Batches

SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=5)


@given(SIZES, st.integers(1, 4), st.booleans(), st.sampled_from([ByObjective(), BySample()]))
def test_cuts_of_all_processes_are_the_tick(sizes, number, is_single, placement):
    x = torch.arange(float(sum(sizes)))
    batches = Batches(x if is_single else (x, -x), sizes, [1] * len(sizes))
    shares = placement.shares(sizes, batches.groups, number, coupled=False)
    found, rows = [], {objective: [] for objective in range(len(sizes))}
    for own in filter(None, shares):
        mine = cut(batches, own)
        assert mine.sizes == [share.stop - share.start for share in own]
        assert mine.groups == [1] * len(own)
        column = mine.whole if is_single else mine.whole[0]
        assert is_single or torch.equal(mine.whole[1], -column)
        found += column.tolist()
        for share, piece in zip(own, column.split(mine.sizes), strict=True):
            rows[share.objective] += piece.tolist()
    assert sorted(found) == x.tolist()
    assert [sorted(each) for each in rows.values()] == [each.tolist() for each in x.split(sizes)]
    assert is_in_order(shares) == (found == x.tolist())


def test_objectives_of_one_batch_stay_together():
    batches = Batches(torch.arange(9.0), [2, 3, 4], [2, 1])
    own = [Share(0, 0, 2), Share(1, 2, 5), Share(2, 5, 6)]
    assert cut(batches, own).groups == [2, 1]
    assert cut(batches, [own[0], own[2]]).groups == [1, 1]
    assert cut(batches, [own[0], own[2]]).whole.tolist() == [0.0, 1.0, 5.0]


def test_an_objective_is_cut_where_a_share_is_less():
    whole = [[Share(0, 0, 2)], [Share(1, 2, 5)], []]
    assert not cuts_objectives(whole, [2, 3])
    assert cuts_objectives([[Share(0, 0, 2), Share(1, 2, 3)], [Share(1, 3, 5)]], [2, 3])
