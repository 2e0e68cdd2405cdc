"""The Python of the README runs as it stands, block after block."""

import re
from pathlib import Path

import torch
from torch.utils.data import TensorDataset

README = Path(__file__).resolve().parents[1] / "README.md"


def test_python_blocks_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
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
