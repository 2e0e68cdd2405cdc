"""Directories of studies that were stopped at any time, and methods of any name."""

import errno
from unittest.mock import patch

import pytest

from avalanche_emgd._atomic import replacing
from avalanche_emgd.experiments.config import RunConfig
from avalanche_emgd.experiments.records import (
    RECORDS,
    failed_record,
    load_records,
)
from avalanche_emgd.experiments.run import run
from avalanche_emgd.experiments.study import run_study
from avalanche_emgd.experiments.study_config import StudyConfig

STUDY = StudyConfig(["avg"], overlap=0.5, num_tasks=2)


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
        pytest.raises(ValueError, match=r"study' cannot be written into: No space left"),
    ):
        again(tmp_path / "study")
    assert list(tmp_path.iterdir()) == []
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
