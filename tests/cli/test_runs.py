"""What ``train`` can be told about the run, and runs again from their files."""

import json

import numpy as np
import pytest
from PIL import Image

from avalanche_emgd.experiments import RunConfig, make_benchmark
from avalanche_emgd.experiments.records import record_key
from avalanche_emgd.experiments.run_file import load_config
from tests.cli.inputs import QUICK
from tests.command_line import call

pytestmark = pytest.mark.usefixtures("undrawn")


def trained(output, *options):
    result = call("train", "--output", output, *options)
    assert result.exit_code == 0, result.output
    return [json.loads((output / f"{name}.json").read_text()) for name in ("config", "metrics")]


def figures(metrics):
    return [metrics["A_e"], metrics["A_ebar"], metrics["tasks"]]


def test_a_run_is_repeated_by_its_configuration(tmp_path):
    options = (
        "--method",
        "emgd-gs",
        "--edit",
        "cosine,step=0.1",
        "--seed",
        3,
        "--optimizer",
        "sgd",
    )
    config, metrics = trained(tmp_path / "one", *QUICK, *options, "--learning-rate", 0.1)
    file = tmp_path / "one" / "config.json"
    again, same = trained(tmp_path / "again", "--config", file)
    assert again == config
    assert figures(same) == figures(metrics)
    other, different = trained(tmp_path / "other", "--config", file, "--seed", 4)
    assert other == {**config, "seed": 4}
    assert figures(different) != figures(metrics)


def test_each_epoch_delivers_every_sample(tmp_path):
    one, three = (make_benchmark(RunConfig(num_tasks=2, epochs=e)) for e in (1, 3))
    assert three.task_sizes == tuple(3 * size for size in one.task_sizes)
    config, metrics = trained(tmp_path / "run", *QUICK, "--epochs", 3)
    assert config["epochs"] == 3
    assert metrics["ticks"] > 2 * sum(one.task_sizes) / 2 / 32


def test_the_optimizer_is_the_one_asked_for(tmp_path):
    found = []
    for name, decay in (("adam", 0), ("adamw", 0), ("adamw", 3), ("sgd", 0)):
        options = (*QUICK, "--optimizer", name, "--weight-decay", decay)
        found.append(figures(trained(tmp_path / f"{name}{decay}", *options)[1]))
    adam, adamw, decayed, sgd = found
    assert adam == adamw  # without decay they are the same
    assert decayed != adamw
    assert sgd != adam


def test_a_model_of_ones_own(tmp_path):
    config, metrics = trained(tmp_path / "run", *QUICK, "--model", "own_models:linear")
    assert config["model"] == "own_models:linear"
    assert metrics["A_e"] > 0.5


def test_images_are_scaled(tmp_path):
    for part in ("train", "test"):
        for label in range(2):
            folder = tmp_path / part / str(label)
            folder.mkdir(parents=True)
            for index in range(4):
                pixels = np.full((20, 20, 3), 60 * label + index, dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{index}.png")
    for size, shape in (("8", (3, 8, 8)), ("6x10", (3, 6, 10))):
        options = ("--images", tmp_path, "--tasks", 2, "--batch-size", 2, "--model", "mlp")
        config, _ = trained(tmp_path / size, *options, "--size", size)
        assert tuple(config["size"]) == shape[1:]
        chosen = load_config(tmp_path / size / "config.json")
        assert make_benchmark(chosen).input_shape == shape


def test_keys_of_earlier_records_hold():
    # From before epochs, optimizers, weight decay and sizes could be chosen.
    assert record_key(RunConfig()) == "emgd-gmc-class-seed0-2935692717"
    keys = {record_key(RunConfig(**each)) for each in ({}, {"epochs": 2}, {"weight_decay": 0.1})}
    assert len(keys) == 3
