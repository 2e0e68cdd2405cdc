"""Predictions of a model as a table, without training."""

import csv
import os

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from avalanche_emgd.experiments import predictions
from avalanche_emgd.experiments.predictions import (
    predict_arrays,
    predict_images,
    write_predictions,
)
from avalanche_emgd.experiments.trained_model import TrainedModel


def model_of(**changes):
    """A model whose logits are the sums of the inputs of each channel."""
    about = {
        "class_names": ["red", "green", 'blue, "deep"'],
        "input_shape": [3, 4, 5],
        "tasks": {"a": [0, 2], "b": [1]},
        "mean": [0.5] * 3,
        "std": [0.25] * 3,
        **changes,
    }
    sums = nn.Sequential(nn.Flatten(2), nn.AvgPool1d(20), nn.Flatten(1))
    return TrainedModel(sums, about)


@pytest.fixture
def folder(tmp_path):
    """Three images of one colour each, in two folders."""
    (tmp_path / "deep").mkdir()
    for channel, name in enumerate(("0.png", "deep/1.png", "deep/2.jpg")):
        pixels = np.zeros((8, 10, 3), dtype=np.uint8)
        pixels[..., channel] = 255
        Image.fromarray(pixels).save(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("chunk", [1, 2, 256])
def test_images_are_scaled_and_predicted_in_chunks(chunk, folder, monkeypatch):
    monkeypatch.setattr(predictions, "_CHUNK", chunk)
    names, rows = zip(*predict_images(model_of(), folder), strict=True)
    assert names == ("0.png", "deep/1.png", "deep/2.jpg")
    assert torch.tensor(rows).argmax(dim=1).tolist() == [0, 1, 2]


def test_classes_of_one_task_compete_alone(folder):
    rows = torch.tensor([row for _, row in predict_images(model_of(), folder, "a")])
    assert torch.equal(rows[:, 1], torch.zeros(3))
    assert torch.allclose(rows.sum(dim=1), torch.ones(3))
    with pytest.raises(ValueError, match="`task` must be one of a, b, found 'c'"):
        list(predict_images(model_of(), folder, "c"))


@pytest.mark.parametrize("changes", [{"mean": None}, {"input_shape": [7]}])
def test_models_of_other_inputs_take_no_images(changes, folder):
    with pytest.raises(ValueError, match="`images` are for models of images"):
        predict_images(model_of(**changes), folder)


def test_a_table_has_the_names_of_classes(tmp_path):
    x = np.zeros((2, 3, 4, 5), dtype=np.float32)
    x[0, 1], x[1, 2] = 9.0, 9.0
    np.savez(tmp_path / "a.npz", x=x)
    model = model_of()
    path = tmp_path / "table.csv"
    assert write_predictions(path, model, predict_arrays(model, tmp_path / "a.npz")) == 2
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["input"] for row in rows] == ["0", "1"]
    assert [row["prediction"] for row in rows] == ["green", 'blue, "deep"']
    for row in rows:
        chances = [float(row[name]) for name in model.class_names]
        assert float(row["probability"]) == max(chances) == float(row[row["prediction"]])


def test_a_failed_prediction_leaves_the_table_as_it_was(tmp_path, folder):
    path = tmp_path / "table.csv"
    path.write_text("precious")
    (folder / "deep" / "3.png").write_bytes(b"no image")
    model = model_of()
    with pytest.raises(ValueError, match=r"3\.png' cannot be used"):
        write_predictions(path, model, predict_images(model, folder))
    assert path.read_text() == "precious"


def test_names_that_are_formulas_or_no_unicode_are_text(tmp_path):
    path, model = tmp_path / "table.csv", model_of(class_names=["=1+1", "@a", "red"])
    found = [("=2.png", [0.9, 0.1, 0.0]), (os.fsdecode(b"caf\xe9.png"), [0.0, 0.1, 0.9])]
    assert write_predictions(path, model, found) == 2
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    assert rows[0][3:] == ["'=1+1", "'@a", "red"]
    assert [row[:2] for row in rows[1:]] == [["'=2.png", "'=1+1"], [r"caf\udce9.png", "red"]]
