import pytest
import torch
from avalanche.benchmarks import class_incremental_benchmark
from avalanche.benchmarks.utils import AvalancheDataset, as_classification_dataset
from torch.utils.data import Dataset, Subset, TensorDataset

from avalanche_emgd import Timeline, parallel_benchmark, parallel_benchmark_from_classes
from avalanche_emgd.benchmarks import Part, SerialTickLoader, TickBatch, TickLoader
from tests.toy import ids_of, toy_benchmark, toy_datasets


def test_yields_every_tick_once_in_order():
    benchmark = toy_benchmark()
    ticks = [batch.tick for e in benchmark.train_stream for batch in TickLoader(e)]
    assert ticks == list(range(benchmark.timeline.num_ticks))
    assert [len(TickLoader(e)) for e in benchmark.train_stream] == [
        len(e.ticks) for e in benchmark.train_stream
    ]


def test_one_part_per_active_task():
    benchmark = toy_benchmark(task_names=["red", "green", "blue"])
    for experience in benchmark.train_stream:
        for x, y, t, parts in ((*batch, batch.parts) for batch in TickLoader(experience)):
            assert [p.objective for p in parts] == [
                benchmark.task_names[task] for task in experience.active_tasks
            ]
            assert parts[-1].stop == len(x) == len(y) == len(t)
            for part, task in zip(parts, experience.active_tasks, strict=True):
                assert set(t[part.start : part.stop].tolist()) == {task}
                assert all(i // 1000 == task for i in ids_of(x[part.start : part.stop]))


def test_order_does_not_depend_on_the_global_generator():
    benchmark = toy_benchmark()

    def order():
        return [ids_of(batch[0]) for e in benchmark.train_stream for batch in TickLoader(e)]

    torch.manual_seed(1)
    first = order()
    torch.manual_seed(2)
    assert order() == first


def test_memory_is_appended_as_an_objective():
    batch = next(iter(TickLoader(toy_benchmark().train_stream[0])))
    size = len(batch[0])
    x, y, t = torch.zeros(3, 5), torch.ones(3).long(), torch.zeros(3).long()
    batch.append_objective("memory", [x, y, t])
    assert [len(v) for v in batch] == [size + 3] * 3
    assert batch.parts[-1].objective == "memory"
    assert (batch.parts[-1].start, batch.parts[-1].stop) == (size, size + 3)


def serial_benchmark():
    (data,) = toy_datasets([24])
    data.targets = data.tensors[1].tolist()
    data = as_classification_dataset(data)
    return class_incremental_benchmark(
        {"train": data, "test": data}, num_experiences=2, class_order=[0, 1]
    )


def test_delivered_inputs_follow_the_minibatch():
    x, y = torch.arange(6.0).view(6, 1), torch.zeros(6, dtype=torch.int64)
    batch = TickBatch([x, y, y], [Part("a", 0, 2), Part("b", 2, 6)], tick=0)
    assert batch.delivered is batch[0]
    batch.augment(x + 10.0)
    batch.augment(batch[0] + 10.0)
    batch.append_objective("memory", [torch.tensor([[6.0]]), y[:1], y[:1]], replayed=True)
    batch.keep([batch.parts[0], batch.parts[2]])
    assert batch[0].flatten().tolist() == [20.0, 21.0, 6.0]
    assert batch.delivered.flatten().tolist() == [0.0, 1.0, 6.0]


def test_ordinary_experience():
    experience = serial_benchmark().train_stream[1]
    batches = list(SerialTickLoader(experience.dataset.train(), 5, {0: "task1"}, first_tick=7))
    assert [batch.tick for batch in batches] == [7, 8, 9]
    assert [len(batch[0]) for batch in batches] == [5, 5, 2]
    assert sorted(i for batch in batches for i in ids_of(batch[0])) == list(range(1, 24, 2))
    assert all(batch.parts[0].objective == "task1" for batch in batches)
    assert all(batch[2].tolist() == [0] * len(batch[0]) for batch in batches)


def test_ordinary_experience_of_several_tasks():
    dataset = toy_benchmark((8, 4), timeline=None).train_stream[1].dataset
    loader = SerialTickLoader(dataset, 2, {0: "a", 1: "b"}, shuffle=False)
    for batch in loader:
        for part in batch.parts:
            task = {"a": 0, "b": 1}[part.objective]
            assert set(batch[2][part.start : part.stop].tolist()) == {task}
    assert sum(len(batch[0]) for batch in loader) == len(dataset)


def test_ordinary_experience_is_shuffled_anew():
    loader = SerialTickLoader(serial_benchmark().train_stream[0].dataset, 12, {0: "task0"})
    first, second = (ids_of(next(iter(loader))[0]) for _ in range(2))
    assert sorted(first) == sorted(second)
    assert first != second


class Batched(Dataset):
    """Data set that records calls of its methods."""

    def __init__(self, dataset):
        self.dataset, self.asked = dataset, []

    def __len__(self):
        return len(self.dataset)

    def __getitem__(self, index):
        return self.dataset[index]

    def __getitems__(self, indices):
        self.asked.append(len(indices))
        return [self.dataset[index] for index in indices]


def equal_to_one_by_one(experience):
    """Yield minibatches, each compared with its samples as Avalanche loads them."""
    dataset = experience.dataset.train()
    for batch, deliveries in zip(TickLoader(experience), experience.deliveries, strict=True):
        slow = [dataset[i] for i in range(deliveries[0].start, deliveries[-1].stop)]
        for tensor, column in zip(batch, zip(*slow, strict=True), strict=True):
            assert torch.equal(tensor, torch.stack([torch.as_tensor(c) for c in column]))
        yield batch


class Doubled(TensorDataset):
    """Data set with other samples than its tensors."""

    def __getitem__(self, index):
        x, y = super().__getitem__(index)
        return 2.0 * x, y


def one_data_set(kind):
    """Make a benchmark of one data set, divided by class."""
    parts = toy_datasets([20, 13, 16])
    whole = kind(*(torch.cat(column) for column in zip(*(p.tensors for p in parts), strict=True)))
    return whole, [(4, 5), (0, 1), (2, 3)]


@pytest.mark.parametrize(("kind", "factor"), [(TensorDataset, 1.0), (Doubled, 2.0)])
@pytest.mark.parametrize(
    "part", [lambda data: data, lambda data: Subset(data, range(3, len(data)))]
)
def test_samples_of_one_data_set_in_memory_are_loaded_at_once(kind, factor, part):
    whole, label_sets = one_data_set(kind)
    whole = part(whole)
    benchmark = parallel_benchmark_from_classes(whole, whole, label_sets, batch_size=4, epochs=2)
    asked = 0
    for experience in benchmark.train_stream:
        for batch in equal_to_one_by_one(experience):
            x, y, t = batch
            assert [label_sets[task].count(label) for task, label in zip(t, y, strict=True)] == [
                1
            ] * len(y)
            asked += len(x)
            for tensor in batch:  # nothing that is done to a minibatch comes back
                tensor.zero_()
    assert asked == 2 * len(whole)
    again = next(iter(TickLoader(benchmark.train_stream[0])))
    assert factor * float(again[0].abs().max()) > 0.0


@pytest.mark.parametrize("kind", [Batched, AvalancheDataset, lambda dataset: dataset])
def test_samples_are_the_same_however_they_are_loaded(kind):
    train = [kind(dataset) for dataset in toy_datasets([20, 13, 16])]
    timeline = Timeline(((0, 4), (3, 6), (6, 9)))
    benchmark = parallel_benchmark(train, train, timeline, batch_size=4)
    for experience in benchmark.train_stream:
        assert len(list(equal_to_one_by_one(experience))) == len(experience.ticks)
    if kind is Batched:
        assert max(train[0].asked) == 4
    for experience, original in zip(benchmark.test_stream, train, strict=True):
        x, y, t = experience.load()
        assert torch.equal(x, torch.stack([sample[0] for sample in original]))
        assert y.tolist() == list(experience.dataset.targets)
        assert set(t.tolist()) == {experience.task_label}
