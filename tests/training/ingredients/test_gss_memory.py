import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avalanche_emgd import Timeline
from avalanche_emgd.benchmarks import TickLoader
from avalanche_emgd.training.ingredients import GSSMemory
from tests.toy import ids_of, toy_benchmark

similarities = st.lists(st.floats(-1.0, 1.0) | st.just(-1.0), min_size=1, max_size=5)


def samples(ids):
    """Make samples whose inputs are their numbers, and whose labels are the numbers modulo 3."""
    ids = torch.tensor(ids)
    return [ids[:, None].float(), ids % 3, torch.full_like(ids, 7)]


def numbers(memory):
    """Return the numbers of the stored samples, in the order of the store."""
    x, y, t = memory.kept()
    assert y.tolist() == [int(i) % 3 for i in x.flatten()]
    assert set(t.tolist()) <= {7}
    return [int(i) for i in x.flatten()]


def offered(scores, seed=0, capacity=None):
    """Offer samples one by one to a memory that the first ``capacity`` samples fill."""
    memory = GSSMemory(capacity or len(scores), seed)
    for i, score in enumerate(scores):
        memory.offer("task", samples([i]), torch.tensor([score - 1.0]))
    return memory


@given(st.integers(1, 6), st.lists(similarities, min_size=1, max_size=8), st.integers(0, 99))
@settings(max_examples=100)
def test_fills_up_first_and_then_swaps_only_dissimilar_samples(capacity, batches, seed):
    memory, kept, arrived = GSSMemory(capacity, seed), set(), 0
    for batch in batches:
        ids = range(arrived, arrived + len(batch))
        memory.offer("task", samples(list(ids)), torch.tensor(batch))
        room, arrived = max(0, capacity - arrived), arrived + len(batch)
        now = numbers(memory)
        assert len(now) == len(set(now)) == min(capacity, arrived)
        first, rest = set(ids[:room]), ids[room:]
        welcome = {i for i, cosine in zip(rest, batch[room:], strict=True) if cosine < 0.0}
        assert set(now) <= kept | first | welcome
        if not welcome:
            assert set(now) == kept | first
        kept = set(now)


def test_equal_gradients_are_never_swapped_in():
    for score in (1.0, 1.5, 2.0):
        for seed in range(50):
            assert numbers(offered([2.0, 2.0, score], seed, capacity=2)) == [0, 1]


def test_a_swap_is_as_likely_as_the_scores_say():
    """A sample i is drawn with probability ∝ C_i, and swapped with probability C_i / (C_i + C)."""
    scores, new, trials = [1.5, 0.5, 1.0], 0.5, 800
    swapped = [0, 0, 0]
    for seed in range(trials):
        now = numbers(offered([*scores, new], seed, capacity=3))
        for place in range(3):
            swapped[place] += now[place] == 3
    for score, count in zip(scores, swapped, strict=True):
        p = score / sum(scores) * score / (score + new)
        deviation = (trials * p * (1 - p)) ** 0.5
        assert abs(count - trials * p) < 5 * deviation


def test_the_score_of_a_swapped_sample_replaces_the_old_score():
    stayed = 0
    for seed in range(200):
        # 1 all but certainly replaces 0, and then is all but certainly not replaced by 2
        stayed += numbers(offered([1.9, 0.001, 0.5], seed, capacity=1)) == [1]
    assert stayed >= 190


def test_compared_samples_are_stored_and_drawn_without_repetition():
    memory = GSSMemory(6)
    assert memory.compared("task", 3) is None
    memory.offer("task", samples(range(6)), torch.zeros(6))
    assert memory.compared("other", 3) is None
    drawn = []
    for _ in range(60):
        x, y, t = memory.compared("task", 4)
        ids = [int(i) for i in x.flatten()]
        assert len(set(ids)) == 4
        assert y.tolist() == [i % 3 for i in ids]
        assert t.tolist() == [7] * 4
        drawn += ids
    assert all(20 < drawn.count(i) < 60 for i in range(6))
    assert len(memory.compared("task", 10)[1]) == 6


def test_samples_are_copied():
    memory, offered_samples = GSSMemory(2), samples([0, 1])
    memory.offer("task", offered_samples, torch.zeros(2))
    offered_samples[0].fill_(5.0)
    memory.compared("task", 2)[0].fill_(5.0)
    assert numbers(memory) == [0, 1]


@given(st.integers(1, 12), st.integers(0, 99))
@settings(max_examples=30)
def test_finished_tasks_share_the_capacity(capacity, seed):
    benchmark, memory = toy_benchmark(), GSSMemory(capacity, seed)
    generator = torch.Generator().manual_seed(seed)
    finished, aside = [], {}
    for experience in benchmark.train_stream:
        memory.check_origin(experience)
        for batch in TickLoader(experience):
            for part in batch.parts:
                tensors = [tensor[part.start : part.stop] for tensor in batch]
                cosines = 2.0 * torch.rand(len(tensors[1]), generator=generator) - 1.0
                memory.offer(part.objective, tensors, cosines)
        for name in benchmark.task_names:
            kept = memory.compared(name, 100)
            aside[name] = set(ids_of(kept[0])) if kept else aside.get(name, set())
            assert len(aside[name]) <= capacity
        memory.post_adapt(None, experience)
        finished += [benchmark.task_names[task] for task in experience.finishing_tasks]
        if finished:
            x, y, t = memory.take(torch.arange(len(memory)))
            assert len(y) == capacity
            assert (y // 2).tolist() == t.tolist()
            counts = [(t == int(name[-1])).sum() for name in finished]
            assert max(counts) - min(counts) <= 1
            assert all(i in aside[f"task{i // 1000}"] for i in ids_of(x))


def test_a_shrinking_task_loses_samples_in_proportion_to_their_scores():
    serial = toy_benchmark((8, 8), timeline=Timeline.serial([2, 2]))
    kept = 0
    for seed in range(300):
        memory = GSSMemory(2, seed)
        for experience in serial.train_stream:
            memory.check_origin(experience)
            task = experience.current_experience
            ids = [2 * task, 2 * task + 1]
            memory.offer(f"task{task}", samples(ids), torch.tensor([0.8, -0.8]))
            memory.post_adapt(None, experience)
        now = numbers(memory)
        assert len(now) == 2
        kept += 1 in now
    # Sample 0 is dropped first with probability 1.8 / 2.0; the standard deviation is 5.2.
    assert 244 < kept < 296
