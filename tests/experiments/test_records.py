import json
from dataclasses import replace

import pandas as pd
import pytest

from avalanche_emgd._atomic import replacing
from avalanche_emgd.benchmarks import LabelSet, Protocol, Timeline
from avalanche_emgd.experiments import RunConfig
from avalanche_emgd.experiments.records import (
    RECORDS,
    failed_record,
    load_records,
    record_key,
    results_table,
    write_record,
    write_results,
)

CONFIG = RunConfig(method="avg", seed=3)
FIGURES = {
    "A_e": 0.5,
    "A_ebar": 0.25,
    "F_ebar": -0.25,
    "tasks": [
        {
            "name": "task0",
            "classes": [0, 1],
            "span": [0, 6],
            "at_end": 0.5,
            "final": 0.25,
            "curve": [[7, 0.5]],
        }
    ],
    "trace": {},
    "ticks": 7,
    "seconds": 0.5,
    "ticks_per_second": 14.0,
    "peak_memory_mb": 100.0,
}


def done(config):
    return {**failed_record(config, ""), "status": "done", "error": None, **FIGURES}


def save_protocol(path, last):
    spans = Timeline(((0, 3), (2, last)))
    Protocol("toy", "digits", 10, 4, (LabelSet(((0, 1), (2, 3)), (spans, spans)),)).save(path)
    return str(path)


@pytest.fixture
def study(tmp_path):
    (tmp_path / RECORDS).mkdir()
    return tmp_path


def test_keys_are_readable_and_differ_with_every_setting(tmp_path):
    protocol = save_protocol(tmp_path / "p.json", 9)
    configs = [
        CONFIG,
        replace(CONFIG, seed=4),
        replace(CONFIG, scenario="task"),
        replace(CONFIG, method="mgda"),
        replace(CONFIG, name="a/b"),
        replace(CONFIG, name="a-b"),
        replace(CONFIG, method="emgd-gmc"),
        replace(CONFIG, method="emgd-gmc", settings={"exponent": 1.0}),
        replace(CONFIG, overlap=0.5),
        replace(CONFIG, num_tasks=2),
        replace(CONFIG, batch_size=8),
        replace(CONFIG, learning_rate=0.1),
        replace(CONFIG, memory_per_class=1),
        replace(CONFIG, eval_every=9),
        replace(CONFIG, device="cuda"),
        replace(CONFIG, protocol=protocol),
        replace(CONFIG, protocol=protocol, timeline=1),
    ]
    keys = [record_key(config) for config in configs]
    assert len(set(keys)) == len(keys)
    assert keys[0].startswith("avg-class-seed3-")
    assert keys[4].startswith("a-b-class-seed3-")
    assert keys[-1].startswith("avg-class-ls0-tl1-seed3-")


def test_keys_are_the_same_for_the_same_run(tmp_path):
    same = [CONFIG, replace(CONFIG, batch_size=4), replace(CONFIG, data_root="d", download=True)]
    assert len({record_key(config) for config in same}) == 1


def test_key_knows_what_the_protocol_says_not_where_it_lies(tmp_path):
    lasts = {"a": 9, "b": 9, "c": 8}
    names = [save_protocol(tmp_path / name, last) for name, last in lasts.items()]
    here, moved, changed = (record_key(replace(CONFIG, protocol=name)) for name in names)
    assert here == moved
    assert here != changed


def test_record_round_trip(study):
    write_record(study, "failed", failed_record(CONFIG, "Traceback ...\nValueError: no\n"))
    write_record(study, "done", done(replace(CONFIG, method="mgda", name="other")))
    other, failed = reversed(load_records(study))
    assert other == done(replace(CONFIG, method="mgda", name="other"))
    assert (other["method"], other["config"]["method"]) == ("other", "mgda")
    assert failed["status"] == "failed"
    assert failed["config"] == json.loads(json.dumps(CONFIG.to_json()))
    assert "A_e" not in failed


def test_drafts_are_no_records(study):
    write_record(study, "done", done(CONFIG))
    with replacing(study / RECORDS / "half.json") as draft:
        draft.write_text("{")
        assert len(load_records(study)) == 1
        draft.write_text(json.dumps(done(replace(CONFIG, seed=4))))
    assert len(load_records(study)) == 2


def test_no_study(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no study"):
        load_records(tmp_path)


def test_no_records_yet(study):
    assert load_records(study) == []
    assert len(results_table([])) == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "cannot be read.*Remove it"),
        (b'{"method": "av', "cannot be read.*Remove it"),
        (b"\xff\xfe", "cannot be read.*Remove it"),
        (b"[]", "is not a record"),
        (b'{"name": "mine"}', "is not a record"),
        (json.dumps(done(CONFIG)).replace("A_ebar", "accuracy").encode(), "is not a record"),
    ],
)
def test_foreign_files_are_named(content, message, study):
    write_record(study, "done", done(CONFIG))
    (study / RECORDS / "foreign.json").write_bytes(content)
    with pytest.raises(ValueError, match=f"foreign.json.*{message}"):
        load_records(study)


def test_table(study):
    protocol = save_protocol(study / "p.json", 9)
    with_protocol = replace(CONFIG, protocol=protocol, timeline=1)
    records = [
        failed_record(replace(CONFIG, seed=9), "Traceback:\n  File\nValueError: it broke\n"),
        done(CONFIG),
        done(with_protocol),
    ]
    table = results_table(records)
    assert results_table(reversed(records)).equals(table)
    assert list(table["seed"]) == [3, 9, 3]
    assert str(table["label_set"].dtype) == str(table["timeline"].dtype) == "Int64"
    assert list(table["timeline"].isna()) == [True, True, False]
    assert table["timeline"][2] == 1
    assert table["A_ebar"][0] == 0.25
    assert pd.isna(table["A_ebar"][1])
    assert table["error"][1] == "ValueError: it broke"
    assert list(table["error"].isna()) == [True, False, True]

    write_results(study, records)
    assert pd.read_parquet(study / "results.parquet").equals(table)
    csv = pd.read_csv(study / "results.csv", dtype=dict(table.dtypes))
    pd.testing.assert_frame_equal(csv, table)


@pytest.mark.parametrize("words", ["caf\udce9\0.png", "x" * 20_000_000 + "y"])
def test_the_record_of_any_error_can_be_read_and_listed(words, study):
    write_record(study, "failed", failed_record(CONFIG, f"Traceback:\nValueError: {words}\n"))
    (record,) = load_records(study)
    assert record["error"].startswith("Traceback:\nValueError: ")
    write_results(study, [record])
    (listed,) = pd.read_csv(study / "results.csv")["error"]
    assert listed.endswith(r"caf\udce9\x00.png" if len(words) < 100 else "xy")
