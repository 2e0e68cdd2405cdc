import pytest
import torch

from avalanche_emgd.optim import ObjectiveWeighting


class First(ObjectiveWeighting):
    """All weight on the first objective; takes down what it sees."""

    def _weights(self, gramian, objectives):
        self.seen = gramian, list(objectives)
        weights = torch.zeros(len(objectives), dtype=torch.float64)
        weights[0] = 1e5
        return weights


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_weights_are_of_the_dtype_of_the_gramian(dtype):
    weighting = First()
    found = weighting(torch.eye(2).to(dtype).requires_grad_())
    assert found.dtype == dtype
    assert not found.requires_grad
    assert weighting.seen[0].dtype == torch.float64


def test_whole_numbers_give_float64():
    assert First()(torch.eye(2, dtype=torch.long)).dtype == torch.float64


def test_rows_are_identified_by_index_or_name():
    weighting = First()
    weighting(torch.eye(2))
    assert weighting.seen[1] == [0, 1]
    weighting.set_objectives(["a", "b"])
    weighting(torch.eye(2))
    assert weighting.seen[1] == ["a", "b"]
    weighting.reset()
    weighting(torch.eye(3))
    assert weighting.seen[1] == [0, 1, 2]


@pytest.mark.parametrize(
    ("gramian", "message"),
    [
        (torch.ones(2, 3), "`gramian` must be a square matrix"),
        (torch.ones(0, 0), "`gramian` must be a square matrix"),
        (torch.eye(2, dtype=torch.complex64), "`gramian` must be a square matrix"),
        (torch.tensor([[1.0, 0], [0, float("nan")]]), "'b'"),
        (torch.tensor([[-1.0, 0], [0, 1.0]]), "'a'"),
        (torch.eye(2).half(), "cannot hold the weights"),
    ],
)
def test_wrong_gramians(gramian, message):
    weighting = First()
    weighting.set_objectives(["a", "b"])
    with pytest.raises(ValueError, match=message):
        weighting(gramian)


@pytest.mark.parametrize("objectives", [["a"], ["a", "a"]])
def test_wrong_objectives(objectives):
    weighting = First()
    weighting.set_objectives(objectives)
    with pytest.raises(ValueError, match="`objectives` must be 2 distinct identities"):
        weighting(torch.eye(2))


def test_what_is_said_of_rows_is_kept_until_the_next_time():
    weighting = First()
    assert weighting._rows.losses is weighting._rows.replayed is None
    losses = torch.tensor([1.0, 2.0], requires_grad=True)
    weighting.set_objectives(["a", "b"], losses, (False, True))
    assert weighting._rows.losses.tolist() == [1.0, 2.0]
    assert not weighting._rows.losses.requires_grad
    assert weighting._rows.replayed == [False, True]
    weighting.set_objectives(["a", "b"])
    assert weighting._rows.losses is weighting._rows.replayed is None
    assert weighting.get_extra_state() == {}


def test_weights_have_no_graph():
    class Learned(First):
        def _weights(self, gramian, objectives):
            assert not torch.is_grad_enabled()
            return super()._weights(gramian, objectives)

    gramian = torch.eye(2, dtype=torch.float64)
    weighting = Learned()
    assert not weighting(gramian.requires_grad_()).requires_grad
    assert not weighting.seen[0].requires_grad
