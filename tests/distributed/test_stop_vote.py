"""Where processes stop that ask at the same place, or some of them."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch.distributed as dist
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd.distributed import stop_vote
from avalanche_emgd.distributed.stop_vote import StopVote


def decide(votes):
    """Decisions of all processes, of which each waits for the others."""
    with ThreadPoolExecutor(len(votes)) as pool:
        return list(pool.map(lambda vote: vote.is_decided(), votes))


@pytest.fixture
def votes():
    store = dist.HashStore()
    return [StopVote(store, 3) for _ in range(3)]


def tell(votes):
    """What the Gramian of a tick does."""
    common = any(vote.own for vote in votes)
    for vote in votes:
        vote.common = common


def test_all_stop_where_all_ask(votes):
    assert decide(votes) == [False] * 3
    for vote in votes:
        vote.own = True
    assert decide(votes) == [True] * 3
    assert decide(votes) == [False] * 3  # the wish is forgotten


def test_all_stop_after_the_gramian_that_tells_of_a_lone_wish(votes, monkeypatch):
    monkeypatch.setattr(stop_vote, "_GRACE", 0.05)
    votes[1].own = True
    assert decide(votes) == [False] * 3
    assert votes[1].is_set
    assert not votes[0].is_set
    tell(votes)
    votes[2].own = True  # of a later callback of the same tick
    assert all(vote.is_set for vote in votes)
    assert decide(votes) == [True] * 3
    tell(votes)
    assert decide(votes) == [False] * 3


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), max_size=6))
def test_processes_never_differ(asked):
    store = dist.HashStore()
    votes = [StopVote(store, 3) for _ in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stop_vote, "_GRACE", 0.0)  # the least that processes wait for each other
        for who in asked:
            for vote, asks in zip(votes, who, strict=True):
                vote.own |= asks
            assert len(set(decide(votes))) == 1
            tell(votes)


def test_trainings_do_not_hear_of_each_other(votes, monkeypatch):
    monkeypatch.setattr(stop_vote, "_GRACE", 0.05)
    votes[0].own = True
    assert decide(votes) == [False] * 3
    for vote in votes:
        vote.begin(2)
    assert not any(vote.is_set for vote in votes)
    votes[1].own = votes[2].own = True
    assert decide(votes) == [False] * 3
    tell(votes)
    for vote in votes:
        vote.begin(3)
    assert decide(votes) == [False] * 3
    for vote in votes:
        vote.own = True
    assert decide(votes) == [True] * 3


class GoneStore:
    """A store whose process has ended."""

    def add(self, key, number):
        raise RuntimeError("broken pipe")


def test_without_the_store_the_next_exchange_fails():
    vote = StopVote(GoneStore(), 2)
    vote.own = True
    assert not vote.is_decided()
