"""Directories of studies that were stopped at any time, and methods of any name."""

import errno
import json
from dataclasses import replace
from unittest.mock import patch

import pytest
import torch

from avalanche_emgd._atomic import replacing
from avalanche_emgd.experiments.config import RunConfig, make_benchmark
from avalanche_emgd.experiments.records import (
    RECORDS,
    failed_record,
    load_records,
    read_records,
    record_key,
    write_record,
)
from avalanche_emgd.experiments.run import execute, run
from avalanche_emgd.experiments.scheduling import perform
from avalanche_emgd.experiments.study import run_study
from avalanche_emgd.experiments.study_config import StudyConfig
from avalanche_emgd.experiments.study_resume import check_same_study

STUDY = StudyConfig(["avg"], overlap=0.5, num_tasks=2)
RUNS = {record_key(config): config for config in STUDY.runs()}


@pytest.fixture
def quick():
    """Studies whose runs are on record as failed at once."""

    def failed(client, configs, checkpoints):
        for index, config in enumerate(configs):
            yield index, failed_record(config, "as told")

    with (
        patch("avalanche_emgd.experiments.study.finish", failed),
        patch("avalanche_emgd.experiments.study.connect"),
    ):
        yield


def again(output):
    return run_study(STUDY, output, progress=False)


@pytest.mark.parametrize("step", ["to_yaml", "fsync", "rename", "records", "record", "results"])
def test_the_same_command_goes_on_whenever_it_was_stopped(step, quick, tmp_path):
    output = tmp_path / "study"
    study = "avalanche_emgd.experiments.study"
    where = {
        "to_yaml": f"{study}.StudyConfig.to_yaml",
        "fsync": "avalanche_emgd._atomic.os.fsync",
        "rename": "pathlib.Path.replace",
        "records": f"{study}.make_directory",
        "record": f"{study}.write_record",
        "results": f"{study}.write_results",
    }[step]
    with patch(where, side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        again(output)
    assert len(again(output)) == 1
    assert (output / "study.yaml").exists()
    assert len(load_records(output)) == 1


def test_what_earlier_versions_left_before_anything_was_done(quick, tmp_path):
    (tmp_path / RECORDS).mkdir()
    (tmp_path / ".study.yaml.123").write_text("met")
    assert len(again(tmp_path)) == 1


def test_a_full_disk_is_told_in_a_line_and_leaves_what_was_there(quick, tmp_path):
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        patch("avalanche_emgd._atomic.os.fsync", side_effect=full),
        pytest.raises(ValueError, match=r"study\.yaml' cannot be written: No space left"),
    ):
        again(tmp_path / "study")
    assert list((tmp_path / "study").iterdir()) == []
    (tmp_path / "file").write_text("old")
    with (
        patch("avalanche_emgd._atomic.os.fsync", side_effect=full),
        pytest.raises(ValueError, match="cannot be written"),
        replacing(tmp_path / "file") as draft,
    ):
        draft.write_text("new")
    assert (tmp_path / "file").read_text() == "old"


@pytest.mark.parametrize("name", ["notes.txt", ".git", "config.json"])
def test_other_directories_than_studies_are_left_alone(name, tmp_path):
    (tmp_path / RECORDS).mkdir()
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError, match="holds no study"):
        again(tmp_path)


@pytest.mark.parametrize("name", ["x" * 300, "x" * 5000, "a\ud800", "a\0b"])
def test_outputs_that_cannot_be(name, tmp_path):
    for attempt in (
        lambda: again(tmp_path / name),
        lambda: run(RunConfig(), tmp_path / name, progress=False),
    ):
        with pytest.raises(ValueError, match="`output`") as caught:
            attempt()
        message = str(caught.value)
        message.encode()
        assert "\n" not in message


NAMES = [
    *("avg", "Avg", "AVG", ".5 bound", "..", ".", "...", "../../up", "/", "a/b", "a-b", "a\\b"),
    *("con", "CON", "con.x", "nul", "lpt1.y", "x" * 300, "x" * 301, "ö" * 300, "漢字", "😀", " "),
    *(
        "a b",
        "a\tb",
        "a\nb",
        "-rf",
        "*",
        "?",
        "%s",
        "{0}",
        "$HOME",
        "~",
        "'",
        '"',
        "\x7f",
        "\u202e",
    ),
]


def test_methods_of_any_name_are_read_back(tmp_path):
    (tmp_path / RECORDS).mkdir()
    study = StudyConfig([{"method": "avg", "name": name} for name in NAMES])
    runs = {record_key(config): config for config in study.runs()}
    assert len({key.casefold() for key in runs}) == len(NAMES)  # where case does not count
    for key, config in runs.items():
        assert len(f".{key}.json.1234567890") < 255
        assert key.isascii()
        write_record(tmp_path, key, failed_record(config, "x"))
    found = read_records(tmp_path)
    assert {record["method"] for record in found.values()} == set(NAMES)
    assert set(found) == set(runs)
    assert len(list((tmp_path / RECORDS).iterdir())) == len(NAMES)
    check_same_study(study, runs, found)
    study.to_yaml(tmp_path / "study.yaml")
    assert StudyConfig.from_yaml(tmp_path / "study.yaml") == study


@pytest.mark.parametrize("name", ["a\ud800", "a\0b"])
@pytest.mark.parametrize("field", ["name", "data_root", "protocol"])
def test_text_that_cannot_be_written_is_refused(name, field):
    with pytest.raises(ValueError, match=r"cannot be encoded|character 0"):
        RunConfig(**{field: name})
    if field == "name":
        with pytest.raises(ValueError, match="`name` of a method"):
            StudyConfig([{"method": "avg", "name": name}])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": -1}, "`seed` must be at least 0"),
        ({"seed": 2**63}, "`seed` must be at most"),
        ({"seed": "1"}, "`seed` must be a whole number"),
        ({"seed": True}, "`seed` must be a whole number"),
        ({"threads": 0}, "`threads` must be at least 1"),
        ({"threads": 10**5000}, "`threads` must be at most 1024"),
        ({"batch_size": 2.5}, "`batch_size` must be a whole number"),
        ({"num_tasks": 11}, r"`num_tasks` must be in 1\.\.10, found 11"),
        ({"num_tasks": 10**9, "benchmark": "npz"}, "`num_tasks` must be at most 10000"),
        ({"overlap": 1.5}, r"`overlap` must be in \[0, 1\]"),
        ({"overlap": float("nan")}, r"`overlap` must be in \[0, 1\]"),
    ],
)
def test_numbers_out_of_range(changes, message):
    with pytest.raises(ValueError, match=message):
        RunConfig(**changes)


# Threads

SHORT = RunConfig(num_tasks=2, eval_every=10**6)


@pytest.fixture
def threads():
    """Whatever a test does to their number does not outlive it."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def test_the_number_of_threads_is_that_of_the_configuration(threads):
    """On the command line and in a study, whatever the process had."""
    traces = []
    for ambient in (1, 2):
        torch.set_num_threads(ambient)
        traces.append(execute(SHORT, make_benchmark(SHORT)).trace)
        assert torch.get_num_threads() == ambient
        record = perform(SHORT)
        assert record["status"] == "done", record["error"]
        assert record["config"]["threads"] == 1
        traces.append(record["trace"])
    assert all(trace == traces[0] for trace in traces)


@pytest.mark.parametrize("number", [1, 2])
def test_threads_are_set_while_a_run_is_in_work(number, threads):
    seen = []
    with patch("avalanche_emgd.experiments.run.make_strategy") as make:
        make.side_effect = lambda *_: seen.append(torch.get_num_threads()) or 1 / 0
        with pytest.raises(ZeroDivisionError):
            execute(replace(SHORT, threads=number), make_benchmark(SHORT))
    assert seen == [number]


def test_keys_and_records_of_versions_that_knew_no_threads(tmp_path):
    (tmp_path / RECORDS).mkdir()
    (key, config), *_ = RUNS.items()
    assert key == "avg-class-seed0-" + key[-10:]
    assert record_key(replace(config, threads=2)) != key
    record = json.loads(json.dumps(failed_record(config, "x")))
    del record["config"]["threads"]
    write_record(tmp_path, key, record)
    found = read_records(tmp_path)
    check_same_study(STUDY, RUNS, found)
    other = replace(STUDY, threads=2)
    runs = {record_key(config): config for config in other.runs()}
    with pytest.raises(ValueError, match="`threads` is 2, but 1 in the record"):
        check_same_study(other, runs, found)
