"""Sets of integers as ranges."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.training.id_ranges import ids_in_ranges, ranges_of


@given(st.sets(st.integers(-5, 40), min_size=1), st.randoms(use_true_random=False))
def test_ranges_hold_the_ids_and_no_others(ids, random):
    shuffled = sorted(ids)
    random.shuffle(shuffled)
    ranges = ranges_of(torch.tensor(shuffled))
    assert ids_in_ranges(ranges).tolist() == sorted(ids)
    # As few as can be: between two ranges an integer is missing.
    assert (ranges[1:, 0] - ranges[:-1, 1] > 1).all()


def test_no_ids_have_no_ranges():
    ranges = ranges_of(torch.empty(0, dtype=torch.long))
    assert ranges.shape == (0, 2)
    assert ids_in_ranges(ranges).tolist() == []
