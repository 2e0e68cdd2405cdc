import torch

from avalanche_emgd.distributed import Processes
from avalanche_emgd.distributed.plain_values import broadcast_value, gather_values
from tests.distributed.threads import in_threads


def value_of(rank):
    """A value whose length differs between processes."""
    return {"rank": rank, "tensor": torch.arange(100 * rank), "words": ["é" * rank, None, (1, 2.5)]}


def assert_is(found, rank):
    expected = value_of(rank)
    assert torch.equal(found.pop("tensor"), expected.pop("tensor"))
    assert found == expected


def test_values_of_all_lengths_are_gathered_in_order():
    for found in in_threads(3, lambda each: gather_values(each, value_of(each.rank), "values")):
        assert len(found) == 3
        for rank, value in enumerate(found):
            assert_is(value, rank)


def test_all_processes_have_the_value_of_the_first():
    def broadcast(processes):
        return broadcast_value(processes, value_of(2) if processes.is_first else object())

    for found in in_threads(3, broadcast):
        assert_is(found, 2)


def test_a_process_by_itself_keeps_its_value():
    value = object()
    assert broadcast_value(Processes(), value) is value
    (found,) = gather_values(Processes(), value_of(1), "values")
    assert_is(found, 1)
