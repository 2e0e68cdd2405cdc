"""Gradients that are not laid out against those that are."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from avalanche_emgd import MLP
from avalanche_emgd.gradients import FusedEngine, PlainEngine, gramian_of
from avalanche_emgd.gradients._block_products import BLOCK
from avalanche_emgd.gradients.layerwise_gradients import LayerwiseGradients
from tests.gradients.test_fused_engine import TERMS, gradients_of, make_batches
from tests.tolerance import tolerance


def agree(found, expected, shared, weights):
    bound = tolerance(expected.rows.dtype, TERMS)
    lengths = expected.rows.norm(dim=1)
    assert ((found.rows - expected.rows).norm(dim=1) <= bound * (1 + lengths)).all()
    error = (found.gramian(shared) - expected.gramian(shared)).abs()
    assert (error <= bound * torch.outer(1 + lengths, 1 + lengths)).all()
    update, right = found.combine(weights, shared), expected.combine(weights, shared)
    assert update.dtype == right.dtype
    assert (update - right).norm() <= bound * (1 + weights.abs() @ lengths.double())


@settings(max_examples=60)
@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=5),
    st.integers(0, 4),
    st.sampled_from([torch.float32, torch.float64]),
    st.integers(0, 10**6),
)
def test_lean_gradients_are_the_same(sizes, shared_parameters, dtype, seed):
    torch.manual_seed(seed)
    model = MLP(5, in_features=6, hidden=(4,)).to(dtype)
    parameters = list(model.parameters())
    shared = sum(p.numel() for p in parameters[:shared_parameters])
    weights = torch.rand(len(sizes), dtype=torch.float64)
    lean = FusedEngine(model, lean=True)
    for _ in range(2):
        batches = make_batches(sizes, (6,), dtype)
        found = gradients_of(lean, model, batches)
        assert lean.reason is None
        assert isinstance(found, LayerwiseGradients)
        agree(found, gradients_of(PlainEngine(), model, batches), shared, weights)


def test_dense_gradients_and_outer_products_stand_side_by_side():
    model = nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 5)).double()
    batches = make_batches((3, 1, 2), (6,), torch.float64)
    parameters = list(model.parameters())[::-1]
    lean = FusedEngine(model, lean=True)
    found = gradients_of(lean, model, batches, parameters)
    expected = gradients_of(PlainEngine(), model, batches, parameters)
    agree(found, expected, 61, torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64))


def test_division_reaches_everything():
    model = MLP(5, in_features=6, hidden=(4,)).double()
    batches = make_batches((3, 2), (6,), torch.float64)
    found = gradients_of(FusedEngine(model, lean=True), model, batches)
    found.divide(4.0)
    expected = gradients_of(PlainEngine(), model, batches)
    expected.divide(4.0)
    agree(found, expected, 10**6, torch.ones(2, dtype=torch.float64))


def test_few_samples_are_not_laid_out_and_many_are():
    model = MLP(5, in_features=200, hidden=(100,))
    for size, kept in ((1, True), (200, False)):
        found = gradients_of(
            FusedEngine(model), model, make_batches((size, size, size), (200,), torch.float32)
        )
        assert bool(found.outer) is kept


def agrees_with(found, exact, bound):
    """But for ``bound`` times the lengths of the two rows that are multiplied."""
    lengths = exact.diagonal().sqrt()
    return bool(((found - exact).abs() <= bound * torch.outer(lengths, lengths)).all())


many_sizes = pytest.mark.parametrize("columns", [8191, 8192, 10_000])
many_rows = pytest.mark.parametrize("n", [1, 7, 12, 13, 24, 31, 100, 101])  # strips, and none


@many_sizes
@many_rows
def test_products_in_blocks_are_nearly_those_in_float64(columns, n):
    rows = torch.randn(n, columns) + 0.1
    exact = rows.double() @ rows.double().T
    assert agrees_with(gramian_of(rows), exact, tolerance(torch.float32, BLOCK))
    assert gramian_of(rows).dtype == torch.float64


@many_sizes
@many_rows
def test_products_of_integers_in_blocks_are_exact(columns, n):
    """Whole numbers up to 2²⁴ are exact in float32, and so are their sums in any order."""
    rows = torch.randint(-127, 128, (n, columns))
    assert BLOCK * 127**2 < 2**24
    assert torch.equal(gramian_of(rows.float()), (rows @ rows.T).double())


@pytest.mark.parametrize("scale", [1e-25, 1e18])
def test_products_that_float32_cannot_hold_are_kept(scale):
    rows = torch.cat([torch.randn(2, 9000), scale * torch.randn(1, 9000), torch.zeros(1, 9000)])
    exact = rows.double() @ rows.double().T
    assert agrees_with(gramian_of(rows), exact, tolerance(torch.float64, 9000))


@pytest.mark.parametrize("lean", [False, True])
def test_columns_are_those_of_the_rows(lean):
    # Large weights and what lies between them are separate pieces.
    model = nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Linear(8, 3000), nn.Linear(3000, 5))
    parameters = [p for p in model.double().parameters() if p.shape != (8,)]
    engine = FusedEngine(model, lean=lean)
    batches = make_batches((13, 8, 9), (6,), torch.float64)
    for _ in range(3):  # the third pass is fused
        found = gradients_of(engine, model, batches, parameters)
    size = sum(p.numel() for p in parameters)
    written = []
    for start, stop in ((0, 1), (1, 60), (60, size - 7), (size - 7, size), (size, size)):
        written.append(torch.full((3, stop - start), torch.nan, dtype=torch.float64))
        found.write_columns(start, stop, written[-1])
    assert isinstance(found, LayerwiseGradients)
    assert bool(found.outer) == lean
    assert torch.equal(torch.cat(written, dim=1), found.rows)


@pytest.mark.parametrize("sizes", [(3, 1, 2), (2, 2, 2)])
def test_single_rows_are_those_of_all(sizes):
    model = nn.Sequential(nn.Linear(6, 8), nn.LayerNorm(8), nn.Linear(8, 5)).double()
    batches = make_batches(sizes, (6,), torch.float64)
    found = gradients_of(FusedEngine(model, lean=True), model, batches)
    assert found.outer
    single = [found.row(k) for k in range(3)]  # before they are laid out
    bound = tolerance(torch.float64, TERMS)
    torch.testing.assert_close(torch.stack(single), found.rows, rtol=bound, atol=bound)
    factors = torch.tensor([1.0, 2.0, 3.0])
    expected = torch.cat([f.repeat(size) for f, size in zip(factors, sizes, strict=True)])
    assert torch.equal(found._of_sample(factors), expected)
