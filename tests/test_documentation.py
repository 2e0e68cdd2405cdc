"""The documents as files: Python that runs, and figures that are those of their script."""

import importlib
import shlex
import sys

import pytest
import torch
from typer.testing import CliRunner

from avalanche_emgd import ps_digits
from avalanche_emgd.cli import app
from avalanche_emgd.experiments.study_config import StudyConfig
from avalanche_emgd.gradients import unfit_for_fusing
from avalanche_emgd.models import MLP
from tests.documents import (
    DOCS,
    ROOT,
    WITH_PYTHON,
    blocks_of,
    name,
)


@pytest.mark.parametrize("path", [ROOT / "README.md", *WITH_PYTHON], ids=name)
def test_python_blocks_run(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks_of(path, "python"):
        exec(block, names)
    outcome = OUTCOMES.get(name(path))
    if outcome is not None:
        outcome(names, tmp_path)


def check_readme(names, folder):
    assert names["gradient"].shape == (5,)
    assert names["strategy"].clock.train_exp_counter == len(names["benchmark"].train_stream)


def check_get_started(names, folder):
    assert set(names["results"]) >= {"A_e", "A_ebar", "F_ebar"}
    assert names["gradient"].shape == (5,)
    assert list((folder / "tb").iterdir())


def check_own_data(names, folder):
    assert (folder / "timeline.png").exists()
    assert names["benchmark"].timeline.num_tasks == 3
    assert names["by_site"].task_names == ("north", "south")
    page = DOCS / "how_to" / "own_data.md"
    (model,) = (block for block in blocks_of(page, "python") if "def bag_of_words" in block)
    (folder / "texts.py").write_text(model)
    commands = "".join(blocks_of(page, "sh")).replace("\\\n", "").splitlines()
    commands = [line for line in commands if "--images DIR" not in line]
    assert len(commands) == 4
    sys.path.insert(0, str(folder))
    for command in commands:
        words = shlex.split(command.partition("avalanche-emgd ")[2])
        result = CliRunner().invoke(app, [*words, "--quiet"])
        assert result.exit_code == 0, result.output
    sys.path.pop(0)


def check_own_model(names, folder):
    assert unfit_for_fusing(names["strategy"].model) is None  # its layers have rules
    layer, x = names["Scale"](4), torch.randn(3, 4)
    (expected,) = torch.autograd.grad(layer(x).square().sum(), layer.weight)
    found = names["scale_rule"](layer, x, 2.0 * layer(x).detach())
    torch.testing.assert_close(found["weight"], expected)
    assert names["small"](10, (1, 8, 8))(torch.randn(2, 1, 8, 8)).shape == (2, 10)


def check_own_weighting(names, folder):
    assert names["first"].tolist() == [0.5, 0.5]
    torch.testing.assert_close(names["second"].tolist(), [1 / 3, 2 / 3])


def check_studies(names, folder):
    assert len(names["study"].runs()) == 12


def check_checkpoints(names, folder):
    strategy, benchmark = names["strategy"], names["benchmark"]
    assert strategy.clock.train_iterations == sum(len(e.ticks) for e in benchmark.train_stream)
    assert (folder / "run.pt").is_file()


OUTCOMES = {
    "README.md": check_readme,
    "docs/get_started.md": check_get_started,
    "docs/how_to/own_data.md": check_own_data,
    "docs/how_to/own_model.md": check_own_model,
    "docs/how_to/own_weighting.md": check_own_weighting,
    "docs/how_to/studies.md": check_studies,
    "docs/how_to/checkpoints.md": check_checkpoints,
}


def test_outcomes_are_of_pages():
    assert OUTCOMES.keys() <= {name(path) for path in [ROOT / "README.md", *WITH_PYTHON]}


def test_a_user_defined_method(tmp_path, monkeypatch):
    page = DOCS / "how_to" / "own_method.md"
    (block,) = blocks_of(page, "python")
    assert len([line for line in block.splitlines() if line]) <= 10
    (tmp_path / "mine.py").write_text(block)
    monkeypatch.syspath_prepend(tmp_path)
    (study,) = blocks_of(page, "yaml")
    (tmp_path / "study.yaml").write_text(study)
    choices = StudyConfig.from_yaml(tmp_path / "study.yaml").methods
    assert [choice.label for choice in choices] == ["avg", "directions", "cagrad-0.2"]
    benchmark = ps_digits(num_tasks=2, batch_size=32)
    model = MLP(benchmark.num_classes, in_features=64)
    strategy = importlib.import_module("mine").normalised(
        model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1), memory_size=10
    )
    strategy.train(benchmark.train_stream)
    shares = strategy.weights * strategy.gramian.diagonal().sqrt()
    torch.testing.assert_close(shares, shares[:1].expand(len(shares)))


def test_a_grid_makes_four_methods(tmp_path):
    study, with_ingredients = blocks_of(DOCS / "how_to" / "studies.md", "yaml")
    (tmp_path / "study.yaml").write_text(study)
    assert len(StudyConfig.from_yaml(tmp_path / "study.yaml").methods) == 1 + 4
    (tmp_path / "study.yaml").write_text(with_ingredients)
    choices = StudyConfig.from_yaml(tmp_path / "study.yaml").methods
    assert [choice.settings["competition"] for choice in choices] == [0.5, 0.5, 0.5, 0.0]


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def test_figures_are_those_of_the_script(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(DOCS / "figures")
    draw = importlib.import_module("draw")
    monkeypatch.setattr(draw, "FOLDER", tmp_path)
    draw.main()
    drawn = {file.name for file in tmp_path.iterdir()}
    assert drawn == {file.name for file in (DOCS / "figures").glob("*.svg")}
