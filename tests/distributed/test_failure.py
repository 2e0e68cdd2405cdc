from concurrent.futures import ThreadPoolExecutor

import pytest
import torch.distributed as dist

from avalanche_emgd.distributed import failure
from avalanche_emgd.distributed.failure import FailureBoard, ProcessError


@pytest.fixture
def boards(monkeypatch):
    """Boards of three processes with one store."""
    monkeypatch.setattr(failure, "_PATIENCE", 0.3)
    store = dist.HashStore()
    return [FailureBoard(store, rank, 3) for rank in range(3)]


CLOSED = RuntimeError("connection closed\nmore lines")


def test_the_error_of_a_process_is_named_by_the_others(boards):
    boards[1].report(ValueError("no more samples\nmore lines"))
    for rank in (0, 2):
        error = boards[rank].explain(CLOSED)
        assert isinstance(error, ProcessError)
        assert str(error) == "process 1 has ended: ValueError: no more samples"


def test_messages_of_earlier_trainings_do_not_count(boards):
    boards[1].report(ValueError("no more samples"))
    for board in boards:
        board.begin()
    words = "processes 1, 2 have ended, or hang, without a message: connection closed"
    assert str(boards[0].explain(CLOSED)) == words
    words = "process 2 has ended, or hangs, without a message: connection closed"
    assert str(boards[1].explain(CLOSED)) == words  # process 0 has said that it waits


def test_an_error_between_two_trainings_is_named_in_the_next(boards):
    boards[1].report(ValueError("no more samples"))  # of a test, which others do not wait for
    boards[0].begin()
    assert str(boards[0].explain(CLOSED)) == "process 1 has ended: ValueError: no more samples"
    boards[1].begin()  # after its program has caught the error
    assert "have ended, or hang, without a message" in str(boards[0].explain(CLOSED))


def test_where_all_wait_the_exchange_itself_has_failed(boards, monkeypatch):
    monkeypatch.setattr(failure, "_PATIENCE", 20.0)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda board: str(board.explain(CLOSED)), boards))
    assert found == ["the processes cannot exchange numbers: connection closed"] * 3


class GoneStore:
    """A store whose process has ended."""

    def set(self, key, value):
        raise RuntimeError("broken pipe")

    check = set


def test_a_store_that_has_gone_is_said(monkeypatch):
    board = FailureBoard(GoneStore(), 1, 2)
    monkeypatch.setattr(GoneStore, "check", lambda self, keys: self.set(keys, ""))
    board.report(ValueError("nobody reads it"))
    assert str(board.explain(CLOSED)).startswith("the process with the store, usually process 0")
