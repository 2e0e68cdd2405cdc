"""The studies of the tables are valid, and their methods can be made."""

from pathlib import Path

import pytest
import torch

from avalanche_emgd.experiments.data import DATA
from avalanche_emgd.experiments.study_config import StudyConfig
from avalanche_emgd.models import MLP
from avalanche_emgd.training.methods import make_method

ROOT = Path(__file__).resolve().parents[1]


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
