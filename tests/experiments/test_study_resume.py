import json
from dataclasses import replace

import pytest

from avalanche_emgd.experiments.records import (
    RECORDS,
    failed_record,
    read_records,
    record_key,
    write_record,
)
from avalanche_emgd.experiments.study_config import StudyConfig
from avalanche_emgd.experiments.study_resume import check_same_study

STUDY = StudyConfig(["avg"], overlap=0.5, num_tasks=2)


RUNS = {record_key(config): config for config in STUDY.runs()}


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
