"""A checkpoint of several processes is one file, with which any number of them continues."""

import signal

import pytest
import torch

from avalanche_emgd import load_checkpoint
from tests.distributed import cases, failing
from tests.distributed.pool import one_thread
from tests.distributed.runs import distance, in_one_process

BOUND = {torch.float32: 1e-6, torch.float64: 1e-12}
RUNS = {
    "one-process": lambda pool, **options: [in_this_process(**options)],
    "2": lambda pool, **options: pool.run("2", cases.train, **options),
    "3": lambda pool, **options: pool.run("3", cases.train, **options),
}
AT = (1, 7, 8, 12)  # the checkpoint is of tick 7


def in_this_process(**options):
    with one_thread():
        return cases.train(**options)


@pytest.mark.parametrize(
    ("first", "then", "placement", "dtype"),
    [
        (first, then, placement, dtype)
        for first, then in (("one-process", "2"), ("2", "3"), ("2", "one-process"))
        for placement in ("by-objective", "by-sample")
        for dtype in (torch.float32, torch.float64)
        if dtype == torch.float64 or then == "3"
    ],
)
def test_another_number_of_processes_continues(pool, tmp_path, first, then, placement, dtype):
    options = {"distributed": placement, "dtype": dtype, "at": AT, "momentum": 0.9}
    options |= {"memory_objectives": "per-task", "tested_weights": "average"}
    path = tmp_path / "run.pt"
    expected = in_one_process(**options)
    RUNS[first](pool, checkpoint=path, every=7, **options)
    assert [each.name for each in tmp_path.iterdir()] == ["run.pt"]
    found = RUNS[then](pool, checkpoint=path, restores=True, **options)
    for each in found:
        for kind in ("updates", "weights"):
            for ours, theirs in zip(each[kind], expected[kind], strict=True):
                assert distance(ours, theirs) <= BOUND[dtype], kind
        assert distance(each["memory"], expected["memory"]) <= BOUND[dtype]
        assert torch.equal(each["random"], expected["random"])


@pytest.mark.parametrize(
    "options",
    [
        {"distributed": "by-objective", "model": "normed", "stream": "paired", "at": (9, 13)},
        {"distributed": "by-objective", "model": "dropout"},
        {"distributed": "by-sample", "engine": "lean", "memory_editing": "distance"},
        {"distributed": "even", "strategy": "db-mtl", "memory_selection": "gss"},
        {"distributed": "even", "strategy": "accumulating"},
    ],
    ids=["batch-norm", "dropout", "editing", "db-mtl", "accumulating"],
)
def test_as_many_processes_continue_bit_for_bit(pool, tmp_path, options):
    options = {"at": AT, "momentum": 0.9, **options}
    path = tmp_path / "run.pt"
    expected = pool.run("2", cases.train, checkpoint=path, every=options["at"][-2], **options)
    found = pool.run("2", cases.train, checkpoint=path, restores=True, seed=1, **options)
    for ours, theirs in zip(found, expected, strict=True):
        for kind in ("updates", "weights"):
            assert all(map(torch.equal, ours[kind], theirs[kind])), kind
        for name, value in theirs["state"].items():
            assert torch.equal(ours["state"][name], value), name
        assert torch.equal(ours["memory"], theirs["memory"])
        assert torch.equal(ours["random"], theirs["random"])


def test_a_state_that_one_process_saves_by_itself_continues(pool, tmp_path):
    # The usual lines of a script: `if processes.is_first: save_checkpoint(...)`.
    options = {"distributed": "by-sample", "dtype": torch.float64, "at": (7, 12)}
    path = tmp_path / "run.pt"
    expected, _ = pool.run("2", cases.train, saves_alone=path, **options)
    assert "engines" not in load_checkpoint(path)
    for each in pool.run("3", cases.train, checkpoint=path, restores=True, **options):
        assert distance(each["weights"][-1], expected["weights"][-1]) <= 1e-12


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_one_process_stops_all_at_one_tick(pool, tmp_path, number):
    path = tmp_path / "run.pt"
    first, second = pool.run("2", failing.stop, path=path, number=number)
    assert first[1:] == second[1:] == (7, f"Training has stopped. Checkpoint: {path}")
    assert second[0] == number
    assert first[0] == signal.SIGTERM  # which a launcher sends to the others
    clock = load_checkpoint(path)["plugins"]["Clock 1"]["attributes"]
    assert clock["train_iterations"] == 7


def test_all_processes_refuse_a_damaged_file(pool, tmp_path):
    path = tmp_path / "run.pt"
    path.write_text("what?")
    for error in pool.run("2", cases.error_of, distributed="auto", checkpoint=path, restores=True):
        assert error.startswith(f"StateError: `checkpoint` '{path}' cannot be loaded")
        assert "\n" not in error


def test_without_a_file_no_process_restores(pool, tmp_path):
    assert pool.run("2", cases.restore, path=tmp_path / "run.pt") == [False, False]


def test_a_file_that_cannot_be_written_ends_the_other_processes(pool, tmp_path):
    pool.send("full", failing.lose_folder, path=tmp_path / "gone" / "run.pt")
    is_right, error = pool.answer("full", 1)
    assert is_right
    # Here process 0 holds the store with its message, which is torchrun's otherwise.
    assert error.startswith("ProcessError: the process with the store, usually process 0, has")


def test_a_process_that_is_killed_while_it_writes_leaves_the_last_whole_checkpoint(pool, tmp_path):
    path = tmp_path / "run.pt"
    pool.send("writes", failing.killed_while_writing, path=path)
    is_right, error = pool.answer("writes", 1)
    assert is_right, error
    assert error.startswith("ProcessError: the process with the store, usually process 0, has")
    clock = load_checkpoint(path)["plugins"]["Clock 1"]["attributes"]
    assert clock["train_iterations"] == 5
    options = {"distributed": "by-objective", "dtype": torch.float64, "at": (12,)}
    (expected,) = in_one_process(**options)["weights"]
    for each in pool.run("2", cases.train, checkpoint=path, restores=True, **options):
        assert distance(each["weights"][0], expected) <= BOUND[torch.float64]
