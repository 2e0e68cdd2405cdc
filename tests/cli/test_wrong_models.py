"""Models, devices and settings that cannot work: one line, before anything is written."""

import json

import numpy as np
import pytest

from tests.cli.one_line import check_one_line

MODELS = """
import torch
from torch import nn


class Pair(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.layer = nn.Linear(64, classes)

    def forward(self, x):
        logits = self.layer(x.flatten(1))
        return logits, logits


def pair(num_classes, shape):
    return Pair(num_classes)


def narrow(num_classes, shape):
    return nn.Sequential(nn.Flatten(), nn.Linear(7, num_classes))
"""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "models_that_fail.py").write_text(MODELS)
    (folder / "broken_syntax.py").write_text("def net(:\n")
    (folder / "leaves_python.py").write_text("import sys\nsys.exit(0)\n")
    (folder / "list_of_settings.json").write_text(json.dumps({"settings": [1]}))
    empty = {"x_train": np.zeros((8, 0, 0), dtype=np.uint8), "y_train": np.arange(8) % 4}
    np.savez(folder / "empty.npz", **empty, x_test=empty["x_train"], y_test=empty["y_train"])
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "models_that_fail:pair"], "`--model` must return one tensor of logits"),
        (["--model", "models_that_fail:narrow"], "`--model` cannot take inputs of task"),
        (["--model", "broken_syntax:net"], "its module raises SyntaxError"),
        (["--model", "leaves_python:net"], "its module raises SystemExit: 0"),
        (["--device", "meta"], "`--device` 'meta' cannot be used here"),
        (["--device", "mkldnn"], "`--device` 'mkldnn' cannot be used here"),
        (["--config", "list_of_settings.json"], "`settings` must map names of settings to values"),
        (["--edit", "cosine,only_conflicting=maybe"], "`only_conflicting` must be true or false"),
        (["--npz", "empty.npz", "--tasks", "2"], "has samples without a number in x_train"),
    ],
)
def test_a_run_that_cannot_work_is_one_line(arguments, message, inputs, monkeypatch):
    monkeypatch.chdir(inputs)
    monkeypatch.syspath_prepend(str(inputs))
    check_one_line(["train", *arguments, "--output", "out"], message, inputs)
