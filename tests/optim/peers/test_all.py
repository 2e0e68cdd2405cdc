"""What holds for every peer's weighting."""

import io

import pytest
import torch

from avalanche_emgd.optim import peers
from tests.optim.peers.matrices import matrix

ALL = {
    name: kind
    for name, kind in ((name, getattr(peers, name)) for name in peers.__all__)
    if isinstance(kind, type)
    and issubclass(kind, peers.PeerWeighting)
    and kind not in (peers.PeerWeighting, peers.GradientStateWeighting)
}
RANDOM = {"PCGrad", "GradVac", "RLW"}
# Weights that depend on the length of all gradients together, by definition.
SCALED = {"GEMWeighting"}
STATEFUL = {
    *("GradVac", "DWA", "GradNorm", "UncertaintyWeighting", "CVWeighting"),
    *("CRMOGM", "DBMTL", "ExcessMTL", "FAMO"),
}
every = pytest.mark.parametrize("name", sorted(ALL))


def degenerate(n):
    rows = matrix(n)
    yield rows
    yield rows * 1e-15
    yield rows * 1e15
    yield torch.zeros_like(rows)
    yield torch.ones(n, 1, dtype=torch.float64) @ rows[:1]
    yield matrix(n, 1, 1) @ rows[:1]  # all on one line, pointing both ways
    for place, row in ((0, 0.0 * rows[0]), (n - 1, 0.0 * rows[0]), (1, rows[0]), (1, -rows[0])):
        changed = rows.clone()
        changed[place] = row
        yield changed


def weigh(weighting, rows, names=None, losses=None):
    n = len(rows)
    names = [f"task{i}" for i in range(n - 1)] + ["memory"] if names is None else names
    losses = torch.arange(1.0, n + 1.0) if losses is None else losses
    weighting.set_objectives(names, losses, [name == "memory" for name in names])
    seen = weighting.see(rows) if weighting.needs_gradients else None
    seen = rows if seen is None else seen
    weights = weighting(seen @ seen.T)
    if weighting.looks_back:
        weighting.look_back(losses * (0.5 + losses % 1.0))
    return weights


def test_there_are_all():
    assert len(ALL) >= 24


@every
@pytest.mark.parametrize("n", [2, 3, 6])
def test_degenerate_gradients_get_finite_weights(name, n):
    for rows in degenerate(n):
        weighting = ALL[name]()
        for _ in range(4):  # those that remember have something to remember
            weights = weigh(weighting, rows)
            assert weights.shape == (n,)
            assert weights.isfinite().all()
            longest = rows.norm(dim=1).max()
            assert (weights @ rows).norm() <= 10 * n * longest


@every
def test_a_lone_objective_is_descended_plainly(name):
    weighting = ALL[name]()
    for scale in (1e-8, 1.0, 1e8):
        assert weigh(weighting, scale * matrix(1), ["task0"]).tolist() == [1.0]
        assert weigh(weighting, scale * matrix(1), ["memory"]).tolist() == [1.0]


@every
def test_weights_come_in_the_dtype_of_the_gramian(name):
    weighting = ALL[name]()
    weighting.set_objectives(["a", "memory"], torch.ones(2), [False, True])
    weighting.see(torch.eye(2))
    assert weighting(torch.eye(2)).dtype == torch.float32


@every
def test_order_of_objectives_does_not_matter(name):
    if name in RANDOM:
        pytest.skip("draws an order of its own")
    rows, losses = matrix(4), torch.tensor([1.0, 3.0, 0.2, 2.0])
    names = ["a", "b", "c", "memory"]
    order = [2, 0, 3, 1]
    one, other = ALL[name](), ALL[name]()
    for _ in range(3):
        plain = weigh(one, rows, names, losses)
        shuffled = weigh(other, rows[order], [names[i] for i in order], losses[order])
        torch.testing.assert_close(shuffled, plain[order], rtol=1e-4, atol=1e-6)


@every
def test_scale_of_all_gradients_does_not_matter(name):
    if name in SCALED:
        pytest.skip("its margin is in absolute terms")
    for scale in (1e-6, 1e6):
        one, other = ALL[name](), ALL[name]()
        for _ in range(3):
            torch.manual_seed(1)
            plain = weigh(one, matrix(4))
            torch.manual_seed(1)
            torch.testing.assert_close(weigh(other, scale * matrix(4)), plain, rtol=1e-4, atol=1e-6)


@every
def test_a_gradient_that_is_not_finite_is_named(name):
    rows = matrix(3)
    rows[1, 0] = float("nan")
    weighting = ALL[name]()
    with pytest.raises(ValueError, match="'b'"):
        weigh(weighting, rows, ["a", "b", "memory"])
    assert weigh(weighting, matrix(3), ["a", "b", "memory"]).isfinite().all()


STREAM = (
    ["a", "b"],
    ["a", "b", "c"],
    ["b"],
    ["b", "c", "memory"],
    ["a", "b"],
    ["memory"],
    ["b", "a", "memory"],
)


def follow(weighting, stream, seed=0):
    found = []
    for tick, names in enumerate(stream):
        torch.manual_seed(tick + seed)
        found.append(weigh(weighting, matrix(len(names), tick), names, torch.rand(len(names))))
    return found


@every
def test_state_is_saved_and_loaded(name):
    weighting, file = ALL[name](), io.BytesIO()
    follow(weighting, STREAM[:4])
    torch.save(weighting.state_dict(), file)
    file.seek(0)
    restored = ALL[name]()
    restored.load_state_dict(torch.load(file, weights_only=True))
    snapshot = weighting.state_dict()
    for one, other in zip(
        follow(weighting, STREAM[4:], 9), follow(restored, STREAM[4:], 9), strict=True
    ):
        torch.testing.assert_close(one, other)
    # What goes on afterwards leaves a state dict alone.
    restored.load_state_dict(snapshot)
    weighting.load_state_dict(snapshot)
    follow(restored, STREAM[4:])
    expected = ALL[name]()
    file.seek(0)
    expected.load_state_dict(torch.load(file, weights_only=True))
    for one, other in zip(
        follow(weighting, STREAM[4:], 9), follow(expected, STREAM[4:], 9), strict=True
    ):
        torch.testing.assert_close(one, other)


@every
def test_state_belongs_to_an_objective_not_to_a_row_or_to_n(name):
    """Ticks of other objectives in between change nothing for a and b."""
    if name in RANDOM - {"GradVac"}:
        pytest.skip("has no state")
    pair, others = ["a", "b"], ["c", "d", "memory"]
    one, other = ALL[name](), ALL[name]()
    for tick in range(25):
        rows, losses = matrix(2, tick), torch.rand(2)
        weigh(other, matrix(3, 100 + tick), others)
        weigh(other, matrix(1, 200 + tick), ["e"])
        torch.manual_seed(tick)
        expected = weigh(one, rows, pair, losses)
        torch.manual_seed(tick)
        torch.testing.assert_close(weigh(other, rows, pair, losses), expected)


@pytest.mark.parametrize("name", sorted(STATEFUL))
def test_there_is_something_to_remember_and_to_forget(name):
    def again(prepare):
        weighting = ALL[name]()
        for tick in range(22):
            torch.manual_seed(tick)
            losses = torch.tensor([1.0 + 0.1 * tick, 2.0 / (1 + tick)])
            weigh(weighting, matrix(2, tick, 2), ["a", "b"], losses)
        prepare(weighting)
        found = []
        for tick in (30, 31):
            torch.manual_seed(tick)
            found.append(weigh(weighting, matrix(2, tick, 2), ["a", "b"], torch.tensor([1.0, 0.5])))
        return torch.stack(found)

    kept = again(lambda weighting: None)
    forgotten = again(lambda weighting: weighting.forget(["a", "b", "never seen"]))
    assert not torch.allclose(kept, forgotten, atol=1e-4)
    fresh = again(lambda weighting: weighting.reset())
    torch.testing.assert_close(forgotten, fresh)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: peers.GEMWeighting(margin=-1.0), "`margin`"),
        (lambda: peers.FairGrad(alpha=0.0), "`alpha`"),
        (lambda: peers.DWA(temperature=0.0), "`temperature`"),
        (lambda: peers.DWA(window=0), "`window`"),
        (lambda: peers.UncertaintyWeighting(rate=0.0), "`rate`"),
        (lambda: peers.GradNorm(alpha=-1.0), "`alpha`"),
        (lambda: peers.GradNorm(rate=float("inf")), "`rate`"),
        (lambda: peers.MaxDO(steps=-1), "`steps`"),
        (lambda: peers.DBMTL(beta=1.0), "`beta`"),
        (lambda: peers.DBMTL(power=-0.5), "`power`"),
        (lambda: peers.ExcessMTL(rate=0.0), "`rate`"),
        (lambda: peers.FAMO(rate=-1.0), "`rate`"),
        (lambda: peers.FAMO(weight_decay=float("nan")), "`weight_decay`"),
        (lambda: peers.CRMOGM(alpha=1.1), "`alpha`"),
        (lambda: peers.CRMOGM("nash"), "`elastic` must be one of"),
        (lambda: peers.MaxDO(rate=0.0), "`rate`"),
    ],
)
def test_settings_out_of_range(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    "name",
    ["DWA", "UncertaintyWeighting", "GradNorm", "CVWeighting", "MEGAWeighting", "DBMTL", "FAMO"],
)
def test_losses_are_asked_for(name):
    weighting = ALL[name]()
    weighting.set_objectives(["a", "memory"], replayed=[False, True])
    asking = weighting.see if weighting.needs_gradients else weighting
    with pytest.raises(ValueError, match="needs the losses"):
        asking(torch.eye(2))


@pytest.mark.parametrize("name", ["DBMTL", "ExcessMTL"])
def test_gradients_are_asked_for(name):
    weighting = ALL[name]()
    weighting.set_objectives(["a", "b"], torch.ones(2))
    with pytest.raises(ValueError, match="needs the gradients"):
        weighting(torch.eye(2))
    for wrong in (torch.ones(3, 2), torch.ones(2)):
        with pytest.raises(ValueError, match="`gradients` must be a matrix with 2 rows"):
            weighting.see(wrong)


@pytest.mark.parametrize("name", ["DBMTL", "FAMO"])
def test_a_loss_without_logarithm_is_named(name):
    weighting = ALL[name]()
    weighting.set_objectives(["a", "b"], torch.tensor([1.0, -0.5]))
    asking = weighting.see if weighting.needs_gradients else weighting
    with pytest.raises(ValueError, match=r"at least 0 and finite, found -0\.5 .* objective 'b'"):
        asking(torch.eye(2))
