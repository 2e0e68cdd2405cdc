"""Shared settings and fixtures.

Property tests draw the same examples in every run. To look for new ones:
``HYPOTHESIS_PROFILE=explore python -m pytest tests/optim``.
"""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

settings.register_profile("fixed", derandomize=True, max_examples=200, deadline=None)
settings.register_profile("explore", max_examples=5000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))

# Models here are tiny: more threads only wait for each other.
torch.set_num_threads(1)

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture
def shared_data():
    """Folder with real EMNIST images, where there is one beside the project."""
    root = SHARED / "data"
    if not (root / "EMNIST" / "raw").is_dir():
        pytest.skip(f"needs EMNIST in {root}")
    return root


@pytest.fixture
def published_protocol():
    """The published protocol of PS-EMNIST, where there is one beside the project."""
    path = SHARED / "reference" / "ps_emnist.json"
    if not path.is_file():
        pytest.skip(f"needs the published protocol {path}")
    return path


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)
