import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from avalanche_emgd.distributed.batch_statistics import BatchStatistics
from tests.distributed.threads import in_threads
from tests.tolerance import tolerance


def normed(momentum):
    model = nn.Sequential(nn.BatchNorm1d(3, momentum=momentum), nn.Linear(3, 3), nn.BatchNorm1d(3))
    return model.double()


def shared(models, batches, *, whole, samples=None):
    """Forward the batches of each process, and bring the statistics together."""
    samples = [sum(map(len, own)) for own in batches] if samples is None else samples

    def case(processes):
        model = models[processes.rank]
        statistics = BatchStatistics(model)
        assert statistics.save()
        for x in batches[processes.rank]:
            model(x)
        found = processes.gather(statistics.own(), "statistics")
        statistics.settle(found, samples, whole=whole)

    in_threads(len(models), case)


@settings(max_examples=15)
@given(
    st.sampled_from([0.1, 0.9, 1.0, None]),
    st.lists(st.integers(0, 3), min_size=2, max_size=3).filter(any),
    st.integers(0, 2),
)
def test_whole_objectives_give_the_statistics_of_one_process(momentum, passes, earlier):
    whole = normed(momentum)
    for _ in range(earlier):
        whole(torch.randn(4, 3).double())
    models = [copy.deepcopy(whole) for _ in passes]
    batches = [[torch.randn(4, 3).double() for _ in range(k)] for k in passes]
    shared(models, batches, whole=True)
    for own in batches:
        for x in own:
            whole(x)
    bound = 100 * tolerance(torch.float64, 20)  # statistics of order one, up to nine passes
    for model in models:
        for (name, found), expected in zip(model.named_buffers(), whole.buffers(), strict=True):
            torch.testing.assert_close(found, expected, rtol=0.0, atol=bound, msg=name)


def test_parts_of_objectives_count_with_their_samples():
    models = [normed(1.0) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    x = torch.randn(8, 3).double()
    shared(models, [[x[:6]], [x[6:]]], whole=False)
    for model in models:
        torch.testing.assert_close(model[0].running_mean, x.mean(0))
        assert int(model[0].num_batches_tracked) == 1


@pytest.mark.parametrize("model", [nn.Linear(3, 3), nn.BatchNorm1d(3, track_running_stats=False)])
def test_there_may_be_no_statistics(model):
    assert not BatchStatistics(model).save()


def test_tests_have_no_statistics():
    assert not BatchStatistics(normed(0.1).eval()).save()
