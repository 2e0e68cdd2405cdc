"""Checkpoints of the replay memory."""

import pytest
import torch

from avalanche_emgd import ReplayMemory
from avalanche_emgd.training.ingredients import GSSMemory
from tests.toy import toy_benchmark
from tests.training.common import through_a_file, toy_strategy


@pytest.mark.parametrize("segments", [1, 3, 5])
def test_a_restored_memory_equals_the_original(segments, tmp_path):
    benchmark = toy_benchmark()
    memory = ReplayMemory(9, seed=3)
    for experience in benchmark.train_stream[:segments]:
        memory.post_adapt(None, experience)
    if len(memory):
        memory.annotate("original", lambda x, *_: x)
        memory.inputs.add_(0.25)
    other = ReplayMemory(1)
    other.load_state_dict(through_a_file(memory.state_dict(), tmp_path / "memory.pt"))
    for experience in benchmark.train_stream[segments:]:
        memory.post_adapt(None, experience)
        other.post_adapt(None, experience)
    assert len(memory) == len(other) == 9
    everything = torch.arange(9)
    assert all(map(torch.equal, memory.take(everything), other.take(everything)))
    assert torch.equal(memory.choose(4), other.choose(4))
    for name in ("name", "original"):
        memory.annotate(name, lambda x, *_: x)
        other.annotate(name, lambda x, *_: x)
        assert torch.equal(memory.annotation(name), other.annotation(name))


def test_a_state_is_a_copy():
    benchmark, memory = toy_benchmark(), ReplayMemory(6)
    for experience in benchmark.train_stream:
        memory.post_adapt(None, experience)
    state = memory.state_dict()
    before = memory.inputs.clone()
    memory.inputs.zero_()
    memory.load_state_dict(state)
    assert torch.equal(memory.inputs, before)
    memory.inputs.zero_()
    memory.load_state_dict(state)
    assert torch.equal(memory.inputs, before)


def test_the_memory_of_gss(tmp_path):
    strategy = toy_strategy(memory_size=6, memory_selection="gss")
    stream = toy_benchmark().train_stream
    strategy.train(stream[:2])
    restored = GSSMemory(6)
    state = through_a_file(strategy.memory.state_dict(), tmp_path / "memory.pt")
    restored.load_state_dict(state)
    new = [torch.randn(4, 5), torch.tensor([2, 3, 2, 3]), torch.ones(4, dtype=torch.long)]
    for memory in (strategy.memory, restored):
        memory.offer("task1", new, torch.tensor([-0.9, 0.1, -0.5, 0.9]))
        memory._finish("task1")
        memory._share()
    everything = torch.arange(len(restored))
    assert len(restored) == 6
    assert all(map(torch.equal, strategy.memory.take(everything), restored.take(everything)))
