"""Errors of several processes: what they refuse, where they differ, and one that ends."""

import pytest

from tests.distributed import cases, differing, failing


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "counting"}, "ValueError: `model` writes to its buffer 'passes'"),
        ({"model": "mixing", "distributed": "even"}, "ValueError: `model` mixes the samples"),
        ({"model": "instance"}, "ValueError: `model` has InstanceNorm1d (1) with running"),
        ({"model": "synced", "distributed": "even"}, "ValueError: `model` has SyncBatchNorm (1)"),
        (
            {"model": "normed", "stream": "paired", "distributed": "by-sample"},
            "cannot normalise the single sample that a process has of an objective",
        ),
        ({"model": "parallel"}, "which distributes samples itself"),
    ],
    ids=["buffer", "mixing", "instance-norm", "sync-even", "single-sample", "data-parallel"],
)
def test_what_cannot_be_exact_is_refused(pool, options, message):
    for error in pool.run("3", cases.error_of, **{"distributed": "auto", **options}):
        assert error is not None
        assert message in error
        assert "\n" not in error


def test_synchronised_batch_norm_needs_a_sample_of_each_objective_on_each_process(pool):
    for error in pool.run("3", cases.few_samples):
        assert "each of 3 processes needs a sample of every objective, but one has 2" in error


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("layer", "models (layer '1': Tanh() and ReLU(inplace=False))"),
        ("setting", "models (layer '1': Dropout(p=0.1, inplace=False) and "),
        ("frozen", "models ("),
        ("stream", "experiences or settings (samples: 37 and 20)"),
        ("scenario", "experiences or settings (scenario: class and task)"),
        ("order", "samples or placements: make"),
        ("rate", "optimizers (lr of group 0: 0.05 and 0.1)"),
        ("optimizer", "optimizers (type: SGD and Adam)"),
        ("weighting", "strategies or weightings (weighting: "),
        ("augmentation", "strategies or weightings (memory_augmentation: "),
        ("placement", "strategies or weightings (distributed: Automatic() and Even())"),
        ("shared", "strategies or weightings (shared: (96, "),
        ("plugins", "strategies or weightings (plugin 3: EWCPlugin(ewc_lambda=0.4, "),
        ("memory", "replay memories: make"),
        ("at the end", "parameters: make"),
    ],
)
def test_processes_that_differ_are_an_error(pool, what, words):
    for error in pool.run("2", differing.differ, what=what):
        assert error is not None
        assert error.startswith(f"ProcessError: processes 0 and 1 have different {words}")
        assert "\n" not in error


@pytest.mark.parametrize("way", ["raises", "loader", "evaluation"])
def test_an_error_of_one_process_is_named_by_the_others(pool, way):
    pool.send(way, failing.fail, way=way)
    is_right, error = pool.answer(way, 0)
    assert is_right, error
    assert error == "ProcessError: process 1 has ended: ValueError: no more samples"


def test_a_process_that_is_killed_is_named_by_the_others(pool):
    pool.send("killed", failing.fail, way="killed")
    for rank in (0, 1):
        is_right, error = pool.answer("killed", rank)
        assert is_right
        assert error.startswith("ProcessError: process 2 has ended, or hangs, without a message")
