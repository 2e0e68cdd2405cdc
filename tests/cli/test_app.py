import json
import re

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from avalanche_emgd import __version__
from tests.cli.inputs import small_arrays
from tests.command_line import call, without_warnings

PNG = b"\x89PNG"
SMALL = ("--tasks", "3", "--batch-size", "32")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    output = tmp_path_factory.mktemp("runs") / "digits"
    result = call("train", "--benchmark", "ps-digits", "--seed", 1, "--output", output)
    assert result.exit_code == 0, result.output
    return output, result.output


def test_train_writes_its_results(trained):
    output, _ = trained
    assert {p.name for p in output.iterdir()} == {
        "config.json",
        "metrics.json",
        "model.pt",
        "timeline.png",
        "curves.json",
        "curves.png",
        "trace.json",
        "tensorboard",
    }
    for picture in ("timeline.png", "curves.png"):
        assert (output / picture).read_bytes().startswith(PNG)


def test_config_says_everything_needed_to_repeat_the_run(trained):
    config = json.loads((trained[0] / "config.json").read_text())
    expected = {
        "benchmark": "ps-digits",
        "scenario": "class",
        "method": "emgd-gmc",
        "seed": 1,
        "num_tasks": 5,
        "device": "cpu",
    }
    assert {key: config[key] for key in expected} == expected
    assert config["batch_size"] == 4  # the benchmark's own, written out
    assert config["learning_rate"] == 0.003
    assert config["versions"]["avalanche-emgd"] == __version__
    assert {"torch", "avalanche-lib", "torchjd"} <= set(config["versions"])


def test_metrics_are_fractions_and_agree_with_each_other(trained):
    metrics = json.loads((trained[0] / "metrics.json").read_text())
    tasks = metrics["tasks"]
    assert len(tasks) == 5
    for task in tasks:
        assert {"name", "classes", "span", "at_end", "final"} <= set(task)
        assert 0.0 <= task["at_end"] <= 1.0
    mean = {key: sum(t[key] for t in tasks) / 5 for key in ("at_end", "final")}
    assert metrics["A_e"] == pytest.approx(mean["at_end"])
    assert metrics["A_ebar"] == pytest.approx(mean["final"])
    assert metrics["F_ebar"] == pytest.approx(mean["final"] - mean["at_end"])
    assert metrics["A_e"] > 0.5


def test_train_prints_a_table(trained):
    _, printed = trained
    for text in ("task0", "ticks", "at its end", "at the very end", "A_e", "A_ē", "F_ē"):
        assert text in printed


def test_train_writes_tensorboard_files(trained):
    events = EventAccumulator(str(trained[0] / "tensorboard"))
    events.Reload()
    assert {"A_ebar", "Weight/memory", "Sigma/task0"} <= set(events.Tags()["scalars"])


def test_same_run_again_gives_the_same_metrics(trained, undrawn, tmp_path):
    call("train", "--benchmark", "ps-digits", "--seed", 1, "--output", tmp_path / "again")
    one, other = (
        json.loads((path / "metrics.json").read_text()) for path in (trained[0], tmp_path / "again")
    )
    for cost in ("seconds", "ticks_per_second", "peak_memory_mb"):
        assert one.pop(cost) > 0
        assert other.pop(cost) > 0
    assert one == other


@pytest.mark.parametrize(
    "options",
    [
        ("--method", "mgda"),
        ("--method", "egda", "--scenario", "task"),
        ("--method", "emgd-gs", "--overlap", "0", "--memory-per-class", "0"),
        ("--overlap", "1", "--learning-rate", "0.01", "--eval-every", "5"),
        ("--precision", "float16"),
        ("--precision", "bfloat16", "--method", "naive"),
    ],
)
def test_train_options(options, undrawn, tmp_path):
    result = call("train", "--output", tmp_path / "run", *SMALL, *options)
    assert result.exit_code == 0, result.output
    assert 0.0 <= json.loads((tmp_path / "run" / "metrics.json").read_text())["A_ebar"] <= 1.0


@pytest.mark.parametrize("model", [(), ("--model", "slim-resnet18")])
def test_train_on_arrays(model, undrawn, tmp_path):
    options = ("--npz", small_arrays(tmp_path / "a.npz"), "--tasks", 2, "--batch-size", 8)
    result = call("train", *options, *model, "--output", tmp_path / "run")
    assert result.exit_code == 0, result.output
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["benchmark"] == "npz"
    assert config["model"] == (model[1] if model else "mlp")
    assert len(json.loads((tmp_path / "run" / "metrics.json").read_text())["tasks"]) == 2


def test_another_layout_of_a_convolutional_model_changes_last_digits_only(undrawn, tmp_path):
    options = ("--npz", small_arrays(tmp_path / "a.npz"), "--tasks", 2, "--batch-size", 8)
    # Adam turns rounding errors of small gradients into whole steps: those are small, too.
    options = (*options, "--learning-rate", 1e-6)
    losses = []
    for layout in ((), ("--channels-last",)):
        output = tmp_path / f"run{len(layout)}"
        result = call("train", *options, "--model", "slim-resnet18", *layout, "--output", output)
        assert result.exit_code == 0, result.output
        assert json.loads((output / "config.json").read_text())["channels_last"] is bool(layout)
        trace = json.loads((output / "trace.json").read_text())
        losses.append([value for _, value in trace["loss"]["task0"]])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_train_on_folders_of_images(tmp_path):
    for part in ("train", "test"):
        for label in range(4):
            folder = tmp_path / part / f"class{label}"
            folder.mkdir(parents=True)
            for index in range(4):
                pixels = np.full((8, 8, 3), 60 * label + index, dtype=np.uint8)
                Image.fromarray(pixels).save(folder / f"{index}.png")
    options = ("--images", tmp_path, "--tasks", 2, "--batch-size", 4, "--memory-per-class", 2)
    result = call("train", *options, "--output", tmp_path / "run")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run" / "curves.png").exists()
    picture = tmp_path / "timeline.png"
    result = call("timeline", "--images", tmp_path, "--tasks", 2, "--output", picture)
    assert result.exit_code == 0, result.output
    assert picture.exists()


def test_emnist(shared_data, published_protocol, undrawn, tmp_path):
    output = tmp_path / "run"
    result = call(
        *("train", "--benchmark", "ps-emnist", "--scenario", "task", "--method", "emgd-gs"),
        *("--eval-every", 1000),
        *("--data-root", shared_data, "--protocol", published_protocol, "--output", output),
    )
    assert result.exit_code == 0, result.output
    metrics = json.loads((output / "metrics.json").read_text())
    assert len(metrics["tasks"]) == 5
    assert metrics["A_ebar"] > 0.75


@pytest.mark.parametrize("command", ["train", "timeline", "demo", "predict"])
def test_help_has_an_example(command):
    result = call(command, "--help")
    assert result.exit_code == 0
    assert f"Example: avalanche-emgd {command}" in " ".join(result.output.split())


def test_version():
    assert call("--version").output.strip() == f"avalanche-emgd {__version__}"


@pytest.mark.parametrize(
    "command",
    [
        ("train", "--method", "naive", *SMALL),
        ("train",),
        ("train", "--checkpoint-every", "20", *SMALL),
    ],
)
def test_nothing_warns(command, tmp_path):
    result = without_warnings(*command, "--output", tmp_path / "run")
    assert result.exit_code == 0, result.output


def test_metrics_are_for_reading_and_curves_for_plotting(trained):
    text = (trained[0] / "metrics.json").read_text()
    assert len(text.splitlines()) < 70
    assert re.search(r'"span": \[\d+, \d+\]', text)
    curves = json.loads((trained[0] / "curves.json").read_text())
    tasks = json.loads(text)["tasks"]
    assert list(curves) == [task["name"] for task in tasks]
    for task in tasks:
        assert curves[task["name"]][-1][1] == task["final"]
    trace = json.loads((trained[0] / "trace.json").read_text())
    assert {"loss", "weight", "sigma"} == set(trace)
