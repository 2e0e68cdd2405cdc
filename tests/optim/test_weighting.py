import pytest
import torch
from torchjd.aggregation import GramianWeightedAggregator, MGDAWeighting

from avalanche_emgd.gradients import gramian_of
from avalanche_emgd.optim import EMGD, GMC, EMGDWeighting, solve_dual
from tests.tolerance import tolerance


def test_usable_with_torchjd_alone():
    """Descends on two conflicting losses with nothing but TorchJD and PyTorch."""
    from torchjd.autojac import backward, jac_to_grad

    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    aggregator = EMGD("gmc")
    x = torch.randn(20, 3)
    targets = torch.randn(2, 20)
    before = None
    for _ in range(200):
        losses = (model(x) - targets.T).square().mean(0)
        before = losses.detach() if before is None else before
        optimizer.zero_grad()
        backward(list(losses))
        jac_to_grad(model.parameters(), aggregator)
        optimizer.step()
    assert (losses < before).all()


def test_constant_factors_agree_with_torchjds_mgda():
    J = torch.randn(3, 10, dtype=torch.float64)
    ours = EMGDWeighting("mgda")(J @ J.T)
    theirs = MGDAWeighting(epsilon=1e-12, max_iters=100_000)(J @ J.T)
    # Frank-Wolfe stops where its objective gains less than epsilon; weights differ by its root.
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0.0)


def test_combines_rows_with_the_weights():
    J = torch.randn(4, 6)
    weighting = EMGDWeighting("gs")
    torch.testing.assert_close(EMGD("gs")(J), weighting(gramian_of(J)).float() @ J)
    assert weighting.solution.residual <= tolerance(torch.float64, 6 * 10)
    assert float((1 / weighting.sigma).mean()) == pytest.approx(1.0)


def test_dtype_of_the_gramian_is_kept():
    G = torch.eye(2)
    assert EMGDWeighting()(G).dtype == torch.float32
    assert EMGDWeighting()(G.double()).dtype == torch.float64


def test_small_float32_gradients_do_not_vanish():
    J = 1e-25 * torch.rand(3, 50)  # no sums that cancel, which float32 rounds at will
    aggregated = EMGD("mgda")(J)
    assert float(aggregated.abs().max()) > 0.0
    expected = solve_dual(J.double() @ J.double().T).weights @ J.double()
    bound = tolerance(torch.float32, 50)
    torch.testing.assert_close(aggregated.double(), expected, rtol=bound, atol=0.0)


def test_is_a_torchjd_aggregator_with_state():
    aggregator = EMGD()
    assert isinstance(aggregator, GramianWeightedAggregator)
    aggregator(torch.randn(2, 3))
    assert aggregator.gramian_weighting.elastic.state_dict()["objectives"]
    aggregator.reset()
    assert not aggregator.gramian_weighting.elastic.state_dict()["objectives"]


def test_state_dict_round_trip(tmp_path):
    one, other = EMGD(GMC(decay=0.9)), EMGD(GMC(decay=0.9))
    one.set_objectives(["a", "b"])
    one(torch.randn(2, 5))
    torch.save(one.state_dict(), tmp_path / "state.pt")
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    J = torch.randn(2, 5)
    for aggregator in (one, other):
        aggregator.set_objectives(["b", "c"])
    assert torch.equal(one(J), other(J))


def test_nan_names_the_objective_and_leaves_the_state_alone():
    weighting = EMGDWeighting("gmc")
    weighting.set_objectives(["digits", "memory"])
    weighting(torch.eye(2))
    before = weighting.elastic.state_dict()
    with pytest.raises(ValueError, match="objective 'memory' is NaN"):
        weighting(torch.tensor([[1.0, float("nan")], [float("nan"), float("nan")]]))
    assert weighting.elastic.state_dict() == before


def test_wrong_number_of_objectives():
    weighting = EMGDWeighting()
    weighting.set_objectives(["a", "b", "c"])
    with pytest.raises(ValueError, match="2 distinct identities"):
        weighting(torch.eye(2))


def test_no_gradient_flows_through_the_weights():
    J = torch.randn(2, 3, requires_grad=True)
    assert not EMGDWeighting()(J @ J.T).requires_grad


@pytest.mark.parametrize("elastic", ["gmc", "gs", GMC(1.0, decay=0.0), GMC(0.5, decay=0.0)])
def test_a_converged_objective_does_not_blow_up(elastic):
    """Its rounding errors stay what they are, and the others go on."""
    J = torch.tensor([[1.0, 0.5, 0.0], [0.0, 1.0, 2.0], [1e-37, -1e-37, -1e-37]])
    weighting = EMGDWeighting(elastic)
    weights = weighting(gramian_of(J))
    combined = weights.float() @ J
    assert bool(combined.isfinite().all())
    assert (J[:2] @ combined > 0).all()
    assert float((weights[2] * J[2].double()).norm()) < 1e-30


@pytest.mark.parametrize("matrix", [torch.zeros(0, 3), torch.ones(2, 3, dtype=torch.int64)])
def test_bad_jacobian(matrix):
    with pytest.raises(ValueError, match="`matrix` must have at least one row of a floating dtype"):
        EMGD()(matrix)


def test_states_of_the_rule_are_forgotten():
    weighting = EMGDWeighting("gmc")
    assert weighting.sigma is weighting.solution is None
    weighting.set_objectives(["a", "b"])
    weighting(torch.eye(2))
    assert weighting.get_extra_state() == {"objectives": [("a", 1.0), ("b", 1.0)]}
    weighting.forget(["a"])
    assert weighting.get_extra_state() == {"objectives": [("b", 1.0)]}
    weighting.reset()
    assert weighting.get_extra_state() == {"objectives": []}
    assert weighting.sigma is weighting.solution is None
    weighting(torch.eye(3))  # no names are left either
    assert dict(weighting.get_extra_state()["objectives"]).keys() == {0, 1, 2}


def test_the_aggregator_passes_names_on_and_combines_rows():
    aggregator = EMGD("gmc")
    aggregator.set_objectives(["a", "b"])
    rows = torch.tensor([[2.0, 0.0], [0.0, 4.0]])
    weights = EMGDWeighting("gmc")(rows @ rows.T)
    torch.testing.assert_close(aggregator(rows), weights @ rows)
    state = aggregator.gramian_weighting.get_extra_state()
    assert state == {"objectives": [("a", 4.0), ("b", 16.0)]}


@pytest.mark.parametrize("rows", [[[1e-170, 0.0], [0.0, 1e-160]], [[1e-150, 0.0], [0.0, 0.0]]])
def test_rows_whose_squares_float64_cannot_hold(rows):
    with pytest.raises(ArithmeticError, match=r"`matrix` has a longest entry of 1\.0e-1.0, whose"):
        EMGD()(torch.tensor(rows, dtype=torch.float64))
    short_and_long = torch.tensor([rows[0], [0.0, 1.0]], dtype=torch.float64)
    assert torch.isfinite(EMGD()(short_and_long)).all()
    assert not EMGD()(torch.zeros(2, 2)).any()
