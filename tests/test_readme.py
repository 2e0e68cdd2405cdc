"""The Python of the documents runs as it stands, block after block; their studies can be read."""

import importlib
import re
from pathlib import Path

import pytest
import torch
from torch.utils.data import TensorDataset

from avalanche_emgd import MLP, ps_digits
from avalanche_emgd.experiments.data import DATA
from avalanche_emgd.experiments.study_config import StudyConfig
from avalanche_emgd.training.methods import make_method

ROOT = Path(__file__).resolve().parents[1]


def blocks_of(document, language):
    text = (ROOT / document).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_python_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = blocks_of("README.md", "python")
    assert len(blocks) == 4
    datasets = [
        TensorDataset(torch.randn(40, 4), torch.arange(40) % 2 + 2 * task) for task in range(3)
    ]
    # What the text says that the reader brings.
    names = {"train_sets": datasets, "test_sets": datasets, "jacobian": torch.randn(3, 5)}
    for block in blocks:
        exec(block, names)
    assert set(names["results"]) >= {"A_e", "A_ebar", "F_ebar"}
    assert (tmp_path / "timeline.png").exists()
    assert names["gradient"].shape == (5,)


def test_a_method_of_ones_own(tmp_path, monkeypatch):
    (block,) = blocks_of("docs/peers.md", "python")
    assert len([line for line in block.splitlines() if line]) <= 10
    (tmp_path / "mine.py").write_text(block)
    monkeypatch.syspath_prepend(tmp_path)
    (study,) = blocks_of("docs/peers.md", "yaml")
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


@pytest.mark.parametrize(
    "path", sorted((ROOT / "benchmarks").rglob("*.yaml")), ids=lambda p: p.name
)
def test_studies_can_be_read(path):
    study = StudyConfig.from_yaml(path, protocol="protocol.json", data_root="data")
    others = [name for name in DATA if name.replace("-", "_") in path.stem]
    assert study.benchmark == (others or ["ps-emnist"])[0]
    assert min(study.seeds) >= 3 or "candidates" in path.stem  # the others are for choosing
    for choice in study.methods:
        model = MLP(62)
        make_method(
            choice.method,
            model,
            choice.settings,
            optimizer=torch.optim.Adam(model.parameters()),
            memory_size=62,
            seed=0,
            device="cpu",
            plugins=[],
            evaluator=None,
        )
