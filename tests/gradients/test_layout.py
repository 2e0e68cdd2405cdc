"""Where gradients are written, and that nothing of one tick is left in the next."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from avalanche_emgd import MLP
from avalanche_emgd.gradients import FusedEngine, PlainEngine, gramian_of, layout
from avalanche_emgd.gradients._block_products import BLOCK
from avalanche_emgd.gradients.gramian import GramianOf
from tests.gradients.test_fused_engine import Twice, make_batches
from tests.gradients.test_layerwise_gradients import agree, agrees_with, gradients_of
from tests.tolerance import tolerance


@pytest.fixture(autouse=True)
def _small_is_large(monkeypatch):
    monkeypatch.setattr(layout, "_LARGE", 20)


def model_with_pieces():
    """Two weights that are apart, runs of others before, between and after them."""
    return nn.Sequential(
        nn.Linear(6, 3), nn.Tanh(), nn.Linear(3, 8), nn.LayerNorm(8), nn.Tanh(), nn.Linear(8, 5)
    )


def compare(fused, model, sizes, shared, dtype=torch.float64, parameters=None):
    batches = make_batches(sizes, (6,), dtype)
    found = gradients_of(fused, model, batches, parameters)
    assert fused.reason is None
    assert found.rows.dtype == dtype
    expected = gradients_of(PlainEngine(), model, batches, parameters)
    weights = torch.rand(len(sizes), dtype=torch.float64) - 0.3
    agree(found, expected, shared, weights)
    out = torch.full_like(expected.rows[0], torch.nan)
    assert found.combine(weights, shared, out=out) is out
    assert torch.equal(out, found.combine(weights, shared))
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.integers(1, 9).flatmap(lambda n: st.just([4] * n)),
            st.lists(st.integers(1, 5), min_size=1, max_size=9),
        ),
        min_size=1,
        max_size=5,
    ),
    st.integers(0, 8),
    st.sampled_from([torch.float32, torch.float64]),
    st.integers(0, 10**6),
)
def test_ticks_of_any_sizes_one_after_the_other(ticks, shared_parameters, dtype, seed):
    torch.manual_seed(seed)
    model = model_with_pieces().to(dtype)
    shared = sum(p.numel() for p in list(model.parameters())[:shared_parameters])
    fused = FusedEngine(model)
    for sizes in ticks:
        compare(fused, model, sizes, shared, dtype)


def test_many_objectives_have_large_weights_apart():
    torch.manual_seed(0)
    model = model_with_pieces()
    pieces = [p.numel() for p in model.parameters()]
    for n, expected in ((5, [sum(pieces)]), (6, [21, 24, 24, 40, 5])):
        found = compare(FusedEngine(model), model, [3] * n, 10**6, torch.float32)
        assert [p.rows.shape[1] for p in found._dense.pieces] == expected


def test_a_large_layer_that_is_called_twice():
    torch.manual_seed(0)
    model = Twice().double()
    fused = FusedEngine(model)
    for sizes in ([2] * 7, [1, 2, 3, 1, 2, 3, 1], [2] * 7):
        compare(fused, model, sizes, 10**6)


def test_what_changes_between_ticks_is_noticed():
    torch.manual_seed(0)
    model = MLP(5, in_features=6, hidden=(8, 7)).double()
    fused, sizes = FusedEngine(model), [2] * 7
    compare(fused, model, sizes, 10**6)
    first = next(layer for layer in model.modules() if isinstance(layer, nn.Linear))
    first.weight = nn.Parameter(torch.randn_like(first.weight))  # another object
    compare(fused, model, sizes, 10**6)
    first.bias.requires_grad_(False)
    some = [p for p in model.parameters() if p.requires_grad]
    compare(fused, model, sizes, 48, parameters=some)
    compare(fused, model, sizes, 5, parameters=some[::-1])
    compare(fused, model, sizes, 48, parameters=some)
    model.float()  # the same objects with other numbers
    compare(fused, model, sizes, 48, torch.float32, parameters=some)


def test_the_shared_parameters_may_change():
    torch.manual_seed(0)
    model = model_with_pieces().double()
    batches = make_batches([3] * 7, (6,), torch.float64)
    found = gradients_of(FusedEngine(model), model, batches)
    expected = gradients_of(PlainEngine(), model, batches)
    for shared in (21, 45, 0, 10**6, 21, 40, 30):  # also within a piece
        agree(found, expected, shared, torch.rand(7, dtype=torch.float64))


def test_parameters_that_no_layer_uses_are_zero_at_every_tick():
    torch.manual_seed(0)
    model = model_with_pieces().double()
    foreign = nn.Parameter(torch.randn(40, dtype=torch.float64))
    parameters = list(model.parameters())
    fused = FusedEngine(model)
    for place in (0, 3, len(parameters)):
        some = [*parameters[:place], foreign, *parameters[place:]]
        found = compare(fused, model, [2] * 7, 10**6, parameters=some)
        assert found.used == [p is not foreign for p in some]


def test_hooks_are_gone_even_where_a_model_fails():
    model = MLP(5, in_features=6, hidden=(8,))
    fused = FusedEngine(model)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        gradients_of(fused, model, make_batches([2, 2], (7,), torch.float32))
    assert not any(layer._forward_hooks for layer in model.modules())
    compare(fused, model, [2, 2], 10**6, torch.float32)


@pytest.mark.parametrize("n", [3, 12, 20, 33])
@pytest.mark.parametrize("sizes", [(9000,), (2048, 7000, 3), (0, 8192), (1024, 1, 9000, 0)])
def test_a_gramian_of_pieces_follows_what_is_written_to_them(n, sizes):
    torch.manual_seed(n)
    pieces = [torch.randn(n, size) + 0.1 for size in sizes]
    prepared = GramianOf(pieces)
    for _ in range(2):
        rows = torch.cat(pieces, dim=1).double()
        assert agrees_with(prepared(), rows @ rows.T, tolerance(torch.float32, BLOCK))
        for piece in pieces:
            piece.copy_(torch.randint(-127, 128, piece.shape))  # sums of integers are exact
        rows = torch.cat(pieces, dim=1).double()
        assert torch.equal(prepared(), rows @ rows.T)
        for piece in pieces:
            piece.normal_()
    before = prepared()
    kept = before.clone()
    pieces[-1].zero_()
    pieces[0].zero_()
    prepared()
    assert torch.equal(before, kept)  # an answer is the caller's


@pytest.mark.parametrize("n", [3, 20])
def test_a_gramian_is_of_the_kind_of_its_rows_whatever_the_default(n):
    rows = torch.randn(n, 9000)
    expected = gramian_of(rows)
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.equal(gramian_of(rows), expected)
    finally:
        torch.set_default_dtype(default)


def test_gradients_in_one_piece_are_not_copied():
    model = model_with_pieces()
    found = gradients_of(FusedEngine(model), model, make_batches([40] * 3, (6,), torch.float32))
    (piece,) = found._dense.pieces
    assert found.rows.data_ptr() == piece.padded.data_ptr()


def test_pieces_too_small_or_too_large_for_float32_are_multiplied_in_float64():
    pieces = [scale * torch.randn(3, 5000) for scale in (1e-24, 1e-25)]
    rows = torch.cat(pieces, dim=1).double()
    bound = tolerance(torch.float64, 10_000)
    assert agrees_with(GramianOf(pieces)(), rows @ rows.T, bound)
    assert agrees_with(gramian_of(torch.cat(pieces, 1)), rows @ rows.T, bound)


@pytest.mark.parametrize("n", [2, 7])
@pytest.mark.parametrize("lean", [False, True])
def test_weights_that_do_not_train_have_no_place(n, lean):
    torch.manual_seed(0)
    model = model_with_pieces().double()
    parameters = [p for place, p in enumerate(model.parameters()) if place not in (0, 2)]
    found = compare(FusedEngine(model, lean=lean), model, [3] * n, 27, parameters=parameters)
    assert found.rows.shape == (n, sum(p.numel() for p in parameters))
