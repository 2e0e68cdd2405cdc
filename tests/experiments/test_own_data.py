"""Data of one's own from the command line: names of classes, sizes, faults in one line."""

import importlib
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from avalanche_emgd.experiments import RunConfig, StudyConfig, make_benchmark
from avalanche_emgd.experiments.data import DATA
from avalanche_emgd.training.plugins import AugmentationPlugin
from tests.command_line import call

pytestmark = pytest.mark.usefixtures("undrawn")

# The package exports the function `run` by the name of its module.
RUN = importlib.import_module("avalanche_emgd.experiments.run")


def train(tmp_path, *options):
    output = tmp_path / "run"
    result = call("train", *options, "--tasks", 2, "--batch-size", 8, "--output", output)
    assert result.exit_code == 0, result.output
    return result.output, json.loads((output / "metrics.json").read_text())["tasks"]


def saved(path, labels):
    y = np.array(labels * 8)
    x = np.eye(4, dtype=np.float32)[np.arange(len(y)) % 4]
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)
    return path


@pytest.mark.parametrize("labels", [[1, 2, 3, 4], [-5, 0, 7, 10**8], ["ant", "bee", "cat", "dog"]])
def test_original_labels_are_shown(labels, tmp_path):
    output, tasks = train(tmp_path, "--npz", saved(tmp_path / "a.npz", labels))
    assert sorted(c for task in tasks for c in task["classes"]) == [0, 1, 2, 3]
    for task in tasks:
        assert task["class_names"] == [str(labels[c]) for c in task["classes"]]
    assert f"2: {', '.join(tasks[0]['class_names'])}" in output


def test_labels_from_zero_are_their_own_names(tmp_path):
    _, tasks = train(tmp_path, "--npz", saved(tmp_path / "a.npz", [0, 1, 2, 3]))
    assert not any("class_names" in task for task in tasks)


def test_token_ids_reach_a_model_of_ones_own(tmp_path):
    y = np.arange(64) % 4
    x = 5 * y[:, None] + np.arange(3)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    options = ("--model", "own_models:embedding", "--learning-rate", 0.1, "--scenario", "task")
    _, tasks = train(tmp_path, "--npz", tmp_path / "a.npz", *options, "--epochs", 5)
    assert all(task["final"] == 1.0 for task in tasks)


def images(root, widths):
    for part in ("train", "test"):
        for name in ("ant", "bee", "cat", "dog"):
            (root / part / name).mkdir(parents=True)
            for index, width in enumerate(widths):
                pixels = np.full((6, width, 3), 50 * index, dtype=np.uint8)
                Image.fromarray(pixels).save(root / part / name / f"{index}.png")
    return root


def test_names_of_folders_are_shown(tmp_path):
    folder = images(tmp_path / "data", [5, 5, 5])
    _, tasks = train(tmp_path, "--images", folder, "--model", "mlp")
    assert sorted(name for task in tasks for name in task["class_names"]) == [
        "ant", "bee", "cat", "dog",
    ]  # fmt: skip


def test_different_sizes_name_the_option(tmp_path):
    folder = images(tmp_path / "data", [5, 7, 5])
    options = ("--images", folder, "--model", "mlp", "--tasks", 2, "--batch-size", 8)
    result = call("train", *options, "--output", tmp_path / "run")
    assert result.exit_code == 2
    assert "images of different sizes" in result.output
    assert "--size" in result.output
    assert not (tmp_path / "run").exists()
    result = call("train", *options, "--size", "4x5", "--output", tmp_path / "run")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("fault", ["image", "number", "label"])
def test_faults_in_data_are_one_line(fault, tmp_path):
    if fault == "image":
        folder = images(tmp_path / "data", [5, 5])
        (folder / "test" / "cat" / "1.png").write_bytes(b"no image")
        options, words = ("--images", folder), "cat/1.png"
    else:
        x, y = np.zeros((8, 3)), np.arange(8) % 4 + 0.0
        (x if fault == "number" else y)[5] = np.nan
        np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x, y_test=y)
        options = ("--npz", tmp_path / "a.npz")
        words = "x_train[5]" if fault == "number" else "nan at index 5"
    result = call("train", *options, "--tasks", 2, "--output", tmp_path / "run")
    assert result.exit_code == 2
    assert words in result.output.replace("\n", "")
    assert "Traceback" not in result.output


def table(path):
    kinds = np.array(["ant", "bee", "cat", "dog"])[np.arange(64) % 4]
    x = np.eye(4)[np.arange(64) % 4]
    frame = pd.DataFrame({"w": x[:, 0], "x": x[:, 1], "y": x[:, 2], "kind": kinds})
    frame.assign(site=np.where(kinds < "c", "north", "south")).to_csv(path, index=False)
    return path


def test_a_table_is_trained_on_and_repeated(tmp_path):
    options = (
        *("--table", table(tmp_path / "a.csv"), "--label-column", "kind", "--task-column", "site"),
        *("--feature-columns", "w, y,x", "--test-share", 0.25, "--raw-features"),
        *("--overlap", 0.5, "--batch-size", 8, "--learning-rate", 0.01, "--epochs", 10),
    )
    result = call("train", *options, "--output", tmp_path / "one")
    assert result.exit_code == 0, result.output
    assert "north" in result.output
    assert "2: ant, bee" in result.output
    config = json.loads((tmp_path / "one" / "config.json").read_text())
    assert config["feature_columns"] == ["w", "y", "x"]
    assert config["num_tasks"] is None
    again = ("train", "--config", tmp_path / "one" / "config.json")
    result = call(*again, "--output", tmp_path / "two")
    assert result.exit_code == 0, result.output
    for name in ("config.json", "curves.json"):
        files = [(tmp_path / run / name).read_text() for run in ("one", "two")]
        assert files[0] == files[1]
    tasks = json.loads((tmp_path / "two" / "metrics.json").read_text())["tasks"]
    assert [task["name"] for task in tasks] == ["north", "south"]
    assert [task["class_names"] for task in tasks] == [["ant", "bee"], ["cat", "dog"]]
    assert tasks[1]["final"] > 0.9
    # Another division takes the place of the column, and a second table that of the share.
    table(tmp_path / "b.csv")
    instead = ("--tasks", 1, "--test-table", tmp_path / "b.csv")
    result = call(*again, *instead, "--output", tmp_path / "three")
    assert result.exit_code == 0, result.output
    config = json.loads((tmp_path / "three" / "config.json").read_text())
    assert (config["task_column"], config["test_share"], config["num_tasks"]) == (None, None, 1)


def test_edited_rows_of_a_table_have_no_picture(tmp_path):
    data = ("--table", table(tmp_path / "a.csv"), "--label-column", "kind", "--test-share", 0.25)
    train(tmp_path, *data, "--feature-columns", "w,x,y", "--edit", "distance,step=0.1")
    assert (tmp_path / "run" / "curves.png").exists()
    assert not (tmp_path / "run" / "edits.png").exists()


def test_a_study_of_a_table_is_continued_and_reported(tmp_path):
    options = (
        *("--table", table(tmp_path / "a.csv"), "--label-column", "kind", "--task-column", "site"),
        *("--feature-columns", "w,x", "--test-share", 0.25, "--workers", 1, "--quiet"),
    )
    study = ("compare", *options, "--output", tmp_path / "study", "--methods")
    for methods in ("avg", "avg,naive"):
        result = call(*study, methods)
        assert result.exit_code == 0, result.output
    records = sorted((tmp_path / "study" / "records").glob("*.json"))
    assert len(records) == 2
    tasks = json.loads(records[0].read_text())["tasks"]
    assert [task["class_names"] for task in tasks] == [["ant", "bee"], ["cat", "dog"]]
    result = call("compare", "--config", tmp_path / "study" / "study.yaml", *study[-3:], "avg")
    assert result.exit_code == 0, result.output
    result = call("report", tmp_path / "study")
    assert result.exit_code == 0, result.output
    result = call(*study, "avg", "--feature-columns", "w,y")
    assert result.exit_code == 2
    assert "`--feature-columns` is ('w', 'y'), but ['w', 'x'] in the record" in result.output


def test_the_time_line_of_a_table_is_drawn(tmp_path):
    options = ("--table", table(tmp_path / "a.csv"), "--label-column", "kind", "--task-column")
    result = call(
        *("timeline", *options, "site", "--test-share", 0.25, "--overlap", 0),
        *("--output", tmp_path / "t.png"),
    )
    assert result.exit_code == 0, result.output
    assert "north: ticks 0–0" in result.output
    assert "south: ticks 1–1" in result.output


def test_one_folder_of_images_is_divided(tmp_path):
    folder = images(tmp_path / "data", [5] * 4) / "train"
    options = ("--images", folder, "--test-share", 0.25, "--model", "mlp")
    _, tasks = train(tmp_path, *options)
    assert sorted(name for task in tasks for name in task["class_names"]) == [
        "ant", "bee", "cat", "dog",
    ]  # fmt: skip
    config = tmp_path / "run" / "config.json"
    assert json.loads(config.read_text())["test_share"] == 0.25
    result = call("train", "--config", config, "--output", tmp_path / "two")
    assert result.exit_code == 0, result.output
    curves = [(tmp_path / run / "curves.json").read_text() for run in ("run", "two")]
    assert curves[0] == curves[1]


def test_a_study_of_images_of_several_sizes(tmp_path, scheduler):
    images(tmp_path / "images", widths=(6, 8, 12, 16))
    options = (
        *("--images", tmp_path / "images", "--tasks", 2, "--batch-size", 8, "--model", "mlp"),
        *("--methods", "avg", "--scheduler", scheduler, "--output", tmp_path / "study"),
    )
    refused = call("compare", *options)
    assert refused.exit_code == 2
    assert "`--size`" in refused.output
    result = call("compare", *options, "--size", "6x8")
    assert result.exit_code == 0, result.output
    study = StudyConfig.from_yaml(tmp_path / "study" / "study.yaml")
    assert study.size == (6, 8)
    assert call("compare", *options, "--size", "6x8", "--quiet").exit_code == 0
    other = call("compare", *options, "--size", "8")
    assert other.exit_code == 2
    assert "`--size` is (8, 8), but [6, 8] in the record" in other.output


@pytest.mark.parametrize(("changes", "flips"), [({}, True), ({"no_flip": True}, False)], ids=str)
def test_natural_images_are_flipped_unless_told_otherwise(tmp_path, monkeypatch, changes, flips):
    assert augmented(tmp_path, monkeypatch, changes) == flips


@pytest.mark.parametrize("changes", [{}, {"no_flip": True}], ids=str)
def test_characters_are_not_flipped(tmp_path, monkeypatch, changes):
    monkeypatch.setitem(DATA, "npz", replace(DATA["npz"], flips=DATA["ps-emnist"].flips))
    assert not augmented(tmp_path, monkeypatch, changes)


def augmented(tmp_path, monkeypatch, changes):
    """Whether a run on its own mirrors images."""
    y = np.arange(16) % 4
    x = np.zeros((16, 1, 16, 16), dtype=np.float32)
    np.savez(tmp_path / "a.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    made = []

    class Kept(AugmentationPlugin):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

    monkeypatch.setattr(RUN, "AugmentationPlugin", Kept)
    path = str(tmp_path / "a.npz")
    config = RunConfig(
        benchmark="npz", data_root=path, num_tasks=2, augment=True, method="avg", **changes
    )
    RUN.execute(config, make_benchmark(config))
    (plugin,) = made
    images = torch.arange(40.0).view(20, 1, 1, 2)  # twenty of two pixels, the right one larger
    plugin.padding = 0
    out = plugin.augment(images)
    return bool((out[..., 0] > out[..., 1]).any())
