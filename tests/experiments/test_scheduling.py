"""Runs that fail, and clusters that are not there; whole studies are tested elsewhere."""

import sys

import pytest
from own_methods import QUICK

from avalanche_emgd.experiments import RunConfig
from avalanche_emgd.experiments.scheduling import connect, finish, perform

BROKEN = RunConfig(method="own_methods:Broken", **QUICK)


def test_a_run_that_fails_has_its_traceback_on_record(tmp_path, monkeypatch):
    before = [*sys.path]
    monkeypatch.setattr(sys, "path", [*before])
    record = perform(BROKEN, path=[str(tmp_path), before[0]])
    assert (record["status"], record["method"]) == ("failed", "own_methods:Broken")
    assert record["error"].startswith("Traceback")
    assert record["error"].endswith("RuntimeError: it broke\n")
    assert sys.path == [*before, str(tmp_path)]


def test_records_come_with_the_index_of_their_run(scheduler):
    exits = RunConfig(method="own_methods:Exits", **QUICK)
    with connect(scheduler, 1) as client:
        found = dict(finish(client, [BROKEN, exits, BROKEN]))
    assert {index: record["method"] for index, record in found.items()} == {
        0: "own_methods:Broken",
        1: "own_methods:Exits",
        2: "own_methods:Broken",
    }
    assert found[1]["error"].endswith("SystemExit: 3\n")


@pytest.mark.parametrize("address", ["nonsense://a", "tcp://127.0.0.1:9"])
def test_a_scheduler_that_is_not_there(address, monkeypatch):
    monkeypatch.setattr("avalanche_emgd.experiments.scheduling._PATIENCE", "1s")
    with (
        pytest.raises(ValueError, match=f"`scheduler` '{address}' cannot be reached"),
        connect(address, 1),
    ):
        pass
