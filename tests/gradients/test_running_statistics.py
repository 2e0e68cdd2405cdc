import torch
from torch import nn

from avalanche_emgd.gradients.running_statistics import RunningStatistics


def test_statistics_are_copied_and_written_back():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.BatchNorm1d(3, affine=False))
    statistics = RunningStatistics(list(model.modules()))
    before = statistics.copies()
    model(torch.randn(5, 3))
    after = statistics.copies()
    assert RunningStatistics.agree(after, after, 1e-6)
    assert not RunningStatistics.agree(after, before, 1e-6)
    statistics.write(before)
    assert RunningStatistics.agree(statistics.copies(), before, 0.0)
    assert int(model[1].num_batches_tracked) == 0


def test_numbers_of_batches_must_be_equal():
    norm = nn.BatchNorm1d(3)
    statistics = RunningStatistics([norm])
    before = statistics.copies()
    norm.num_batches_tracked += 1
    assert not RunningStatistics.agree(statistics.copies(), before, 1e9)


def test_models_without_statistics():
    statistics = RunningStatistics([nn.BatchNorm1d(3, track_running_stats=False), nn.Linear(2, 2)])
    assert RunningStatistics.agree(statistics.copies(), statistics.copies(), 0.0)
