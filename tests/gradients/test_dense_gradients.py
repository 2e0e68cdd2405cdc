import torch
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.gradients.dense_gradients import DenseGradients, Piece


def pieces_of(rows, cuts):
    """Pieces with two zeros after each gradient."""
    found, start = [], 0
    for width in cuts:
        padded = torch.nn.functional.pad(rows[:, start : start + width], (0, 2))
        found.append(Piece(start, width, padded))
        start += width
    return found


@given(
    st.integers(1, 5),
    st.lists(st.integers(1, 6), min_size=1, max_size=4),
    st.data(),
    st.integers(0, 2**31),
)
def test_pieces_are_one_matrix(n, cuts, data, seed):
    generator = torch.Generator().manual_seed(seed)
    size = sum(cuts)
    rows = torch.randn(n, size, dtype=torch.float64, generator=generator)
    weights = torch.rand(n, dtype=torch.float64, generator=generator)
    shared = data.draw(st.integers(0, size))
    dense = DenseGradients(pieces_of(rows, cuts))
    torch.testing.assert_close(dense.gramian(shared), rows[:, :shared] @ rows[:, :shared].T)
    update = torch.empty(size, dtype=torch.float64)
    dense.combine(weights, shared, update)
    torch.testing.assert_close(update[:shared], weights @ rows[:, :shared])
    torch.testing.assert_close(update[shared:], rows[:, shared:].sum(0))
    dense.divide(4.0)
    torch.testing.assert_close(dense.gramian(size), rows @ rows.T / 16)
