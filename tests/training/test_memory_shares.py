from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.training.memory_shares import equal_shares, filled_shares

COUNTS = st.lists(st.integers(0, 30), min_size=1, max_size=12)


@given(st.integers(0, 100), st.integers(1, 20))
def test_equal_shares(capacity, number):
    shares = equal_shares(capacity, number)
    assert sum(shares) == capacity
    assert shares == sorted(shares, reverse=True)
    assert max(shares) - min(shares) <= 1


@given(st.integers(0, 100), COUNTS)
def test_filled_shares_are_as_equal_as_possible(capacity, counts):
    shares = filled_shares(capacity, counts, list(range(len(counts))))
    assert sum(shares) == min(capacity, sum(counts))
    assert all(0 <= share <= count for share, count in zip(shares, counts, strict=True))
    largest = max(shares)
    for share, count in zip(shares, counts, strict=True):
        # Up to the remainder, only groups without further samples have smaller shares than others.
        assert share == count or share >= largest - 1


@given(st.integers(0, 60), st.integers(1, 12))
def test_filled_shares_are_equal_if_all_groups_are_large(capacity, number):
    assert filled_shares(capacity, [60] * number, [0.0] * number) == equal_shares(capacity, number)


@given(st.integers(0, 60), COUNTS, st.integers(0, 11), st.integers(1, 9))
def test_shares_of_the_others_never_grow(capacity, counts, place, more):
    """Otherwise dropped samples would be missing later."""
    place %= len(counts)
    before = filled_shares(capacity, counts, [0.0] * len(counts))
    grown = [count + more * (k == place) for k, count in enumerate(counts)]
    after = filled_shares(capacity, grown, [0.0] * len(counts))
    another = filled_shares(capacity, [*counts, more], [0.0] * (len(counts) + 1))
    for found in (after, another):
        assert all(
            found[k] <= before[k] for k in range(len(counts)) if k != place or found != after
        )


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12, unique=True), st.data())
def test_the_smallest_ranks_come_first_where_places_are_few(ranks, draw):
    capacity = draw.draw(st.integers(0, len(ranks) - 1))
    shares = filled_shares(capacity, [5] * len(ranks), ranks)
    chosen = sorted(rank for rank, share in zip(ranks, shares, strict=True) if share)
    assert chosen == sorted(ranks)[:capacity]
    assert set(shares) <= {0, 1}
