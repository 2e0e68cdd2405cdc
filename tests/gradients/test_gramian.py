import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.gradients import gramian_of
from avalanche_emgd.gradients.gramian import GramianOf, exact


@given(
    st.integers(1, 40),
    st.sampled_from([1, 100, 8 * 1024 - 1, 8 * 1024, 9000]),
    st.sampled_from([torch.float32, torch.float64]),
    st.integers(0, 2**31),
)
def test_products_of_all_pairs(n, size, dtype, seed):
    rows = torch.randn(n, size, generator=torch.Generator().manual_seed(seed)).to(dtype)
    found, expected = gramian_of(rows), rows.double() @ rows.double().T
    assert found.dtype == torch.float64
    norms = rows.double().norm(dim=1)
    bound = 1024 * torch.finfo(dtype).eps  # products of 1024 elements in the rows' own dtype
    assert ((found - expected).abs() <= bound * norms[:, None] * norms).all()


@pytest.mark.parametrize("scale", [1e-30, 1e-25, 1e18])
def test_neither_small_nor_large_gradients_are_lost(scale):
    rows = torch.randn(3, 9000) * torch.tensor([[scale], [1.0], [1.0]])
    expected = rows.double() @ rows.double().T
    torch.testing.assert_close(gramian_of(rows), expected, rtol=1e-5, atol=0.0)


def test_rows_in_pieces_that_are_written_again():
    pieces = [torch.randn(4, 5000), torch.randn(4, 6000)]
    gramian = GramianOf(pieces)
    first = gramian()
    rows = torch.cat(pieces, 1)
    torch.testing.assert_close(first, gramian_of(rows), rtol=0.0, atol=1e-7 * float(first.max()))
    pieces[0].mul_(2.0)
    assert not torch.equal(gramian(), first)


def test_exact_is_float64_on_the_cpu():
    assert exact(torch.ones(2, dtype=torch.bfloat16)).dtype == torch.float64


@pytest.mark.parametrize("count", [1, 2, 3])
def test_each_piece_counts_once(count):
    """Whole numbers, whose products and sums are exact."""
    pieces = [torch.randint(-9, 10, (4, size)) for size in (3, 8192, 5)[:count]]
    rows = torch.cat(pieces, dim=1)
    for dtype in (torch.float32, torch.float64):
        found = GramianOf([piece.to(dtype) for piece in pieces])()
        assert torch.equal(found, (rows @ rows.T).double())
