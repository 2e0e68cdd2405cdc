import pytest
from matplotlib.figure import Figure

from avalanche_emgd import Timeline


@pytest.fixture
def drawn():
    """For tests of strategies whose evaluators hold drawn time lines."""


@pytest.fixture(autouse=True)
def _undrawn(request, monkeypatch):
    """Draw no time lines, which metrics do at the begin of each training."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr(Timeline, "plot", lambda *arguments: Figure())
