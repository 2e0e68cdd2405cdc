import json

import numpy as np
import pytest
from matplotlib.image import imread
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from typer.testing import CliRunner

from avalanche_emgd import __version__
from avalanche_emgd.cli import app

PNG = b"\x89PNG"


def call(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


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
        "timeline.png",
        "curves.png",
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
    for text in ("task0", "at its end", "at the very end", "A_e", "A_ē", "F_ē", "116/116"):
        assert text in printed or text == "116/116"
    assert "ticks" in printed


def test_train_writes_tensorboard_files(trained):
    events = EventAccumulator(str(trained[0] / "tensorboard"))
    events.Reload()
    assert {"A_ebar", "Weight/memory", "Sigma/task0"} <= set(events.Tags()["scalars"])


def test_same_run_again_gives_the_same_metrics(trained, tmp_path):
    call("train", "--benchmark", "ps-digits", "--seed", 1, "--output", tmp_path / "again")
    one, other = (
        json.loads((path / "metrics.json").read_text()) for path in (trained[0], tmp_path / "again")
    )
    for cost in ("seconds", "ticks_per_second", "peak_memory_mb"):
        assert one.pop(cost) > 0
        assert other.pop(cost) > 0
    assert one == other


def test_results_are_not_overwritten_silently(tmp_path):
    (tmp_path / "metrics.json").write_text("precious")
    (tmp_path / "notes.txt").write_text("mine")
    result = call("train", "--output", tmp_path)
    assert result.exit_code == 2
    assert "not empty" in result.output
    assert "--overwrite" in result.output
    assert (tmp_path / "metrics.json").read_text() == "precious"
    result = call("train", "--output", tmp_path, "--overwrite", "--method", "avg", "--tasks", 2)
    assert result.exit_code == 0, result.output
    assert json.loads((tmp_path / "metrics.json").read_text())["A_e"] > 0.5
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "options",
    [
        ("--method", "mgda"),
        ("--method", "egda", "--scenario", "task"),
        ("--method", "emgd-gs", "--overlap", "0", "--memory-per-class", "0"),
        ("--overlap", "1", "--batch-size", "16", "--learning-rate", "0.01", "--eval-every", "5"),
        ("--precision", "float16"),
        ("--precision", "bfloat16", "--method", "naive"),
    ],
)
def test_train_options(options, tmp_path):
    result = call("train", "--output", tmp_path / "run", "--tasks", 3, *options)
    assert result.exit_code == 0, result.output
    assert 0.0 <= json.loads((tmp_path / "run" / "metrics.json").read_text())["A_ebar"] <= 1.0


def test_train_edits_the_memory(tmp_path):
    edit = "cosine,step=0.1,radius=0.4,every=2,measure_every=1"
    result = call("train", "--output", tmp_path / "run", "--tasks", 2, "--edit", edit)
    assert result.exit_code == 0, result.output
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["settings"] == {
        "memory_editing": {
            "rule": "cosine", "step": 0.1, "radius": 0.4, "every": 2, "measure_every": 1
        }
    }  # fmt: skip
    measures = json.loads((tmp_path / "run" / "metrics.json").read_text())["editing"]
    assert all(measure["tick"] % 2 == 0 for measure in measures)
    assert 0.0 < measures[-1]["max_drift"] <= 0.4 * (1 + 1e-5)
    assert imread(tmp_path / "run" / "edits.png").shape[2] in (3, 4)


def small_arrays(path):
    generator = np.random.default_rng(0)
    y = np.arange(64) % 4
    x = (40 * y[:, None, None] + generator.integers(0, 30, (64, 6, 6))).astype(np.uint8)
    np.savez(path, x_train=x, y_train=y, x_test=x[:16], y_test=y[:16])
    return path


@pytest.mark.parametrize("model", [(), ("--model", "slim-resnet18")])
def test_train_on_arrays(model, tmp_path):
    options = ("--npz", small_arrays(tmp_path / "a.npz"), "--tasks", 2, "--batch-size", 8)
    result = call("train", *options, *model, "--output", tmp_path / "run")
    assert result.exit_code == 0, result.output
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["benchmark"] == "npz"
    assert config["model"] == (model[1] if model else "mlp")
    assert len(json.loads((tmp_path / "run" / "metrics.json").read_text())["tasks"]) == 2


def test_another_layout_of_a_convolutional_model_changes_last_digits_only(tmp_path):
    options = ("--npz", small_arrays(tmp_path / "a.npz"), "--tasks", 2, "--batch-size", 8)
    losses = []
    for layout in ((), ("--channels-last",)):
        output = tmp_path / f"run{len(layout)}"
        result = call("train", *options, "--model", "slim-resnet18", *layout, "--output", output)
        assert result.exit_code == 0, result.output
        assert json.loads((output / "config.json").read_text())["channels_last"] is bool(layout)
        trace = json.loads((output / "metrics.json").read_text())["trace"]
        losses.append([value for _, value in trace["loss"]["task0"]])
    assert losses[0] == pytest.approx(losses[1], rel=0.02)


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--npz", "a.npz", "--images", "b"), "leave `benchmark`, `data_root` and other data out"),
        (("--npz", "a.npz", "--benchmark", "ps-digits"), "`npz` says what the data are"),
        (("--benchmark", "npz"), "`data_root` is needed for npz: the .npz file (on the command"),
        (("--npz", "/none.npz"), "`file` '/none.npz' is not there"),
        (("--images", "/none"), "must have the folders train and test"),
        (("--npz", "a.npz", "--download"), "`download` is not for npz, which is not downloaded"),
        (("--model", "vit"), "Invalid value for '--model'"),
        (("--edit", "closer"), "`rule` must be one of distance, cosine, agreement, gmed"),
        (("--edit", "cosine,step"), "`edit` must be RULE or RULE,NAME=VALUE,..."),
        (("--edit", "cosine,step=[1"), "`edit` has a value that cannot be read: 'step=[1'"),
        (("--edit", "cosine,size=1"), "`memory_editing` has unknown settings: size"),
        (("--edit", "cosine,step=a"), "`step` must be a number, found 'a'"),
        (("--edit", "cosine", "--memory-per-class", "0"), "`memory_editing` needs a replay"),
        (("--benchmark", "ps-emnist"), "`data_root` is needed for ps-emnist"),
        (("--benchmark", "ps-emnist", "--data-root", "/nowhere"), "has no EMNIST"),
        (
            ("--protocol", "/nowhere.json"),
            "`protocol` '/nowhere.json' cannot be read: No such file",
        ),
        (("--protocol", "/"), "`protocol` '/' cannot be read"),
        (("--protocol", "p.json", "--tasks", "3"), "leave `num_tasks` out"),
        (("--protocol", "p.json", "--overlap", "0.5"), "give one of the two"),
        (("--timeline", "1"), "`timeline` chooses from a protocol"),
        (("--label-set", "0"), "`label_set` chooses from a protocol"),
        (("--method", "sgd"), "`method` must be one of emgd-gmc,"),
        (("--method", "nowhere:method"), "`method` 'nowhere:method' cannot be imported"),
        (("--method", "math:pi"), "is not callable"),
        (("--method", "builtins:print"), "`method` 'builtins:print' cannot be made with"),
        (("--overlap", "2"), "`overlap` must be in [0, 1], found 2.0"),
        (("--tasks", "11"), "`num_tasks` must be in 1..10, found 11"),
        (("--learning-rate", "0"), "`learning_rate` must be positive, found 0.0"),
        (("--batch-size", "0"), "`batch_size` must be at least 1, found 0"),
        (("--seed", "-1"), "`seed` must be at least 0, found -1"),
        (("--device", "cuda:99"), "`device` 'cuda:99' cannot be used here"),
        (("--device", "toaster"), "`device` 'toaster' cannot be used here"),
        (("--scenario", "domain"), "domain"),
        (("--precision", "half"), "Invalid value for '--precision'"),
        (("--channels-last",), "`channels_last` is for convolutional models"),
        (
            ("--precision", "float16", "--edit", "cosine"),
            "`precision` 'float16' is not for `memory_editing`",
        ),
    ],
)
def test_bad_options_are_one_line_before_any_work(options, message, tmp_path):
    output = tmp_path / "run"
    result = call("train", "--output", output, *options)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output
    assert not output.exists()


def test_output_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    for output in ("file", "file/below"):
        result = call("train", "--output", tmp_path / output)
        assert result.exit_code == 2
        assert "cannot be made a directory" in result.output


def test_picture_of_no_kind(tmp_path):
    for name in ("picture", "picture.bmpx"):
        result = call("timeline", "--output", tmp_path / name)
        assert result.exit_code == 2
        assert "must end with .png, .svg or .pdf" in result.output
    assert not list(tmp_path.iterdir())


def test_protocol_for_another_benchmark(published_protocol, tmp_path):
    result = call("train", "--output", tmp_path / "run", "--protocol", published_protocol)
    assert result.exit_code == 2
    assert "is for 62 classes, but ps-digits has 10" in result.output


def test_timeline_draws_without_training(tmp_path):
    picture = tmp_path / "deep" / "timeline.png"
    result = call("timeline", "--overlap", 0.5, "--tasks", 3, "--output", picture)
    assert result.exit_code == 0, result.output
    assert picture.read_bytes().startswith(PNG)
    assert "task0: ticks 0–" in result.output
    again = call("timeline", "--output", picture)
    assert again.exit_code == 2
    assert "exists" in again.output
    assert call("timeline", "--output", picture, "--overwrite").exit_code == 0


def test_timeline_refuses_options_without_effect(published_protocol, tmp_path):
    protocol = ("--benchmark", "ps-emnist", "--protocol", published_protocol)
    result = call("timeline", *protocol, "--overlap", 0.5, "--output", tmp_path / "picture.png")
    assert result.exit_code == 2
    assert "give one of the two" in result.output


def test_timeline_of_a_published_protocol(published_protocol, tmp_path):
    picture = tmp_path / "timeline.png"
    result = call(
        "timeline",
        "--benchmark",
        "ps-emnist",
        "--protocol",
        published_protocol,
        "--output",
        picture,
    )
    assert result.exit_code == 0, result.output
    assert "task4: ticks 3933–4876" in result.output


def test_emnist(shared_data, published_protocol, tmp_path):
    output = tmp_path / "run"
    result = call(
        *("train", "--benchmark", "ps-emnist", "--scenario", "task", "--method", "emgd-gs"),
        *("--data-root", shared_data, "--protocol", published_protocol, "--output", output),
    )
    assert result.exit_code == 0, result.output
    metrics = json.loads((output / "metrics.json").read_text())
    assert len(metrics["tasks"]) == 5
    assert metrics["A_ebar"] > 0.75


def test_demo(tmp_path):
    result = call("demo", "--output", tmp_path / "demo")
    assert result.exit_code == 0, result.output
    for text in ("emgd-gmc", "avg", "curves.png"):
        assert text in result.output.replace("\n", "")
    assert (tmp_path / "demo" / "curves.png").read_bytes().startswith(PNG)
    assert (tmp_path / "demo" / "avg" / "metrics.json").exists()
    again = call("demo", "--output", tmp_path / "demo")
    assert again.exit_code == 2
    assert "not empty" in again.output


@pytest.mark.parametrize("command", ["train", "timeline", "demo"])
def test_help_has_an_example(command):
    result = call(command, "--help")
    assert result.exit_code == 0
    assert f"Example: avalanche-emgd {command}" in " ".join(result.output.split())


def test_version():
    assert call("--version").output.strip() == f"avalanche-emgd {__version__}"
