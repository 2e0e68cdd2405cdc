"""A short attack on the entry points; ``python -m benchmarks.faults.attack`` is the long one."""

import random
import warnings

import pytest

from benchmarks.faults import gramians
from benchmarks.faults.attack import attack, attack_file
from benchmarks.faults.bombs import ARRAYS, IMAGES, MODELS, TEXTS
from benchmarks.faults.mutations import archive_mutated, changed, mutated
from benchmarks.faults.targets import Target, Targets


def test_gramians():
    counts, faults = attack(seed=1, files=0, duals=20 * len(gramians.KINDS), only="dual")
    assert faults == []
    for kind in gramians.KINDS:
        outcome = "accepted" if kind in gramians.VALID else "refused"
        assert counts[f"dual: {kind}"][outcome] >= (15 if kind == "scales" else 20)


def test_files_and_command_lines():
    counts, faults = attack(seed=1, files=13 * 4, duals=0)
    assert faults == []
    assert len(counts) == 13
    assert all(found.total() == 4 for found in counts.values())
    assert sum(found["accepted"] for found in counts.values()) > 2
    assert sum(found["refused"] for found in counts.values()) > 20


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("targets")
    return Targets(folder).all, folder


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        *(("protocol", TEXTS), ("config", TEXTS), ("study", TEXTS), ("sweep", TEXTS)),
        *(("record", TEXTS), ("npz", ARRAYS), ("samples", ARRAYS), ("image", IMAGES)),
        *(("checkpoint", MODELS), ("model.pt", MODELS)),
    ],
)
def test_bombs_are_refused(kind, files, targets, monkeypatch):
    every, folder = targets
    monkeypatch.chdir(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, content in enumerate(files):
            bomb = Target(every[kind].suffix, lambda draw, c=content: c, every[kind].read)
            outcome, words = attack_file(kind, bomb, folder, 0, number)
            assert outcome == "refused", (number, words)
    assert not (folder / "PWNED").exists()


def two_lines(path):
    raise ValueError("one\ntwo")


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (lambda path: {}["a"], "KeyError: 'a'"),
        (two_lines, "one"),
        (lambda path: b"x" * 600_000_000, "MB for 1 bytes"),
    ],
)
def test_the_attack_notices_faults(read, words, tmp_path):
    target = Target(".x", lambda draw: b"x", read)
    outcome, found = attack_file("x", target, tmp_path, 0, 0)
    assert outcome == "fault"
    assert words in found


def test_mutations_change_what_they_are_given():
    draw = random.Random(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that an archive has twice
        assert len({archive_mutated(ARRAYS[1], draw) for _ in range(20)}) > 10
    assert len({mutated(b"methods: [avg]", draw) for _ in range(20)}) > 15
    content = {"a": [1, {"b": 2}], "c": "d"}
    assert sum(repr(changed(content, draw)) != repr(content) for _ in range(20)) > 10
    assert content == {"a": [1, {"b": 2}], "c": "d"}
