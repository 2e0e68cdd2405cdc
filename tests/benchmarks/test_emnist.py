import pytest
import torch

from avalanche_emgd import (
    Protocol,
    ps_emnist,
)


def test_emnist(shared_data, published_protocol):
    label_sets, timeline = Protocol.load(published_protocol).select(0, 0)
    benchmark = ps_emnist(shared_data, label_sets=label_sets, timeline=timeline)
    assert benchmark.num_classes == 62
    assert benchmark.label_sets == tuple(tuple(sorted(labels)) for labels in label_sets)
    assert sum(len(e.dataset) for e in benchmark.train_stream) == 60_457
    assert sum(len(e.dataset) for e in benchmark.test_stream) == 12_220
    data = benchmark.train_stream[0].dataset
    x = torch.stack([data[i][0] for i in range(2000)])
    assert x.shape[1:] == (1, 28, 28)
    assert abs(float(x.mean())) < 0.1
    assert abs(float(x.std()) - 1.0) < 0.1


def test_emnist_without_data(tmp_path):
    with pytest.raises(FileNotFoundError, match="--download"):
        ps_emnist(tmp_path / "nowhere")
