import pickle
import random

import numpy as np
import pytest
import torch

from avalanche_emgd.distributed import Processes
from avalanche_emgd.distributed.randomness import OwnRandomness, share_random_states

CPU = torch.device("cpu")


def drawn(own):
    with own.drawn():
        return torch.rand(4).tolist()


def test_passes_and_processes_have_numbers_of_their_own():
    torch.manual_seed(3)
    own = [OwnRandomness(rank, CPU) for rank in range(3)]
    found = [tuple(drawn(each)) for each in own for _ in range(2)]
    assert len(set(found)) == 6
    torch.manual_seed(3)
    assert [tuple(drawn(each)) for each in [OwnRandomness(1, CPU)] for _ in range(2)] == found[2:4]
    torch.manual_seed(4)
    assert tuple(drawn(OwnRandomness(0, CPU))) != found[0]


def test_the_shared_state_does_not_change():
    torch.manual_seed(0)
    torch.rand(3)
    own, before = OwnRandomness(0, CPU), torch.get_rng_state()
    with pytest.raises(ArithmeticError), own.drawn():
        raise ArithmeticError(float(torch.rand(())))
    assert torch.equal(torch.get_rng_state(), before)
    assert own.passes == 1


def test_a_copy_goes_on_with_the_next_pass():
    own = OwnRandomness(2, CPU)
    drawn(own)
    other = pickle.loads(pickle.dumps(own))
    assert drawn(other) == drawn(own)


class Taped(Processes):
    """Two processes, one after the other: the second receives what the first has sent."""

    def __init__(self, rank, tape):
        super().__init__()
        self.rank, self.size, self._tape = rank, 2, tape

    def broadcast(self, tensor):
        if self.is_first:
            self._tape.append(tensor.clone())
        else:
            tensor.copy_(self._tape.pop(0))


def draws():
    return (
        torch.rand(3).tolist(),
        [random.random(), random.gauss(0.0, 1.0)],
        np.random.random(2).tolist(),  # noqa: NPY002
        float(np.random.normal()),  # noqa: NPY002
    )


@pytest.mark.parametrize("waiting", [False, True])
def test_the_second_process_draws_what_the_first_draws(waiting):
    if waiting:  # the second number of a pair of Gaussians
        random.gauss(0.0, 1.0)
        np.random.normal()  # noqa: NPY002
    tape = []
    share_random_states(Taped(0, tape))
    expected = draws()
    random.seed(9)
    np.random.seed(9)  # noqa: NPY002
    torch.manual_seed(9)
    share_random_states(Taped(1, tape))
    assert tape == []
    assert draws() == expected


def test_a_process_by_itself_is_left_alone():
    before = torch.get_rng_state()
    share_random_states(Processes())
    assert torch.equal(torch.get_rng_state(), before)
