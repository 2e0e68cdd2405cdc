import pytest
import torch

from avalanche_emgd.optim.peers.gradient_state import GradientStateWeighting


class Previous(GradientStateWeighting):
    """Replaces gradients by those of the call before."""

    def _look(self, gradients, objectives):
        rows = [self._state.get(o, g) for o, g in zip(objectives, gradients, strict=True)]
        self._state.update(zip(objectives, gradients.clone(), strict=True))
        return torch.stack(rows)

    def _combine(self, gramian, objectives):
        return torch.ones(len(objectives)).double()


def test_gradients_are_seen_before_each_call():
    weighting = Previous()
    assert weighting.needs_gradients
    first, second = torch.randn(2, 3), torch.randn(2, 3)
    assert torch.equal(weighting.see(first), first)
    weighting(first @ first.T)
    assert torch.equal(weighting.see(second), first)
    weighting(torch.eye(2))
    with pytest.raises(ValueError, match=r"Previous needs the gradients .* call see\(gradients\)"):
        weighting(torch.eye(2))


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        (torch.ones(3), "must be a matrix with 2 rows"),
        (torch.ones(3, 2), "must be a matrix with 2 rows"),
        (torch.tensor([[1.0], [float("nan")]]), "of the objective 'b' are not finite"),
    ],
)
def test_wrong_gradients(gradients, message):
    weighting = Previous()
    weighting.set_objectives(["a", "b"])
    with pytest.raises(ValueError, match=f"`gradients` {message}"):
        weighting.see(gradients)
