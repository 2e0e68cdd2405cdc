import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.gradients._block_products import BLOCK, BlockProducts

EPSILON = torch.finfo(torch.float32).eps


@given(
    st.sampled_from([1, 2, 11, 12, 13, 40, 101]),
    st.lists(
        st.sampled_from([1, 7, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK]), min_size=1, max_size=3
    ),
    st.integers(0, 2**31),
)
def test_products_are_those_in_float64(n, sizes, seed):
    generator = torch.Generator().manual_seed(seed)
    pieces = [torch.randn(n, size, generator=generator) for size in sizes]
    rows = torch.cat(pieces, dim=1).double()
    norms = rows.norm(dim=1)
    error = (BlockProducts(pieces)() - rows @ rows.T).abs()
    # Of a product of BLOCK elements in float32.
    assert (error <= BLOCK * EPSILON * norms[:, None] * norms[None, :]).all()


def test_pieces_may_be_written_again():
    piece = torch.ones(3, 2 * BLOCK)
    products = BlockProducts([piece])
    first = products()
    piece *= 2.0
    assert torch.equal(products(), 4.0 * first)
    assert torch.equal(first, torch.full((3, 3), 2.0 * BLOCK, dtype=torch.float64))
