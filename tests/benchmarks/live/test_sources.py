"""Sources of live streams: data sets, iterables and folders."""

import logging
import os
import threading
import time

import numpy as np
import pytest
import torch
from avalanche.benchmarks.utils import AvalancheDataset, TransformGroups
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset

from avalanche_emgd.benchmarks.live import FolderSource, LiveStream
from avalanche_emgd.benchmarks.live.feeds import DirectFeed, ThreadFeed, feed_of
from avalanche_emgd.benchmarks.live.iterable_source import IterableSource
from avalanche_emgd.benchmarks.live.map_source import MapSource


def numbered(size):
    return TensorDataset(torch.arange(float(size))[:, None], torch.arange(size) % 3)


class Slow(Dataset):
    """Data set whose samples load one by one."""

    def __init__(self, size):
        self.size = size

    def __len__(self):
        return self.size

    def __getitem__(self, index):
        return torch.tensor([float(index)]), index % 3


class Counting(IterableDataset):
    def __init__(self, size):
        self.size = size

    def __iter__(self):
        return ((torch.tensor([float(i)]), i % 3) for i in range(self.size))


SOURCES = {
    "in memory": lambda n: MapSource(numbered(n), "data"),
    "subset": lambda n: MapSource(Subset(numbered(n + 5), range(n)), "data", shuffle=False),
    "one by one": lambda n: MapSource(Slow(n), "data"),
    "two epochs": lambda n: MapSource(numbered(n), "data", epochs=2),
    "list": lambda n: IterableSource(list(numbered(n))),
    "IterableDataset": lambda n: IterableSource(Counting(n)),
    "loader": lambda n: IterableSource(DataLoader(numbered(n), batch_size=4)),
}


def all_of(source, size=4):
    return [(m.inputs[:, 0].tolist(), list(map(int, m.labels))) for m in source.batches(size)]


@pytest.mark.parametrize("kind", list(SOURCES))
@settings(max_examples=15, deadline=None)
@given(number=st.integers(0, 23), size=st.integers(1, 6), done=st.integers(0, 12))
def test_every_sample_once_and_a_resumed_source_skips_what_was_delivered(kind, number, size, done):
    if kind in ("one by one", "two epochs", "in memory", "loader") and number == 0:
        number = 1  # torch loads no empty data set
    everything = all_of(SOURCES[kind](number), size)
    epochs = 2 if kind == "two epochs" else 1
    inputs = [x for minibatch, _ in everything for x in minibatch]
    assert sorted(inputs) == sorted(epochs * list(map(float, range(number))))
    assert all(ys == [int(x) % 3 for x in xs] for xs, ys in everything)
    source = SOURCES[kind](number)
    for minibatch, _ in zip(source.batches(size), range(done), strict=False):
        source.delivered(minibatch)
    resumed = SOURCES[kind](number)
    assert resumed.load_state_dict(source.state_dict()) is None
    assert all_of(resumed, size) == everything[done:]


def test_a_generator_says_what_is_lost():
    source = IterableSource(iter(list(numbered(6))))
    assert "cannot skip the 4 samples" in source.load_state_dict({"num_delivered": 4})


def test_avalanche_data_sets_store_inputs_of_the_evaluation():
    groups = TransformGroups({"train": (lambda x: x + 100.0, None), "eval": (None, None)})
    data = AvalancheDataset([numbered(8)], transform_groups=groups)
    source = MapSource(data, "data", shuffle=False)
    first = next(source.batches(4))
    assert first.inputs[:, 0].tolist() == [100.0, 101.0, 102.0, 103.0]
    assert first.stored(torch.tensor([1, 3]))[:, 0].tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([torch.zeros(2)], "sample 0 is of type Tensor: give"),
        ([(torch.zeros(2), 0), (torch.zeros(3), 0)], "differ in shape or type"),
        ([(Image.new("RGB", (2, 2)), 0)], "sample 0 is a Pillow image"),
        ([("text", 0)], "sample 0 cannot be a tensor"),
        ([(torch.zeros(2), "x")], "label 'x' is text"),
        ([(torch.zeros(2), 0.5)], r"0\.5"),
        ([(torch.zeros(2), -1)], r"label -1 must be in 0\.\."),
        ([(torch.zeros(2), 10**9)], "label 1000000000 must be in"),
        ([(torch.zeros(2), 7)], "label 7, which is not among its `classes`"),
    ],
)
def test_samples_that_cannot_be_used(samples, message):
    stream = LiveStream(batch_size=4)
    stream.add_task(iter(samples), classes=[0, 1])
    stream.close()
    with pytest.raises(RuntimeError, match=rf"data of task 'task0' cannot be used: .*{message}"):
        next(iter(stream))
    assert list(stream) == []  # the task has ended


def test_an_error_of_a_generator_comes_after_the_samples_before():
    def broken():
        yield from list(numbered(4))
        raise OSError("the camera is unplugged")

    stream = LiveStream(batch_size=2)
    stream.add_task(broken(), classes=[0, 1, 2])
    stream.close()
    segment = next(iter(stream))
    assert segment.next_tick() is not None
    assert segment.next_tick() is not None
    with pytest.raises(RuntimeError, match="'task0' cannot be used: the camera is unplugged"):
        segment.next_tick()


def test_tasks_of_different_shapes():
    stream = LiveStream(batch_size=2)
    stream.add_task(numbered(4))
    stream.add_task(TensorDataset(torch.zeros(4, 2), torch.zeros(4)))
    with pytest.raises(RuntimeError, match=r"'task1'.*float32 \[2\], those of the stream .*\[1\]"):
        next(iter(stream))


def test_data_in_memory_need_no_thread():
    assert isinstance(feed_of(MapSource(numbered(3), "data"), 2), DirectFeed)
    assert isinstance(feed_of(MapSource(Slow(3), "data"), 2), ThreadFeed)


def test_a_generator_is_not_read_far_ahead():
    read = []

    def endless():
        i = 0
        while True:
            read.append(i)
            yield torch.tensor([float(i)]), 0
            i += 1

    feed = ThreadFeed(IterableSource(endless()), 4)
    for _ in range(5):
        assert feed.take(5.0) is not None
    time.sleep(0.2)
    assert len(read) <= 4 * (5 + 4)  # two in the queue, one in hand, one in work
    feed.stop()


# Folders


def write(folder, name, value=0, size=(4, 4)):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".part")
    Image.fromarray(np.full((*size, 3), value, dtype=np.uint8)).save(partial, "png")
    os.replace(partial, path)


def test_a_folder_that_is_being_filled(tmp_path):
    source = FolderSource(tmp_path, size=(4, 4), mean=[0] * 3, std=[1] * 3, poll=0.01, settle=0.0)
    stream = LiveStream(batch_size=4, max_wait=0.02)
    stream.add_task(source, name="camera")
    stream.close()

    def fill():
        for i in range(10):
            write(tmp_path, f"{'cat' if i % 2 else 'dog'}/{i}.png", value=i)
            time.sleep(0.01)
        write(tmp_path, "owl/10.png", value=10)
        (tmp_path / "END").touch()

    thread = threading.Thread(target=fill)
    thread.start()
    pixels, labels, classes = [], [], []
    for segment in stream:
        classes.append(segment.classes_in_this_experience)
        while (batch := segment.next_tick()) is not None:
            assert batch[0].shape[1:] == (3, 4, 4)
            pixels += (batch[0][:, 0, 0, 0] * 255).round().int().tolist()
            labels += batch[1].tolist()
    thread.join()
    assert sorted(pixels) == list(range(11))
    names = stream.benchmark.class_names
    expected = ["owl" if i == 10 else "cat" if i % 2 else "dog" for i in pixels]
    assert [names[label] for label in labels] == expected
    assert classes[-1] == [0, 1, 2]  # of the name that came last, too


def test_files_that_are_no_images_or_unfinished(tmp_path, caplog):
    write(tmp_path, "a/1.png", 1)
    (tmp_path / "a" / "2.png").write_bytes(b"no image")
    (tmp_path / "a" / "3.txt").write_text("text")
    (tmp_path / "a" / ".4.png").write_bytes(b"hidden")
    source = FolderSource(tmp_path, size=(2, 2), settle=3600.0)
    with caplog.at_level(logging.WARNING):
        source.close()  # all that are there, at once
        (found,) = source.batches(8)
    assert (len(found), source.broken) == (1, 1)
    assert "2.png" in caplog.text
    # Without the end, files that have just changed wait.
    waiting = FolderSource(tmp_path, size=(2, 2), settle=3600.0, poll=0.01)
    feed = ThreadFeed(waiting, 1)
    assert feed.take(0.1) is None
    assert not feed.ended
    feed.stop()


def test_a_resumed_folder_skips_files_that_were_delivered(tmp_path):
    for i in range(5):
        write(tmp_path, f"a/{i}.png", i)
        os.utime(tmp_path / "a" / f"{i}.png", (1000 + i, 1000 + i))
    options = {"size": (4, 4), "mean": [0] * 3, "std": [1] * 3}
    first = FolderSource(tmp_path, **options)
    first.close()
    batches = first.batches(2)
    first.delivered(next(batches))
    next(batches)  # read ahead, and not delivered
    second = FolderSource(tmp_path, **options)
    assert second.load_state_dict(first.state_dict()) is None
    second.close()
    found = [round(float(x) * 255) for m in second.batches(2) for x in m.inputs[:, 0, 0, 0]]
    assert found == [2, 3, 4]
    # Names of files that have been removed are forgotten.
    for i in range(5):
        (tmp_path / "a" / f"{i}.png").unlink()
    list(second.batches(2))
    assert second.state_dict()["delivered"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"directory": "nowhere"}, "`directory` must be a folder"),
        ({"poll": 0.0}, "`poll` must be positive"),
        ({"settle": -1.0}, "`settle` must be at least 0"),
        ({"mean": [0.0]}, "`mean` and `std` must have three values"),
        ({"std": [1.0, 0.0, 1.0]}, "`std` positive"),
        ({"size": (0, 4)}, "`size` must be"),
    ],
)
def test_arguments_of_folders(tmp_path, change, message):
    options = {"directory": tmp_path, "size": (4, 4), **change}
    with pytest.raises(ValueError, match=message):
        FolderSource(options.pop("directory"), **options)
