import pytest
import torch
from torch.utils.data import TensorDataset

from avalanche_emgd import ReplayMemory, Timeline, parallel_benchmark
from tests.toy import ids_of, toy_benchmark
from tests.training.memories import contents, fill


def test_stored_samples_were_streamed_with_their_labels():
    benchmark, memory = toy_benchmark(), ReplayMemory(9)
    delivered = fill(memory, benchmark)
    for x, y, t in contents(memory):
        (identity,) = ids_of(x[None])
        assert identity in delivered
        assert identity // 1000 == int(t) == int(y) // 2
        assert identity % 2 == int(y) % 2
    ids = [ids_of(x[None])[0] for x, _, _ in contents(memory)]
    assert len(set(ids)) == len(ids)


def test_does_not_touch_the_users_data():
    x, y = torch.randn(8, 3), torch.arange(8) % 2
    data = TensorDataset(x, y)
    before = x.clone()
    benchmark = parallel_benchmark([data], [data], Timeline.serial([2]), batch_size=4)
    memory = ReplayMemory(8)
    fill(memory, benchmark)
    memory.draw(8)[0].zero_()
    for store in memory._finished:
        store.inputs.zero_()
    assert torch.equal(x, before)


def filled():
    memory = ReplayMemory(12)
    fill(memory, toy_benchmark())
    return memory


def test_the_buffer_is_what_is_taken():
    memory = filled()
    x, y, t = memory.take(torch.arange(len(memory)))
    assert torch.equal(x, memory.inputs)
    assert memory.classes == sorted(set(y.tolist())) == [0, 1, 2, 3, 4, 5]
    assert sorted(memory.buffer.targets_task_labels) == sorted(t.tolist())
    memory.inputs.add_(1.0)  # changes in place are kept, and what was taken is a copy
    assert torch.equal(memory.take(torch.arange(12))[0], x + 1.0)
    with pytest.raises(ValueError, match="The memory is empty"):
        ReplayMemory(3).take(torch.tensor([0]))


def test_annotations_belong_to_their_samples():
    memory, calls = filled(), []

    def ids(x, y, t):
        calls.append(len(x))
        return torch.stack([y, t], dim=1).float()

    for _ in range(2):
        memory.annotate("labels", ids)
    assert calls == [12]  # once
    _, y, t = memory.take(torch.arange(12))
    assert torch.equal(memory.annotation("labels"), torch.stack([y, t], dim=1).float())
    with pytest.raises(ValueError, match=r"must be an annotation of all samples, found 'a'.*lab"):
        memory.annotation("a")


@pytest.mark.parametrize("shape", [(11, 2), (13,), ()])
def test_annotations_of_another_number_are_refused(shape):
    with pytest.raises(ValueError, match="`make` must return annotations of shape"):
        filled().annotate("a", lambda *_: torch.zeros(shape))


def test_annotations_are_widened_where_they_are_narrower():
    memory = filled()
    assert memory.widen("logits", 3, -1.0) == 3  # no sample has one yet
    memory.annotate("logits", lambda x, *_: x[:, :2].clone())
    before = memory.annotation("logits").clone()
    assert memory.widen("logits", 1, -1.0) == 2
    assert memory.widen("logits", 4, -1.0) == 4
    found = memory.annotation("logits")
    assert torch.equal(found[:, :2], before)
    assert (found[:, 2:] == -1.0).all()
