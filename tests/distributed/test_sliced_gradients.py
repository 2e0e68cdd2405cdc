import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avalanche_emgd.distributed.failure import ProcessError
from avalanche_emgd.distributed.slice_exchange import slice_bounds
from avalanche_emgd.distributed.sliced_gradients import SlicedGradients
from avalanche_emgd.gradients import StackedGradients
from avalanche_emgd.gradients.dense_gradients import DenseGradients, Piece
from tests.distributed.threads import in_threads
from tests.tolerance import tolerance


def sliced(processes, rows, used=(True,), loss=1.0):
    bounds = slice_bounds(rows.shape[1], processes.size)
    part = rows[:, bounds[processes.rank] : bounds[processes.rank + 1]].clone()
    dense = DenseGradients([Piece(0, part.shape[1], part)])
    return SlicedGradients(dense, rows.shape[1], used, torch.tensor(loss), processes)


@settings(max_examples=20)
@given(st.integers(1, 4), st.integers(1, 11), st.integers(1, 4), st.data())
def test_slices_give_what_whole_gradients_give(n, size, processes, data):
    rows = torch.randn(n, size, dtype=torch.float64)
    weights = torch.rand(n, dtype=torch.float64)
    shared = data.draw(st.integers(1, size))
    whole = StackedGradients(rows.clone())
    gramian, update = whole.gramian(shared), whole.combine(weights, shared).clone()
    bound = tolerance(torch.float64, size + n) * float(rows.square().sum() + rows.abs().sum())

    def case(each):
        found = sliced(each, rows)
        out = torch.empty(size, dtype=torch.float64)
        assert torch.equal(found.rows, rows)
        assert torch.equal(found.row(n - 1), rows[n - 1])
        torch.testing.assert_close(found.gramian(shared), gramian, rtol=0.0, atol=bound)
        assert found.combine(weights, shared, out) is out
        torch.testing.assert_close(out, update, rtol=0.0, atol=bound)
        found.divide(2.0)
        assert torch.equal(found.rows, rows / 2.0)

    in_threads(processes, case)


def test_a_parameter_is_used_where_a_process_uses_it():
    used = [(True, False, False), (False, False, True)]
    found = in_threads(2, lambda each: sliced(each, torch.ones(2, 3), used[each.rank]).used)
    assert found == [[True, False, True]] * 2


def test_requests_come_with_the_gramian():
    def case(processes, kind):
        getattr(processes, kind).own = processes.rank == 1
        sliced(processes, torch.ones(2, 3)).gramian(3)
        return processes.interruption.common, processes.stop.common

    assert in_threads(3, lambda each: case(each, "interruption")) == [(True, False)] * 3
    assert in_threads(3, lambda each: case(each, "stop")) == [(False, True)] * 3


def test_different_losses_are_an_error():
    with pytest.raises(ProcessError, match="processes have different losses"):
        in_threads(2, lambda each: sliced(each, torch.ones(2, 3), loss=1.0 + each.rank).gramian(3))
