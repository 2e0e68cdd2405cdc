"""Studies on a Dask cluster that lives in this process."""

import json
import re
from dataclasses import replace

import pandas as pd
import pytest
from own_methods import QUICK, figures

from avalanche_emgd.benchmarks import Protocol
from avalanche_emgd.experiments import RunConfig, make_benchmark
from avalanche_emgd.experiments.records import RECORDS, load_records
from avalanche_emgd.experiments.run import execute
from avalanche_emgd.experiments.study import run_study
from avalanche_emgd.experiments.study_config import StudyConfig

STUDY = StudyConfig(["avg", "emgd-gmc"], scenarios=["task", "class"], seeds=[0, 1], **QUICK)


@pytest.fixture
def study(scheduler):
    """Runs a study, and returns its records."""

    def call(config, output, **options):
        run_study(config, output, scheduler=scheduler, progress=False, **options)
        return load_records(output)

    return call


@pytest.fixture(scope="module")
def finished(scheduler, tmp_path_factory):
    output = tmp_path_factory.mktemp("study") / "deep" / "down"
    return output, run_study(STUDY, output, scheduler=scheduler, progress=False)


def contents(output):
    """Content and time of each record."""
    return {
        path.name: (path.read_text(), path.stat().st_mtime_ns)
        for path in (output / RECORDS).iterdir()
    }


def test_what_a_study_writes(finished):
    output, table = finished
    assert {path.name for path in output.iterdir()} == {
        "study.yaml",
        "records",
        "results.csv",
        "results.parquet",
    }
    assert StudyConfig.from_yaml(output / "study.yaml") == STUDY
    assert len(contents(output)) == len(table) == 8
    assert pd.read_parquet(output / "results.parquet").equals(table)
    assert (table["status"] == "done").all()
    assert (table["A_e"] > 0.3).all()
    assert (table["seconds"] > 0).all()


def test_records_say_everything(finished):
    for record in load_records(finished[0]):
        assert record["config"]["num_tasks"] == 2
        assert record["config"]["versions"]["torch"]
        assert record["trace"]["weight"]
        assert len(record["tasks"]) == 2
        for task in record["tasks"]:
            assert {"name", "classes", "span", "at_end", "final", "curve"} == set(task)


def test_figures_are_those_of_a_single_run(finished):
    record = next(
        record
        for record in load_records(finished[0])
        if (record["method"], record["scenario"], record["seed"]) == ("emgd-gmc", "class", 1)
    )
    config = RunConfig(method="emgd-gmc", scenario="class", seed=1, **QUICK)
    single = json.loads(json.dumps(execute(config, make_benchmark(config)).to_json()))
    assert figures(single).items() <= figures(record).items()


def test_same_study_again_gives_the_same(finished, study, tmp_path):
    part = replace(STUDY, scenarios=["class"])
    again = {(r["method"], r["seed"]): figures(r) for r in study(part, tmp_path)}
    first = {
        (r["method"], r["seed"]): figures(r)
        for r in load_records(finished[0])
        if r["scenario"] == "class"
    }
    assert again == first


def test_nothing_is_repeated(finished, study):
    output, table = finished
    before = contents(output)
    (output / "results.csv").unlink()
    study(STUDY, output)
    assert contents(output) == before
    assert len(pd.read_csv(output / "results.csv")) == len(table)


def test_missing_runs_are_done(study, tmp_path):
    few = replace(STUDY, scenarios=["class"], seeds=[0])
    study(few, tmp_path)
    before = contents(tmp_path)
    lost = sorted(before)[0]
    (tmp_path / RECORDS / lost).unlink()
    study(few, tmp_path)
    after = contents(tmp_path)
    assert set(after) == set(before)
    kept = {name: content for name, content in after.items() if name != lost}
    assert kept.items() <= before.items()


def test_a_study_can_be_extended(study, tmp_path):
    small = StudyConfig(["avg"], data_root="data", **QUICK)
    study(small, tmp_path)
    before = contents(tmp_path)
    larger = replace(small, methods=["avg", "mgda"], seeds=[0, 1], data_root="./data")
    assert len(study(larger, tmp_path)) == 4
    assert before.items() <= contents(tmp_path).items()
    assert StudyConfig.from_yaml(tmp_path / "study.yaml") == larger
    other = replace(small, methods=["egda"])
    assert len(study(other, tmp_path)) == 5
    assert len(pd.read_csv(tmp_path / "results.csv")) == 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 16}, "`batch_size` is 16, but 32 in the record"),
        ({"learning_rate": 0.1}, "`learning_rate` is 0.1, but 0.003 in the record"),
        ({"overlap": 0.5}, "`overlap` is 0.5, but None in the record"),
        ({"data_root": "elsewhere"}, "`data_root` is 'elsewhere', but None in the record"),
        ({"methods": [{"method": "egda", "name": "avg"}]}, "`method` of 'avg' is 'egda', but"),
        (
            {"methods": [{"method": "emgd-gmc", "settings": {"exponent": 1}}], "seeds": [7]},
            "`settings` of 'emgd-gmc' is {'exponent': 1}, but {} in the record",
        ),
    ],
)
def test_other_settings_are_refused(changes, message, finished):
    before = contents(finished[0])
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        run_study(replace(STUDY, **changes), finished[0], progress=False)
    assert "name" in str(caught.value).lower()
    assert contents(finished[0]) == before
    assert StudyConfig.from_yaml(finished[0] / "study.yaml") == STUDY


def test_a_protocol_that_has_changed_is_refused(study, published_digits, tmp_path):
    config = StudyConfig(["avg"], protocol=str(published_digits), batch_size=32, eval_every=10)
    study(config, tmp_path / "study")
    content = json.loads(published_digits.read_text())
    content["label_sets"][0]["timelines"][0][1][0] = 0
    published_digits.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="the content of `protocol` has changed"):
        study(config, tmp_path / "study")


@pytest.fixture
def published_digits(tmp_path):
    path = tmp_path / "p.json"
    spans = [[[0, 5], [3, 9]], [[0, 5], [0, 5]]]
    sets = [{"classes": [[0, 1], [2, 3]], "timelines": spans}] * 2
    content = {"name": "p", "dataset": "d", "num_classes": 10, "batch_size": 4, "label_sets": sets}
    path.write_text(json.dumps(content))
    assert len(Protocol.load(path).label_sets) == 2
    return path


def test_label_sets_and_timelines(study, published_digits, tmp_path):
    config = StudyConfig(
        ["avg"],
        protocol=str(published_digits),
        label_sets=[0, 1],
        timelines=[1, 0],
        batch_size=32,
        eval_every=10,
    )
    records = study(config, tmp_path / "study")
    assert [(r["label_set"], r["timeline"]) for r in records] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    with pytest.raises(ValueError, match=r"`timeline` must be in 0\.\.1"):
        study(replace(config, timelines=[0, 2]), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_failed_runs_are_on_record_and_repeated_only_if_asked(study, tmp_path):
    config = StudyConfig(
        [
            {"method": "own_methods:Broken", "name": "broken"},
            {"method": "own_methods:Exits", "name": "exits"},
            {"method": "own_methods:mine", "name": "mine"},
        ],
        **QUICK,
    )
    broken, exits, mine = study(config, tmp_path)
    assert [r["status"] for r in (broken, exits, mine)] == ["failed", "failed", "done"]
    assert "Traceback" in broken["error"]
    assert broken["error"].endswith("RuntimeError: it broke\n")
    assert exits["error"].endswith("SystemExit: 3\n")
    assert "A_e" not in broken
    table = pd.read_csv(tmp_path / "results.csv")
    assert table["error"][0] == "RuntimeError: it broke"
    before = contents(tmp_path)
    study(config, tmp_path)
    assert contents(tmp_path) == before
    study(config, tmp_path, retry_failed=True)
    changed = {name for name, content in contents(tmp_path).items() if content != before[name]}
    assert {name.partition("-")[0] for name in changed} == {"broken", "exits"}
    assert contents(tmp_path).keys() == before.keys()


@pytest.mark.parametrize(
    ("changes", "options", "error", "message"),
    [
        (
            {"methods": [{"method": "emgd-gmc", "settings": {"speed": 1}}]},
            {},
            ValueError,
            "`method` 'emgd-gmc' cannot be made with",
        ),
        ({"device": "cuda:99"}, {}, ValueError, "`device` 'cuda:99' cannot be used here"),
        ({"num_tasks": 11}, {}, ValueError, "`num_tasks` must be in 1..10"),
        ({"benchmark": "ps-emnist"}, {}, ValueError, "`data_root` is needed"),
        (
            {"benchmark": "ps-emnist", "data_root": "/nowhere"},
            {},
            FileNotFoundError,
            "`data_root` '/nowhere' is not there",
        ),
        ({}, {"workers": 0}, ValueError, "`workers` must be at least 1, found 0"),
        ({}, {"workers": 1, "scheduler": "tcp://a:1"}, ValueError, "give one of the two"),
        ({}, {"scheduler": "nonsense://a"}, ValueError, "`scheduler` 'nonsense://a' cannot be"),
        ({}, {"scheduler": "tcp://127.0.0.1:9"}, ValueError, "cannot be reached"),
    ],
)
def test_errors_come_before_any_work(changes, options, error, message, tmp_path, monkeypatch):
    monkeypatch.setattr("avalanche_emgd.experiments.scheduling._PATIENCE", "1s")
    with pytest.raises(error, match=re.escape(message)):
        run_study(replace(STUDY, **changes), tmp_path / "study", progress=False, **options)
    assert not (tmp_path / "study").exists()


def test_directories_that_hold_something_else(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileExistsError, match="not empty, and holds no study"):
        run_study(STUDY, tmp_path, progress=False)
    with pytest.raises(ValueError, match="is a file"):
        run_study(STUDY, tmp_path / "file", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_record_that_cannot_be_read_is_named(finished, study, tmp_path):
    study(replace(STUDY, methods=["avg"], scenarios=["class"], seeds=[0]), tmp_path)
    (record,) = (tmp_path / RECORDS).iterdir()
    record.write_text(record.read_text()[:100])
    with pytest.raises(ValueError, match=f"{re.escape(str(record))}.* cannot be read"):
        study(STUDY, tmp_path)


def test_own_yaml_with_remarks_is_kept(study, tmp_path):
    path = tmp_path / "study.yaml"
    text = "# mine\nmethods: [avg]\nnum_tasks: 2\nbatch_size: 32\neval_every: 10\n"
    path.write_text(text)
    assert len(study(StudyConfig.from_yaml(path), tmp_path)) == 1
    assert path.read_text() == text
