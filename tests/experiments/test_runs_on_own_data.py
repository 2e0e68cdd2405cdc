"""Data of one's own from the command line: names of classes, sizes, faults in one line."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from avalanche_emgd.cli import app


def call(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


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
