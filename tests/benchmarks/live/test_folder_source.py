"""Folders that are being filled with images."""

import logging
import os
import threading
import time

import numpy as np
import pytest
from PIL import Image

from avalanche_emgd.benchmarks.live import FolderSource, LiveStream
from avalanche_emgd.benchmarks.live.feeds import ThreadFeed


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
        ({"poll": 0.0}, "`poll` must be a number of seconds, above 0"),
        ({"poll": float("inf")}, "`poll` must be a number of seconds"),
        ({"settle": "1"}, "`settle` must be a number of seconds"),
        ({"settle": -1.0}, "`settle` must be a number of seconds, at least 0"),
        ({"mean": [0.0]}, "`mean` and `std` must have three values"),
        ({"std": [1.0, 0.0, 1.0]}, "`std` positive"),
        ({"size": (0, 4)}, "`size` must be"),
    ],
)
def test_arguments_of_folders(tmp_path, change, message):
    options = {"directory": tmp_path, "size": (4, 4), **change}
    with pytest.raises(ValueError, match=message):
        FolderSource(options.pop("directory"), **options)


def test_files_of_a_clock_that_is_ahead(tmp_path):
    write(tmp_path, "cat/0.png")
    later = time.time() + 3600.0
    os.utime(tmp_path / "cat/0.png", (later, later))
    feed = ThreadFeed(FolderSource(tmp_path, size=(4, 4), poll=0.01, settle=0.05), 1)
    assert len(feed.take(10.0)) == 1
    feed.stop()


def test_a_source_is_added_again_after_its_end(tmp_path):
    write(tmp_path, "cat/0.png")
    source, stream = FolderSource(tmp_path, size=(4, 4), poll=0.01), LiveStream(batch_size=1)
    source.close()
    for round_ in (1, 2):
        stream.add_task(source, name="camera")
        for segment in iter(stream):
            while segment.next_tick() is not None:
                pass
            if not stream.tasks[0].is_active:
                stream.stop()
        assert stream.tasks[0].samples == round_
        write(tmp_path, "cat/1.png")
