"""Placements share each sample out once, evenly and in order."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.distributed import Automatic, ByObjective, BySample, Even
from avalanche_emgd.distributed.placement import make_placement

SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=12)
PLACEMENTS = [ByObjective(), BySample(), Even(), Automatic()]


def total(shares):
    return sum(share.stop - share.start for share in shares)


def grouped(sizes, draw):
    """Divide objectives into groups of successive ones."""
    groups = []
    while sum(groups) < len(sizes):
        groups.append(draw(st.integers(1, len(sizes) - sum(groups))))
    return groups


@pytest.mark.parametrize("placement", PLACEMENTS, ids=repr)
@given(sizes=SIZES, processes=st.integers(1, 9), coupled=st.booleans(), data=st.data())
def test_each_sample_is_in_one_share(placement, sizes, processes, coupled, data):
    groups = grouped(sizes, data.draw)
    shares = placement.shares(sizes, groups, processes, coupled=coupled)
    assert len(shares) == processes
    edges = [0]
    for size in sizes:
        edges.append(edges[-1] + size)
    samples = []
    for own in shares:
        for share in own:
            assert edges[share.objective] <= share.start < share.stop <= edges[share.objective + 1]
            samples += range(share.start, share.stop)
        assert all(a.stop <= b.start for a, b in pairwise(own))
    assert sorted(samples) == list(range(edges[-1]))


@given(sizes=SIZES, processes=st.integers(1, 9), data=st.data())
def test_by_objective_is_balanced_and_keeps_batches_whole(sizes, processes, data):
    groups = grouped(sizes, data.draw)
    shares = ByObjective().shares(sizes, groups, processes, coupled=True)
    batch_of = [g for g, number in enumerate(groups) for _ in range(number)]
    owners = {}
    for rank, own in enumerate(shares):
        for share in own:
            assert share.stop - share.start == sizes[share.objective]
            owners.setdefault(batch_of[share.objective], set()).add(rank)
    assert all(len(ranks) == 1 for ranks in owners.values())
    order = [min(owners[batch]) for batch in sorted(owners)]
    assert order == sorted(order)
    largest = max(sum(s for s, b in zip(sizes, batch_of, strict=True) if b == g) for g in owners)
    for own in shares:
        assert total(own) <= sum(sizes) / processes + largest


@given(number=st.integers(1, 40), size=st.integers(1, 40), processes=st.integers(1, 9))
def test_equal_objectives_are_shared_out_equally(number, size, processes):
    shares = ByObjective().shares([size] * number, [1] * number, processes, coupled=False)
    assert max(map(len, shares)) <= -(-number // processes)


@given(sizes=SIZES, processes=st.integers(1, 9))
def test_samples_are_shared_out_equally(sizes, processes):
    even = Even().shares(sizes, [1] * len(sizes), processes, coupled=False)
    assert max(map(total, even)) - min(map(total, even)) <= 1
    for k, size in enumerate(sizes):
        shares = BySample().shares(sizes, [1] * len(sizes), processes, coupled=False)
        own = [sum(s.stop - s.start for s in each if s.objective == k) for each in shares]
        assert max(own) - min(own) <= 1
        assert sum(own) == size


@pytest.mark.parametrize(
    ("number", "processes", "coupled", "expected"),
    [
        (8, 4, False, ByObjective()),
        (4, 4, False, ByObjective()),
        (9, 8, False, Even()),  # one process would have two objectives
        (9, 8, True, ByObjective()),
        (2, 8, False, Even()),
        (2, 8, True, ByObjective()),
        (1, 2, False, Even()),
    ],
)
def test_automatic_choice(number, processes, coupled, expected):
    arguments = [16] * number, [1] * number, processes
    found = Automatic().shares(*arguments, coupled=coupled)
    assert found == expected.shares(*arguments, coupled=coupled)


@pytest.mark.parametrize(
    ("spec", "error", "message"),
    [
        ("by-objektive", ValueError, "`distributed` must be one of 'auto', .* 'by-objective'?"),
        (4, TypeError, "`distributed` must be a placement or one of .*, found 4."),
        (Even, TypeError, "`distributed` must be a placement or one of"),
    ],
)
def test_unknown_placements_are_refused(spec, error, message):
    with pytest.raises(error, match=message):
        make_placement(spec)


def test_placements_by_name():
    names = ("auto", "by-objective", "by-sample", "even")
    assert [repr(make_placement(name)) for name in names] == [
        "Automatic()", "ByObjective()", "BySample()", "Even()",
    ]  # fmt: skip
