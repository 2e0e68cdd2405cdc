"""What ``train`` can be told about the run, and runs again from their files."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from avalanche_emgd.experiments import RunConfig, make_benchmark
from avalanche_emgd.experiments.config import DATA
from avalanche_emgd.experiments.optimizers import make_optimizer
from avalanche_emgd.experiments.records import record_key
from avalanche_emgd.experiments.run_file import load_config
from tests.command_line import call

QUICK = ("--tasks", 2, "--batch-size", 32)


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


def test_options_replace_what_the_file_says_and_what_belongs_to_it(tmp_path):
    file = tmp_path / "config.json"
    one = RunConfig(method="emgd-gmc", settings={"decay": 0.5}, num_tasks=2, batch_size=8)
    file.write_text(json.dumps(one.to_json()))
    assert load_config(file) == one.resolved()
    assert load_config(file, method="avg").settings == {}
    assert load_config(file, method="emgd-gmc").settings == {"decay": 0.5}
    assert load_config(file, overlap=0.5).num_tasks == 2
    emnist = load_config(file, benchmark="ps-emnist")
    assert (emnist.batch_size, emnist.num_tasks, emnist.settings) == (None, None, {"decay": 0.5})
    with_protocol = load_config(file, protocol="p.json", label_set=1)
    assert (with_protocol.num_tasks, with_protocol.label_set) == (None, 1)
    file.write_text(json.dumps(with_protocol.to_json()))
    assert load_config(file, overlap=0.5).protocol is None


def test_each_epoch_delivers_every_sample(tmp_path):
    one, three = (make_benchmark(RunConfig(num_tasks=2, epochs=e)) for e in (1, 3))
    assert three.task_sizes == tuple(3 * size for size in one.task_sizes)
    config, metrics = trained(tmp_path / "run", *QUICK, "--epochs", 3)
    assert config["epochs"] == 3
    assert metrics["ticks"] > 2 * sum(one.task_sizes) / 2 / 32


@pytest.mark.parametrize("name", [name for name, data in DATA.items() if data.needs == ""])
def test_ready_made_benchmarks_take_epochs(name):
    once, twice = (make_benchmark(RunConfig(benchmark=name, epochs=e)) for e in (1, 2))
    ids = torch.cat([experience.ids for experience in twice.train_stream])
    assert ids.bincount().unique().tolist() == [2]
    assert len(ids) == 2 * sum(once.task_sizes)


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_optimizers(name):
    model = torch.nn.Linear(2, 1)
    optimizer = make_optimizer(name, model, 0.1, 0.01)
    assert type(optimizer).__name__.lower() == name
    (group,) = optimizer.param_groups
    assert (group["lr"], group["weight_decay"]) == (0.1, 0.01)
    assert [id(p) for p in group["params"]] == [id(p) for p in model.parameters()]


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


def test_quiet_prints_nothing(tmp_path, capfd):
    for command, options in (("train", QUICK), ("demo", ())):
        result = call(command, "--output", tmp_path / command, *options, "--quiet")
        assert result.exit_code == 0, result.output
        assert result.output == ""
    assert capfd.readouterr().out == ""
    result = call("train", "--output", tmp_path / "train", "--quiet")
    assert result.exit_code == 2
    assert "is not empty" in result.output


def test_keys_of_earlier_records_hold():
    # From before epochs, optimizers, weight decay and sizes could be chosen.
    assert record_key(RunConfig()) == "emgd-gmc-class-seed0-2935692717"
    keys = {record_key(RunConfig(**each)) for each in ({}, {"epochs": 2}, {"weight_decay": 0.1})}
    assert len(keys) == 3
