"""Small texts that would take much memory or time."""

import json
import os
import re
import time

import pytest

from avalanche_emgd._text_files import (
    MOST_BYTES,
    check_text,
    excerpt,
    parse_json,
    read_text,
    writable,
)
from avalanche_emgd.benchmarks import LabelSet, Protocol, Timeline
from avalanche_emgd.benchmarks.limits import MOST_TASKS
from tests.hostile import DEEP, SECONDS, refused


def protocol(**changes):
    content = {
        "name": "toy",
        "dataset": "digits",
        "num_classes": 4,
        "batch_size": 4,
        "label_sets": [{"classes": [[0, 1], [2, 3]], "timelines": [[[0, 3], [2, 9]]]}],
    }
    return {**content, **changes}


def label_set(tasks, spans):
    return [{"classes": [[task] for task in range(tasks)], "timelines": [spans]}]


MANY = 30_000
PROTOCOLS = {
    "nesting": ("[" * DEEP, "line 1: nested too deeply"),
    "objects": ('{"a":' * DEEP, "line 1: nested too deeply"),
    "late nesting": ('{"name": "[[",\n"x":' + "[" * DEEP, "line 2: nested too deeply"),
    "digits": ('{"name": "x",\n"num_classes": ' + "9" * 10_000 + "}", "line 2: a number has"),
    "shorter digits": (
        json.dumps(protocol(label_sets=label_set(1, [[0, 10**4000]]))),
        "must end before tick",
    ),
    "ticks": (json.dumps(protocol(label_sets=label_set(1, [[0, 10**18]]))), "must end before tick"),
    "not a number": (json.dumps(protocol(num_classes=float("nan"))), "line 1: NaN is not a number"),
    "infinity": ('{"num_classes": 1e999}', "misses the key|must be an integer"),
    "half a character": (json.dumps(protocol(name="\ud800")), "line 1: a text has characters"),
    "tasks in a row": (
        json.dumps(
            protocol(num_classes=MANY, label_sets=label_set(MANY, [[k, k] for k in range(MANY)]))
        ),
        f"at most {MOST_TASKS} tasks, found {MANY}",
    ),
    "tasks at once": (
        json.dumps(
            protocol(num_classes=9000, label_sets=label_set(9000, [[0, k] for k in range(9000)]))
        ),
        "too many are active at once",
    ),
    "a long list": (
        json.dumps(protocol(label_sets=[{"classes": list(range(300_000)), "timelines": []}])),
        r"key 'label_sets\[0\]\.classes\[0\]' must be a list",
    ),
    "a long text": (json.dumps(protocol(num_classes="x" * 300_000)), "must be an integer"),
}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocols(name, tmp_path):
    refused(tmp_path / "protocol.json", Protocol.load, *PROTOCOLS[name])


def test_a_protocol_with_many_tasks(tmp_path):
    tasks = MOST_TASKS // 4
    spans = Timeline(tuple((2 * k, 2 * k + 3) for k in range(tasks)))
    classes = tuple((k,) for k in range(tasks))
    started = time.process_time()
    Protocol("large", "none", tasks, 4, (LabelSet(classes, (spans,)),)).save(tmp_path / "p.json")
    loaded = Protocol.load(tmp_path / "p.json").select(0, 0)[1]
    assert loaded == spans
    assert len(loaded.segments()) <= 2 * tasks - 1
    assert loaded.fit([3] * tasks).num_tasks == tasks
    assert time.process_time() - started < SECONDS


def test_paths_that_are_not_regular_files(tmp_path):
    with pytest.raises(ValueError, match=r"`protocol` .*is not a file"):
        read_text(os.devnull, "protocol")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match=r"`protocol` .*pipe.* is not a file"):
        read_text(tmp_path / "pipe", "protocol")
    with pytest.raises(ValueError, match=r"is not a file|cannot be read"):
        read_text(tmp_path, "protocol")
    with pytest.raises(ValueError, match="cannot be read: File name too long"):
        read_text(tmp_path / ("x" * 5000), "protocol")
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        read_text(tmp_path / "none", "protocol")
    with pytest.raises(ValueError, match="`protocol` must not have the character 0"):
        read_text("a\0b", "protocol")
    with pytest.raises(ValueError, match="`protocol` has characters that cannot be encoded"):
        read_text("a\ud800b", "protocol")


def test_a_sparse_file_is_not_read(tmp_path):
    with (tmp_path / "holes").open("wb") as file:
        file.truncate(2**40)
    refused_path = tmp_path / "holes"
    with pytest.raises(ValueError, match=f"more than the {MOST_BYTES} that are read"):
        read_text(refused_path, "protocol")


def test_another_encoding_is_an_error_with_its_line(tmp_path):
    (tmp_path / "latin").write_bytes(b"name: a\nname: \xe9\n")
    with pytest.raises(ValueError, match=r"latin.* line 2 is not UTF-8"):
        read_text(tmp_path / "latin", "config")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1,\n "b": 2,\n "a": 3}', "line 3: the key 'a' is there twice"),
        ('[{"x": {"a\\"b": 1, "a\\"b": 1}}]', "line 1: the key 'a\"b' is there twice"),
    ],
)
def test_a_key_that_is_there_twice(text, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        parse_json(text)
    assert parse_json('[{"a": 1}, {"a": {"a": 2}}]') == [{"a": 1}, {"a": {"a": 2}}]


def test_valid_json():
    assert parse_json('{"a": [1, 2.5, "\\u00e9", null]}') == {"a": [1, 2.5, "é", None]}
    assert parse_json('"\\ud83d\\ude00"') == "😀"  # two halves make a character


LARGE = {
    "text": "x" * 10**6,
    "list": list(range(10**6)),
    "number": 10**5000,
    "number within": [10**5000],
    "mapping": {"a": {"b": [["c\n"]]}},
    "half a character": "\ud800",
    "lines": "a\nb",
}


@pytest.mark.parametrize("name", LARGE)
def test_excerpts_are_short_and_can_be_printed(name):
    words = excerpt(LARGE[name])
    assert len(words) <= 81
    assert "\n" not in words
    words.encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("caf\udce9\0", r"caf\udce9\x00"), ("é 😀 \\ \n", "é 😀 \\ \n")],
)
def test_texts_become_writable(text, expected):
    assert check_text(writable(text), "it") == expected
