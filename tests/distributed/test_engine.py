import pytest
import torch
from torch import nn

from avalanche_emgd.distributed import DistributedEngine, Processes
from avalanche_emgd.distributed.failure import ProcessError
from avalanche_emgd.gradients import PlainEngine
from tests.distributed.shared_ticks import in_one_process, in_several, tick
from tests.distributed.threads import in_threads
from tests.tolerance import tolerance
from tests.training.common import toy_model


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("placement", ["by-objective", "by-sample", "even", "auto"])
def test_outputs_and_gradients_are_those_of_one_process(placement, size):
    model, batches, targets = tick()
    outputs, rows, used = in_one_process(model, batches, targets)
    bound = tolerance(torch.float64, 100)  # of outputs and gradients of order one
    for found, own_rows, own_used in in_several(size, placement, model, batches, targets):
        for one, other in zip(found, outputs, strict=True):
            torch.testing.assert_close(one, other, rtol=0.0, atol=bound)
        torch.testing.assert_close(own_rows, rows, rtol=0.0, atol=bound)
        assert own_used == used


def alone(model):
    engine = DistributedEngine(PlainEngine(), Processes())
    engine.attach(model)
    return engine


def test_batches_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="`batches` must be tensors that differ in their first"):
        alone(toy_model()).forward(toy_model(), [torch.zeros(2, 5), torch.zeros(2, 4)])


def test_running_statistics_that_cannot_be_brought_together_are_refused():
    norm = nn.InstanceNorm1d(4, track_running_stats=True)
    with pytest.raises(ValueError, match=r"`model` has InstanceNorm1d \(1\) with running stat"):
        alone(nn.Sequential(nn.Linear(5, 4), norm))


class Counting(nn.Module):
    """Counts its passes in a buffer."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(5, 6)
        self.register_buffer("passes", torch.zeros(()))

    def forward(self, x):
        self.passes += 1
        return self.layer(x)


def test_a_buffer_that_the_forward_pass_writes_is_named():
    model = Counting()
    with pytest.raises(ValueError, match="`model` writes to its buffer 'passes'"):
        alone(model).forward(model, [torch.zeros(2, 5)])


def test_processes_with_other_parameters_are_an_error():
    models = [toy_model(seed=seed) for seed in (0, 1)]
    with pytest.raises(ProcessError, match="processes 0 and 1 have different parameters"):
        in_threads(2, lambda each: DistributedEngine(PlainEngine(), each).attach(models[each.rank]))


def test_processes_with_other_samples_are_an_error():
    models = [toy_model(), toy_model()]

    def case(processes):
        own = models[processes.rank]
        engine = DistributedEngine(PlainEngine(), processes)
        engine.attach(own)
        batch = torch.zeros(2, 5)
        batch[1, 4] = processes.rank
        engine.forward(own, [batch])

    with pytest.raises(ProcessError, match="processes 0 and 1 have different samples or plac"):
        in_threads(2, case)


def test_what_processes_have_in_common_is_restored():
    model = toy_model()
    engine = alone(model)
    for _ in range(2):
        engine.forward(model, [torch.zeros(2, 5)])
    other = alone(model)
    other.load_common_state(engine.common_state(), model)
    assert other.common_state() == engine.common_state() == {"passes": 2, "mixes": False}
