"""Every kind of wrong file that a command may get, and some right ones."""

import json
import shutil

import numpy as np
from PIL import Image

PROTOCOL = {
    "name": "mine",
    "dataset": "digits",
    "num_classes": 10,
    "batch_size": 4,
    "label_sets": [
        {"classes": [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]], "timelines": [[[0, 9], [5, 14]]]}
    ],
}


def protocol(**changes):
    return json.dumps({**PROTOCOL, **changes})


def label_set(**changes):
    return protocol(label_sets=[{**PROTOCOL["label_sets"][0], **changes}])


def write_files(folder):
    """Write all of them into a folder."""
    y = np.arange(8) % 4
    right = {"x_train": np.zeros((8, 3)), "y_train": y, "x_test": np.zeros((8, 3)), "y_test": y}
    for name, changes in {
        "right": {},
        "floats": {"y_train": y / 2},
        "zero": {"x_train": np.zeros((0, 3)), "y_train": y[:0]},
        "zero-test": {"x_test": np.zeros((0, 3)), "y_test": y[:0]},
        "large": {"y_train": y.astype(np.uint64) + 2**63},
        "negative": {"y_train": y - 1},
        "short": {"y_train": y[:3]},
        "texts": {"x_train": np.full((8, 3), "a")},
        "objects": {"x_train": np.array([None] * 8, dtype=object)},
        "flat": {"x_train": np.zeros(8)},
        "channels": {"x_train": np.zeros((8, 4, 4, 7), dtype=np.uint8)},
        "tokens": {"x_train": np.zeros((8, 3), dtype=int), "x_test": np.zeros((8, 3), dtype=int)},
    }.items():
        np.savez(folder / f"{name}.npz", **{**right, **changes})
    np.savez(folder / "missing.npz", x_train=y)
    whole = (folder / "right.npz").read_bytes()
    (folder / "cut.npz").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.npz").write_bytes(b"")
    (folder / "text.npz").write_text("x_train")
    np.save(folder / "array.npy", y)
    (folder / "table.csv").write_text("a,b\n1,2\n")
    (folder / "folder.npz").mkdir()
    (folder / "twice.yaml").write_text("methods: [avg]\nseeds: [1]\nseeds: [2]\n")
    (folder / "twice.json").write_text('{"seed": 1, "method": "avg",\n"seed": 2}')
    (folder / "file").write_text("precious")
    (folder / "full").mkdir()
    (folder / "full" / "metrics.json").write_text("precious")
    (folder / "empty").mkdir()
    (folder / "notes").mkdir()
    (folder / "notes" / "notes.txt").write_text("precious")
    for name, parts in {
        "images": ("train", "test"),
        "images-train": ("train",),
        "images-cut": ("train", "test"),
        "images-others": ("train",),
    }.items():
        for part in parts:
            for label in "ab":
                place = folder / name / part / label
                place.mkdir(parents=True)
                for number in range(4):
                    Image.fromarray(np.full((8, 8, 3), 60, dtype=np.uint8)).save(
                        place / f"{number}.png"
                    )
    (folder / "images-cut" / "train" / "a" / "1.png").write_bytes(b"\x89PNG")
    shutil.copytree(folder / "images" / "train" / "a", folder / "images-others" / "test" / "c")
    for name, text in {
        "right.json": protocol(),
        "no.json": "{",
        "list.json": "[1]",
        "empty.json": "",
        "binary.json": "\x00",
        "unknown.json": protocol(lable_sets=[]),
        "unknown-set.json": label_set(timeline=[]),
        "no-sets.json": protocol(label_sets=[]),
        "text.json": protocol(num_classes="ten"),
        "others.json": protocol(num_classes=62),
        "overlap.json": label_set(classes=[[0, 1], [1, 2]]),
        "large.json": label_set(classes=[[0, 1], [2, 99]]),
        "spans.json": label_set(timelines=[[[0, 9]]]),
        "back.json": label_set(timelines=[[[9, 0], [5, 14]]]),
        "floats.json": label_set(timelines=[[[0.5, 9], [5, 14]]]),
        "no-config.json": "{",
        "list-config.json": "[]",
        "unknown-config.json": '{"sede": 1}',
        "text-config.json": '{"num_tasks": 11}',
        "kind-config.json": '{"seed": "one"}',
        "no.yaml": "methods: [",
        "list.yaml": "- avg",
        "unknown.yaml": "methods: [avg]\nsede: 1\n",
        "no-methods.yaml": "seeds: [1]\n",
        "near.yaml": "methods: [agv]\n",
        "tasks.yaml": "methods: [avg]\nnum_tasks: 11\n",
        "text.yaml": "methods: [avg]\nnum_tasks: ten\n",
        "rate.yaml": "methods: [avg]\nlearning_rate: 3e-3\n",
        "settings.yaml": "methods:\n- {method: emgd-gmc, settings: {decay: 7}}\n",
        "unknown-settings.yaml": "methods:\n- {method: emgd-gmc, settings: {dekay: 0.5}}\n",
        "unknown-entry.yaml": "methods:\n- {methode: avg}\n",
    }.items():
        (folder / name).write_text(text)
    (folder / "latin.json").write_bytes('{"name": "größe"}'.encode("latin-1"))
