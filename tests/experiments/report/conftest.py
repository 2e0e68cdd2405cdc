import pytest

from avalanche_emgd.experiments.report import write_report
from tests.experiments.report.records import records_of_all_kinds, save


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    directory = save(tmp_path_factory.mktemp("study"), records_of_all_kinds())
    return (directory, *write_report(directory))


@pytest.fixture
def undrawn(monkeypatch):
    """For tests of texts: pictures are made, but not drawn, which takes most of the time."""
    monkeypatch.setattr("avalanche_emgd.experiments.report.svg", lambda figure: b"<svg/>")
