from itertools import pairwise

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avalanche_emgd.distributed.slice_exchange import SliceExchange, slice_bounds
from avalanche_emgd.gradients import StackedGradients
from tests.distributed.threads import in_threads


@given(st.integers(0, 1000), st.integers(1, 20))
def test_slices_follow_each_other(size, processes):
    bounds = slice_bounds(size, processes)
    assert len(bounds) == processes + 1
    assert (bounds[0], bounds[-1]) == (0, size)
    lengths = [stop - start for start, stop in pairwise(bounds)]
    assert sorted(lengths, reverse=True) == lengths  # the last ones are shorter, or empty
    assert max(lengths) == -(-size // processes)


def assignments(processes):
    """Objectives of each process: each in its place, of several processes, or of all."""
    some = st.lists(st.integers(0, 2), max_size=4)
    return st.one_of(
        st.just([[k for k in range(3) if k % processes == w] for w in range(processes)]),
        st.just([[0, 1, 2]] * processes),
        st.lists(some, min_size=processes, max_size=processes).filter(any),
    )


@settings(max_examples=20)
@given(st.integers(1, 9), st.integers(1, 4), st.data())
def test_a_slice_has_the_sums_of_all_rows(size, processes, data):
    objectives = data.draw(assignments(processes))
    parameters = [torch.zeros(size, dtype=torch.float64)]
    bounds = slice_bounds(size, processes)

    def case(each):
        exchange, slices = SliceExchange(each), []
        for tick in (1.0, 10.0):  # in the same memory
            own = torch.tensor(objectives[each.rank], dtype=torch.float64)[:, None]
            rows = tick * (1.0 + own + 0.1 * torch.arange(size)) if len(own) else None
            given_rows = None if rows is None else StackedGradients(rows)
            found = exchange.slice_of_all(given_rows, objectives, 3, parameters)
            slices.append(found.pieces[0].rows.clone())
        return slices

    counts = torch.zeros(3, 1, dtype=torch.float64)
    for k in (k for each in objectives for k in each):
        counts[k] += 1.0
    each_row = 1.0 + torch.arange(3.0, dtype=torch.float64)[:, None] + 0.1 * torch.arange(size)
    for (start, stop), slices in zip(pairwise(bounds), in_threads(processes, case), strict=True):
        for tick, found in zip((1.0, 10.0), slices, strict=True):
            torch.testing.assert_close(found, tick * (counts * each_row)[:, start:stop])


def test_memory_is_that_of_the_last_tick():
    def case(processes):
        exchange, rows = SliceExchange(processes), StackedGradients(torch.ones(1, 4))
        arguments = (rows, [[0], [1]], 2, [torch.zeros(4)])
        first = exchange.slice_of_all(*arguments)
        return first is exchange.slice_of_all(*arguments)

    assert in_threads(2, case) == [True, True]
