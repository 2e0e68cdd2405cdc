import importlib
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from avalanche_emgd.distributed import Processes
from avalanche_emgd.distributed.failure import ProcessError
from tests.distributed.threads import in_threads


@settings(max_examples=15)
@given(st.integers(2, 4), st.data())
def test_pieces_reach_their_process_in_order(size, data):
    lengths = [
        data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)) for _ in range(size)
    ]

    def exchange(processes):
        rank = processes.rank
        sent = lengths[rank]
        own = torch.cat([torch.full((n,), 10.0 * rank + k) for k, n in enumerate(sent)])
        received = [lengths[other][rank] for other in range(size)]
        return processes.exchange(own, sent, received, "a"), processes.received["a"]

    for rank, (found, count) in enumerate(in_threads(size, exchange)):
        pieces = [torch.full((lengths[k][rank],), 10.0 * k + rank) for k in range(size)]
        assert torch.equal(found, torch.cat(pieces))
        assert count == 4 * sum(len(piece) for k, piece in enumerate(pieces) if k != rank)


def test_sums_are_the_same_everywhere_bit_for_bit():
    own = [torch.randn(50, generator=torch.Generator().manual_seed(k)) for k in range(3)]
    found = in_threads(
        3, lambda each: (each.sum(own[each.rank], "a"), each.gather(own[each.rank], "b"))
    )
    for total, gathered in found:
        assert torch.equal(total, found[0][0])
        assert torch.equal(gathered, torch.stack(own))


def test_avalanche_is_imported_before_the_group_starts(monkeypatch):
    # Otherwise its import fails on all processes but the first one.
    variables = {"WORLD_SIZE": 2, "RANK": 1, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": 1}
    for name, value in variables.items():
        monkeypatch.setenv(name, str(value))
    steps = []

    def start(backend, timeout):
        steps.append(backend)
        raise ConnectionError("no group")

    monkeypatch.setattr(torch.distributed, "init_process_group", start)
    monkeypatch.setattr(importlib, "import_module", steps.append)
    with pytest.raises(ConnectionError, match="no group"):
        Processes.join()
    assert steps == ["avalanche.training", "gloo"]


def test_a_broadcast_is_of_the_first_process():
    def case(processes):
        tensor = torch.full((3,), float(processes.rank + 1))
        processes.broadcast(tensor)
        processes.wait()
        return tensor.tolist(), processes.received["broadcast"]

    assert in_threads(3, case) == [([1.0] * 3, 0), ([1.0] * 3, 12), ([1.0] * 3, 12)]


def test_processes_that_differ_are_named():
    in_threads(3, lambda each: each.agree("numbers", torch.ones(2)))
    with pytest.raises(ProcessError, match="processes 0 and 2 have different numbers: make data"):
        in_threads(3, lambda each: each.agree("numbers", torch.tensor([each.rank // 2])))


def test_a_process_by_itself_exchanges_nothing():
    processes = pickle.loads(pickle.dumps(Processes()))
    own = torch.arange(3.0)
    assert torch.equal(processes.gather(own, "a"), own[None])
    assert torch.equal(processes.sum(own, "a"), own)
    assert processes.exchange(own, [3], [3], "a") is own
    processes.broadcast(own)
    processes.wait()
    with processes.training():
        processes.agree("numbers", own)
    assert processes.received["a"] == 0
    assert repr(processes) == "Processes(rank=0, size=1, device='cpu')"
    assert processes.is_first


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE must be a whole number, at least 1, found 'two'"),
        ({"WORLD_SIZE": "0"}, "WORLD_SIZE must be a whole number, at least 1, found '0'"),
        ({"WORLD_SIZE": "2"}, "WORLD_SIZE is 2, but RANK, MASTER_ADDR, MASTER_PORT is missing"),
        ({"WORLD_SIZE": "2", "RANK": "0", "MASTER_PORT": "1"}, "but MASTER_ADDR is missing: start"),
    ],
    ids=["word", "zero", "alone", "address"],
)
def test_incomplete_variables_of_a_launcher(variables, words, monkeypatch):
    for name in ("WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    assert Processes.join().size == 1
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=words):
        Processes.join()
