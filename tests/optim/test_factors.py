import math

import pytest
import torch
from hypothesis import given

from avalanche_emgd.optim import (
    EGDA,
    GMC,
    GS,
    Constant,
    CustomFactor,
    make_elastic_factor,
    solve_dual,
)
from tests.optim.families import gradients
from tests.tolerance import tolerance

RULES = [GMC(), GMC(2.0, 0.0), GS(), GS(1.0, 0.9, 0.0), Constant(), EGDA()]


def direction(J, rule):
    names = list(range(len(J)))
    sigma = rule(J @ J.T, names)
    return solve_dual(J @ J.T, sigma, lower_bound=rule.lower_bound(len(J))).weights @ J


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_scale_is_fixed(rule):
    @given(gradients(max_n=6))
    def holds(J):
        rule.reset()
        sigma = rule(J @ J.T, list(range(len(J))))
        assert (sigma > 0).all()
        assert float((1 / sigma).mean()) == pytest.approx(1.0)

    holds()


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_a_lone_objective_descends_along_its_gradient(rule):
    rule.reset()
    g = torch.randn(1, 7, dtype=torch.float64)
    torch.testing.assert_close(direction(g, rule), g[0])


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_orthogonal_gradients_of_equal_length_are_averaged(rule):
    rule.reset()
    J = 3.0 * torch.eye(4, dtype=torch.float64)
    torch.testing.assert_close(direction(J, rule), J.mean(0))


def test_gs_spares_objectives_that_the_average_would_hurt():
    J = torch.tensor([[4.0, 0.0], [-1.0, 1.0]]).double()
    assert float(J[1] @ J.mean(0)) < 0.0
    d = -direction(J, GS(lower_bound=0.0))
    assert (J @ d <= tolerance(torch.float64, 2 * 10, scale=16.0)).all()


def test_a_larger_gradient_is_relaxed_less():
    G = torch.diag(torch.tensor([9.0, 1.0]))
    for rule in (GMC(), GS(), EGDA()):
        sigma = rule(G, ["new", "old"])
        assert sigma[0] < sigma[1], rule


def test_moving_average_follows_identities_not_rows():
    rule = GMC(exponent=2.0, decay=0.5)
    rule(torch.diag(torch.tensor([4.0, 1.0])), ["a", "b"])
    # "a" has left, "memory" has joined, "b" has moved to another row
    sigma = rule(torch.diag(torch.tensor([2.0, 3.0])), ["memory", "b"])
    inverse = torch.tensor([2.0, 0.5 * 1.0 + 0.5 * 3.0]).double()
    torch.testing.assert_close(1 / sigma, inverse / inverse.mean())


def test_forgotten_objective_starts_anew():
    rule = GMC(exponent=2.0, decay=0.9)
    rule(torch.diag(torch.tensor([100.0, 1.0])), ["a", "b"])
    rule.forget(["a", "never seen"])
    sigma = rule(torch.diag(torch.tensor([1.0, 1.0])), ["a", "b"])
    torch.testing.assert_close(sigma, torch.ones(2).double())


@pytest.mark.parametrize("make", [GMC, lambda: GS(decay=0.8), EGDA], ids=["gmc", "gs", "egda"])
def test_state_goes_out_and_in(make, tmp_path):
    one, other = make(), make()
    for _ in range(3):
        J = torch.randn(3, 5)
        one(J @ J.T, ["a", "b", "memory"])
    torch.save(one.state_dict(), tmp_path / "state.pt")
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    J = torch.randn(3, 5)
    names = ["memory", "c", "a"]
    assert torch.equal(one(J @ J.T, names), other(J @ J.T, names))


@pytest.mark.parametrize("rule", [GMC(), GMC(decay=0.0), GS()], ids=repr)
def test_no_gradient_is_relaxed_completely_and_does_not_stop_the_others(rule):
    rule.reset()
    J = torch.tensor([[1.0, 0.0], [0.0, 0.0], [0.0, 2.0]]).double()
    names = ["a", "b", "c"]
    sigma = rule(J @ J.T, names)
    assert math.isinf(float(sigma[1]))
    d = solve_dual(J @ J.T, sigma).weights @ J
    assert (J[[0, 2]] @ d > 0).all()


def test_egda_follows_the_published_rule():
    rule = EGDA(decay=0.0)
    sigma = rule(torch.diag(torch.tensor([1.0, 4.0, 9.0])), ["a", "b", "c"])
    expected = torch.softmax(torch.tensor([1.0, 2.0, 3.0]).double() / 5.0, 0)
    torch.testing.assert_close(1 / sigma, expected * 3)
    assert rule.lower_bound(3) == 1 / 4


def test_lower_bound_leads_to_the_average():
    J = torch.randn(4, 6, dtype=torch.float64)
    rest = 1e-9  # of all weights: what is left to choose
    near = direction(J, Constant(lower_bound=1 - rest))
    assert float((near - J.mean(0)).norm()) <= 2.0 * rest * float(J.norm(dim=1).max())


def test_rule_of_the_users():
    rule = make_elastic_factor(lambda gramian, objectives: torch.tensor([1.0, 3.0]))
    assert isinstance(rule, CustomFactor)
    torch.testing.assert_close(
        1 / rule(torch.eye(2), ["a", "b"]), torch.tensor([1.5, 0.5]).double()
    )


@pytest.mark.parametrize("answer", [torch.ones(3), torch.tensor([1.0, 0.0]), torch.tensor(1.0)])
def test_bad_rule_of_the_users_is_refused(answer):
    rule = make_elastic_factor(lambda gramian, objectives: answer)
    with pytest.raises(ValueError, match="`elastic` must return 2 positive factors"):
        rule(torch.eye(2), ["a", "b"])


def test_names():
    assert isinstance(make_elastic_factor("gmc"), GMC)
    assert isinstance(make_elastic_factor("mgda"), Constant)
    with pytest.raises(ValueError, match=r"`elastic` must be one of \['egda', .*'nope'"):
        make_elastic_factor("nope")
    with pytest.raises(TypeError, match="found int"):
        make_elastic_factor(3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GMC(exponent=-1.0), "`exponent` must be at least 0 and finite"),
        (lambda: GMC(decay=1.0), r"`decay` must be in \[0, 1\), found 1.0"),
        (lambda: GS(floor=-0.1), "`floor`"),
        (lambda: GS(lower_bound=1.0), "`lower_bound`"),
        (lambda: EGDA(temperature=0.0), "`temperature` must be positive and finite"),
        (lambda: GMC(exponent=math.nan), "`exponent`"),
    ],
)
def test_bad_settings(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_identities_must_be_distinct_and_complete():
    for names in (["a", "a"], ["a"]):
        with pytest.raises(ValueError, match="2 distinct identities"):
            GMC()(torch.eye(2), names)


@pytest.mark.parametrize("rule", [GMC(), GMC(exponent=1.0, decay=0.0), GS(), Constant(), EGDA()])
@pytest.mark.parametrize("exponent", [-1000, -400, 400, 1020])
def test_gramians_next_to_the_ends_of_the_range(rule, exponent):
    G = torch.tensor([[4.0, 1.0, -1.0], [1.0, 2.0, 0.5], [-1.0, 0.5, 1.0]], dtype=torch.float64)
    rule.reset()
    sigma = rule(G * 2.0**exponent, ["a", "b", "c"])
    assert bool((sigma > 0.0).all())
    assert float((1 / sigma).mean()) == pytest.approx(1.0)
    if not isinstance(rule, EGDA):  # which looks at lengths as they are
        rule.reset()
        torch.testing.assert_close(sigma, rule(G, ["a", "b", "c"]))


@pytest.mark.parametrize("size", [1e-310, 1e-300, 1.0, 1e300])
def test_a_rule_of_the_users_may_give_factors_of_any_size(size):
    rule = CustomFactor(lambda *_: torch.tensor([size, 4.0 * size], dtype=torch.float64))
    expected = torch.tensor([0.625, 2.5], dtype=torch.float64)
    digits = 1e-12 if size > 1e-307 else 1e-2  # numbers below the normal ones have few
    torch.testing.assert_close(rule(torch.eye(2), ["a", "b"]), expected, rtol=digits, atol=0.0)


def test_a_rule_of_the_users_must_give_a_finite_factor():
    rule = CustomFactor(lambda *_: torch.tensor([torch.inf, torch.inf]))
    with pytest.raises(ValueError, match=r"at least one finite factor.*\['a', 'b'\]"):
        rule(torch.eye(2), ["a", "b"])


def test_a_matrix_that_is_not_square():
    with pytest.raises(ValueError, match=r"square matrix, found shape \(2, 3\)"):
        GMC()(torch.ones(2, 3), ["a", "b"])


@pytest.mark.parametrize("value", ["2", None, True, [1.0]])
def test_settings_that_are_no_numbers(value):
    with pytest.raises(ValueError, match="`exponent` must be at least 0 and finite"):
        GMC(exponent=value)


LENGTHS = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)


@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 2.0, 3.0])
@pytest.mark.parametrize("make", [GMC, lambda p, decay: GS(p, decay, floor=0.0)], ids=["gmc", "gs"])
def test_powers_of_lengths(make, p):
    """Of orthogonal gradients, whose mean has the n-th part of ‖g_i‖² as its product with each."""
    sigma = make(p, decay=0.0)(torch.diag(LENGTHS**2), ["a", "b", "c"])
    expected = LENGTHS**p
    torch.testing.assert_close(1 / sigma, expected / expected.mean(), rtol=1e-14, atol=0.0)


def test_gs_counts_what_is_in_conflict_by_its_floor():
    """⟨g_i, ḡ⟩ are (10, −2) / 2; the second one counts as f ‖g_i‖²."""
    G = torch.tensor([[16.0, -6.0], [-6.0, 4.0]], dtype=torch.float64)
    sigma = GS(exponent=2.0, floor=0.25)(G, ["a", "b"])
    expected = torch.tensor([5.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(1 / sigma, expected / expected.mean())


def test_large_powers_do_not_overflow():
    G = torch.diag(torch.tensor([1e200, 1e-200], dtype=torch.float64))
    sigma = GMC(exponent=6.0, decay=0.0)(G, ["a", "b"])
    assert sigma.tolist() == [0.5, math.inf]


def test_sums_of_products_that_overflow_have_means_that_do_not():
    G = torch.tensor([[4.0, 3.0, 1.0], [3.0, 4.0, 2.0], [1.0, 2.0, 4.0]], dtype=torch.float64)
    expected = GS()(G, ["a", "b", "c"])
    assert torch.equal(GS()(G * 2.0**1021, ["a", "b", "c"]), expected)


def test_without_smoothing_there_is_no_state():
    rule = GMC(decay=0.0)
    rule(torch.eye(2), ["a", "b"])
    assert rule.state_dict() == {"objectives": []}
    rule = GMC(decay=0.5)
    rule(torch.diag(torch.tensor([4.0, 1.0])), ["a", "b"])
    assert rule.state_dict() == {"objectives": [("a", 4.0), ("b", 1.0)]}
    rule.reset()
    assert rule.state_dict() == {"objectives": []}


def test_defaults_are_the_documented_ones():
    assert repr(GMC()) == "GMC(exponent=2.0, decay=0.8, lower_bound=0.5)"
    assert repr(GS()) == "GS(exponent=2.0, decay=0.0, floor=0.1, lower_bound=0.0)"
    assert repr(EGDA()) == "EGDA(temperature=5.0, decay=0.9)"
    assert repr(Constant()) == "Constant(lower_bound=0.0)"


def test_without_any_gradient_all_factors_are_one():
    for rule in (GMC(), GS(), Constant(), EGDA()):
        assert rule(torch.zeros(3, 3), ["a", "b", "c"]).tolist() == pytest.approx([1.0] * 3)
