from collections import Counter

import pytest
import torch

from avalanche_emgd import ReplayMemory, Timeline
from tests.toy import ids_of, toy_benchmark
from tests.training.common import toy_strategy
from tests.training.memories import contents, fill


def test_only_finished_tasks_enter():
    benchmark, memory = toy_benchmark(), ReplayMemory(12)
    finished = []
    for experience in benchmark.train_stream:
        memory.post_adapt(None, experience)
        finished += [benchmark.task_names[task] for task in experience.finishing_tasks]
        assert memory.tasks == finished
        assert {int(t) for _, _, t in contents(memory)} == {int(name[-1]) for name in finished}


@pytest.mark.parametrize("size", [3, 6, 12, 20, 1000])
def test_capacity_is_shared_equally_among_classes(size):
    benchmark, memory = toy_benchmark(), ReplayMemory(size)
    for experience in benchmark.train_stream:
        memory.post_adapt(None, experience)
        assert len(memory) <= size
        counts = Counter(int(y) for _, y, _ in contents(memory))
        if counts and size < 20:
            share = size / (2 * len(memory.tasks))
            assert all(share - 1 < count < share + 1 for count in counts.values())
    if size == 1000:
        assert len(memory) == 20 + 13 + 16


def test_samples_are_kept_from_all_segments_of_a_task():
    benchmark = toy_benchmark((400, 400, 400), batch_size=4)
    memory = ReplayMemory(120, seed=1)
    fill(memory, benchmark)
    ids = {ids_of(x[None])[0] for x, _, _ in contents(memory)}
    for experience in benchmark.train_stream:
        data = experience.dataset
        assert ids & set(ids_of(torch.stack([data[i][0] for i in range(len(data))])))


def test_every_sample_of_a_class_is_equally_likely():
    counts = Counter()
    benchmark = toy_benchmark((12, 12), batch_size=3, timeline=Timeline(((0, 3), (2, 5))))
    for seed in range(300):
        memory = ReplayMemory(4, seed=seed)
        fill(memory, benchmark)
        counts.update(ids_of(x[None])[0] for x, _, _ in contents(memory))
    # one of the six samples of each class is kept: 50 times each, within 5 standard deviations
    assert len(counts) == 24
    assert all(17 < count < 83 for count in counts.values())


def test_shrinking_keeps_a_subset():
    benchmark, memory = toy_benchmark(), ReplayMemory(12, seed=3)
    before = set()
    for experience in benchmark.train_stream:
        memory.post_adapt(None, experience)
        now = {ids_of(x[None])[0] for x, _, _ in contents(memory)}
        finished = {int(name[-1]) for name in memory.tasks}
        if before and len(finished) > 1:
            assert {i for i in now if i // 1000 == 0} < before
        before = {i for i in now if i // 1000 == 0} or before


def test_resize():
    benchmark, memory = toy_benchmark(), ReplayMemory(30)
    fill(memory, benchmark)
    memory.resize(None, 6)
    assert len(memory) == 6
    assert len({int(y) for _, y, _ in contents(memory)}) == 6
    with pytest.raises(ValueError, match="`new_size` must be a whole number, at least 1, found 0"):
        memory.resize(None, 0)


def test_same_seed_same_memory():
    def drawn(seed):
        memory = ReplayMemory(12, seed)
        fill(memory, toy_benchmark())
        return [ids_of(memory.draw(5)[0]) for _ in range(3)]

    assert drawn(0) == drawn(0)
    assert drawn(0) != drawn(1)


def test_draw_is_without_repetition():
    memory = ReplayMemory(12)
    fill(memory, toy_benchmark())
    x, y, t = memory.draw(8)
    assert len(set(ids_of(x))) == len(y) == len(t) == 8
    assert len(memory.draw(100)[0]) == 12


def test_chosen_per_task_is_balanced():
    memory = ReplayMemory(12)
    fill(memory, toy_benchmark())
    drawn = {task: memory.take(at) for task, at in memory.choose_per_task(7).items()}
    assert sorted(len(y) for _, y, _ in drawn.values()) == [2, 2, 3]
    for task, (x, _, t) in drawn.items():
        assert set(t.tolist()) == {int(task[-1])}
        assert all(i // 1000 == int(task[-1]) for i in ids_of(x))


def test_empty_memory():
    memory = ReplayMemory(5)
    assert len(memory) == len(memory.buffer) == 0
    assert memory.choose_per_task(3) == {}
    with pytest.raises(ValueError, match="no task has finished"):
        memory.draw(3)
    with pytest.raises(ValueError, match="`max_size` must be a whole number, at least 1, found 0"):
        ReplayMemory(0)


def test_strategy_fills_its_memory():
    strategy = toy_strategy(memory_size=12)
    strategy.train(toy_benchmark().train_stream)
    assert strategy.memory.tasks == ["task0", "task1", "task2"]
    assert len(strategy.memory) == 12


def test_every_finished_task_is_drawn_eventually():
    """This holds for fewer samples in a minibatch than tasks, too."""
    memory = ReplayMemory(12)
    fill(memory, toy_benchmark())
    drawn = [set(memory.choose_per_task(1)) for _ in range(30)]
    assert all(len(tasks) == 1 for tasks in drawn)
    assert set().union(*drawn) == {"task0", "task1", "task2"}


def test_a_sample_delivered_twice_is_stored_once():
    benchmark = toy_benchmark((4, 4), timeline=Timeline.serial([2, 2]), epochs=2)
    memory = ReplayMemory(16)
    fill(memory, benchmark)
    ids = [ids_of(x[None])[0] for x, _, _ in contents(memory)]
    assert len(ids) == len(set(ids)) == 8
