"""What is read of a study is whole, or refused in one line that names the file."""

import json
import random
from copy import deepcopy
from pathlib import Path
from unittest.mock import patch

import pytest
import yaml

from avalanche_emgd.experiments.records import (
    _read,
    read_records,
    results_table,
    write_results,
)
from avalanche_emgd.experiments.report import write_report
from avalanche_emgd.experiments.study_config import StudyConfig
from tests.experiments.report.records import done, failed

VALUES = [
    *(None, True, False, 0, 1, -1, 2, 10**18, 2**63, 10**400, -0.0, 0.5, 1e-320, 1e300, -1e308),
    *("", "x", "0.5", "task", "done", "failed", "\x00", "\ud800", "é" * 300, "a\nb", "$x_", "%s"),
    *([], [[]], [1], [0, 0], [[0, 0]], [[3, "x"]], {}, {"": {}}, {"x": [[0, 1e300]]}, [None] * 3),
]
_RENDERED = 8  # about a second each, half of them in the long tests
RAW = ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000, "[" * 5000, '"\\ud800"', "nul", ""]


def places(value, path=()):
    """Paths of all values in nested lists and mappings."""
    yield path
    if isinstance(value, dict):
        for key in value:
            yield from places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            yield from places(value[index], (*path, index))


def mutated(content, rng):
    """A copy in which one value is missing, another one, or of another place."""
    content = deepcopy(content)
    path = rng.choice([path for path in places(content) if path])
    *way, last = path
    holder = content
    for step in way:
        holder = holder[step]
    kind = rng.random()
    if kind < 0.15:
        del holder[last]
    elif kind < 0.25 and isinstance(holder, dict):
        holder[f"{last}x"] = holder.pop(last)
    elif kind < 0.35:
        source = content
        for step in rng.choice([path for path in places(content) if path]):
            source = source[step]
        holder[last] = deepcopy(source)
    elif kind < 0.45:
        holder[last] = "@@"  # replaced in the text
    else:
        holder[last] = deepcopy(rng.choice(VALUES))
    return content


def damaged(text, rng):
    """Bytes of a file that was cut, or of which some are others."""
    content = text.replace('"@@"', rng.choice(RAW)).encode()
    kind = rng.random()
    if kind < 0.06:
        return content[: rng.randrange(len(content))]
    if kind < 0.12:
        where = rng.randrange(len(content))
        return content[:where] + bytes([rng.randrange(256)]) + content[where + 1 :]
    return content


def one_line(error, path):
    message = str(error)
    assert path.name in message
    assert "\n" not in message
    message.encode()


RECORDS = [done("a", 0.5, seed=1), failed("b", seed=2)]


def damaged_record(seed):
    rng = random.Random(seed)
    return damaged(json.dumps(mutated(rng.choice(RECORDS), rng)), rng)


@pytest.mark.parametrize("seed", range(300))
def test_records(seed, tmp_path):
    """Reading, the table and its files, as ``compare`` does."""
    (tmp_path / "records").mkdir()
    path = tmp_path / "records" / "it.json"
    path.write_bytes(damaged_record(seed))
    try:
        read = read_records(tmp_path)
    except ValueError as error:
        one_line(error, path)
        return
    assert len(results_table(read.values())) == 1
    if seed % 10 == 0:
        write_results(tmp_path, read.values())


def test_mutations_are_of_both_kinds(tmp_path):
    """Some are accepted, and some refused: otherwise the test above says little."""
    (tmp_path / "records").mkdir()
    path, refused = tmp_path / "records" / "it.json", 0
    for seed in range(300):
        path.write_bytes(damaged_record(seed))
        try:
            read_records(tmp_path)
        except ValueError:
            refused += 1
    assert 150 < refused < 290


def _accepted(count):
    """Mutations of finished runs that are read without complaint."""
    folder, found = Path("it.json"), []
    seed = 10_000
    while len(found) < count:
        seed += 1
        rng = random.Random(seed)
        text = damaged(json.dumps(mutated(RECORDS[0], rng)), rng)
        with patch("avalanche_emgd.experiments.records.read_text", lambda *_, t=text: t.decode()):
            try:
                load = _read(folder)
            except ValueError:
                continue
        if load != RECORDS[0]:
            found.append(text)
    return found


@pytest.mark.parametrize("part", [0, 1, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 3))])
def test_reports(part, tmp_path):
    """Whatever is accepted can be rendered, beside a run that is right."""
    refused = []
    for number, text in enumerate(_accepted(_RENDERED)[part::4]):
        study = tmp_path / str(number)
        (study / "records").mkdir(parents=True)
        (study / "records" / "it.json").write_bytes(text)
        (study / "records" / "other.json").write_text(json.dumps(done("other", 0.4, seed=1)))
        try:
            paths = write_report(study)
        except ValueError as error:  # of another benchmark, for example
            refused.append(str(error))
            continue
        assert all(path.stat().st_size for path in paths)
    assert all("`directory`" in message and "\n" not in message for message in refused)


STUDY = {
    "methods": ["avg", {"method": "emgd-gmc", "name": "mine", "settings": {"exponent": 1.0}}],
    "scenarios": ["task", "class"],
    "seeds": [0, 1],
    "benchmark": "ps-digits",
    "overlap": 0.5,
    "num_tasks": 2,
    "learning_rate": 0.01,
    "batch_size": 8,
    "device": "cpu",
    "threads": 1,
}


@pytest.mark.parametrize("seed", range(200))
def test_studies(seed, tmp_path):
    """Reading, and writing what was read."""
    rng = random.Random(seed)
    path = tmp_path / "study.yaml"
    content = mutated(STUDY, rng)
    try:
        text = yaml.safe_dump(content)
    except yaml.YAMLError:
        text = json.dumps(content)
    path.write_bytes(damaged(text.replace("'@@'", '"@@"').replace("@@", '"@@"'), rng))
    try:
        study = StudyConfig.from_yaml(path)
    except ValueError as error:
        one_line(error, path)
        return
    study.to_yaml(path)
    assert StudyConfig.from_yaml(path) == study
