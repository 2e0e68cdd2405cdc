"""The command that predicts with a trained model."""

import csv

import numpy as np
import pytest
import torch
from PIL import Image

from avalanche_emgd import load_model
from avalanche_emgd.experiments import RunConfig, make_benchmark, run
from tests.command_line import call

pytestmark = pytest.mark.usefixtures("undrawn")


def rows(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A run on images of two colours, in two sizes."""
    folder = tmp_path_factory.mktemp("images")
    draw = np.random.default_rng(0)
    for part, number in (("train", 12), ("test", 4), ("new", 3)):
        for place, name in enumerate(("blue", "green", "red", "white")):
            own = folder / "data" / part / name
            own.mkdir(parents=True)
            for index in range(number):
                size = (12, 12) if part == "new" else (8, 8)
                pixels = draw.integers(0, 60, (*size, 3), dtype=np.uint8)
                pixels[..., place % 3 if place < 3 else slice(None)] += 180
                Image.fromarray(pixels).save(own / f"{index}.png")
    config = RunConfig(
        benchmark="images",
        data_root=str(folder / "data"),
        num_tasks=2,
        model="mlp",
        batch_size=2,
        epochs=3,
        method="emgd-gmc",
    )
    run(config, folder / "run", progress=False)
    return folder


def test_images_in_folders(images):
    output = images / "table.csv"
    found = call("predict", images / "run", "--images", images / "data" / "new", "--output", output)
    assert found.exit_code == 0, found.stderr
    assert "Predictions of 12 inputs" in found.output
    table = rows(output)
    assert [row["input"] for row in table][:2] == ["blue/0.png", "blue/1.png"]
    names = ("blue", "green", "red", "white")
    for row in table:
        chances = [float(row[name]) for name in names]
        assert sum(chances) == pytest.approx(1.0, abs=1e-5)
        assert names[int(np.argmax(chances))] == row["prediction"]
        assert float(row["probability"]) == max(chances)
    assert sum(row["input"].startswith(row["prediction"]) for row in table) >= 9
    again = call("predict", images / "run", "--images", images / "data", "--output", output)
    assert again.exit_code == 2
    assert "--overwrite" in again.stderr


def test_arrays(images, tmp_path):
    x = np.zeros((5, 8, 8, 3), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", x=x)
    found = call("predict", images / "run/model.pt", "--npz", tmp_path / "a.npz", "--overwrite")
    assert found.exit_code == 0, found.stderr
    assert len(rows(images / "run" / "predictions.csv")) == 5
    one = call(
        *("predict", images / "run", "--npz", tmp_path / "a.npz"),
        *("--task", "task0", "--output", tmp_path / "one.csv"),
    )
    assert one.exit_code == 0, one.stderr
    assert sum(float(v) == 0.0 for v in list(rows(tmp_path / "one.csv")[0].values())[3:]) == 2


def test_wrong_inputs_are_one_line(images, tmp_path):
    run_ = images / "run"
    np.savez(tmp_path / "small.npz", x=np.zeros((5, 4, 4, 3), dtype=np.uint8))
    np.savez(tmp_path / "other.npz", y=np.zeros(3))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "a.png").write_text("what?")
    (tmp_path / "model.pt").write_text("what?")
    output = ("--output", tmp_path / "x.csv")
    for words, said in (
        ([run_], "`--images`, `--npz` or `--table` is needed"),
        ([run_, "--npz", tmp_path / "small.npz"], "must have the shape [3, 8, 8]"),
        ([run_, "--npz", tmp_path / "other.npz"], "has no x"),
        ([run_, "--npz", tmp_path / "none.npz"], "is not there"),
        ([run_, "--images", tmp_path / "none"], "is no folder"),
        ([run_, "--images", tmp_path / "broken"], "cannot be used"),
        ([run_, "--images", images / "data", "--task", "task9"], "`--task` must be one of"),
        ([tmp_path, "--images", images / "data"], "`RUN`"),
        ([tmp_path / "none", "--images", images / "data"], "`RUN`"),
    ):
        found = call("predict", *words, *output)
        assert found.exit_code == 2, words
        assert said in found.stderr
        assert len(found.stderr.strip().splitlines()) == 1
        assert not (tmp_path / "x.csv").exists()


def test_rows_of_tables_are_scaled_as_in_training(tmp_path):
    draw = np.random.default_rng(0)
    kinds = np.arange(80) % 4
    features = draw.normal(size=(80, 2)) + 1000.0 * np.stack([kinds % 2, kinds // 2], axis=1)
    lines = [f"{a},{b},k{kind}" for (a, b), kind in zip(features.tolist(), kinds, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,kind", *lines]))
    options = {"label_column": "kind", "test_share": 0.25, "epochs": 5, "batch_size": 4}
    config = RunConfig(
        benchmark="table", data_root=str(tmp_path / "t.csv"), num_tasks=2, method="joint", **options
    )
    run(config, tmp_path / "run", progress=False)
    trained, benchmark = load_model(tmp_path / "run"), make_benchmark(config)
    x, _, _ = benchmark.test_stream[0].load()
    raw = torch.from_numpy(features)
    scaled = trained.prepare(raw)
    assert scaled.dtype == torch.float32
    assert all((scaled == row).all(dim=1).any() for row in x)
    # Columns are found by their names.
    swapped = [f"{kind},{b},{a}" for (a, b), kind in zip(features.tolist(), kinds, strict=True)]
    (tmp_path / "new.csv").write_text("\n".join(["id,b,a", *swapped]))
    np.savez(tmp_path / "new.npz", x=features)
    tables = []
    for option, file in (("--table", "new.csv"), ("--npz", "new.npz")):
        words = ("predict", tmp_path / "run", option, tmp_path / file, "--overwrite")
        found = call(*words)
        assert found.exit_code == 0, found.output
        tables.append(rows(tmp_path / "run" / "predictions.csv"))
    right = [row["prediction"] == f"k{kind}" for row, kind in zip(tables[0], kinds, strict=True)]
    assert np.mean(right) > 0.9
    assert [row["prediction"] for row in tables[1]] == [row["prediction"] for row in tables[0]]
    (tmp_path / "less.csv").write_text("a,c\n1,2\n")
    found = call("predict", tmp_path / "run", "--table", tmp_path / "less.csv", "--overwrite")
    assert found.exit_code == 2
    assert "has no column 'b', which the model was trained on" in found.stderr


def test_tables_are_for_models_of_tables(images, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    found = call("predict", images / "run", "--table", tmp_path / "t.csv", "--overwrite")
    assert found.exit_code == 2
    assert "`--table` is for models of tables" in found.stderr
