import torch
from hypothesis import given, settings
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


@settings(max_examples=10)
@given(st.sampled_from([1, 12, 13, 40]), st.integers(1, 3), st.integers(0, 2**31))
def test_sums_beyond_a_block_are_not_in_float32(n, count, seed):
    """Of whole numbers whose sums within a block are exact in float32, and no longer ones."""
    assert 127**2 * BLOCK < 2**24 < 120**2 * 8 * BLOCK
    generator = torch.Generator().manual_seed(seed)
    pieces = [torch.randint(120, 128, (n, 8 * BLOCK), generator=generator) for _ in range(count)]
    rows = torch.cat(pieces, dim=1)
    found = BlockProducts([piece.float() for piece in pieces])()
    assert torch.equal(found, (rows @ rows.T).double())
