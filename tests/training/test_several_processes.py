"""Where a strategy stops that trains by itself; others are tested in tests/distributed."""

import pytest

from avalanche_emgd.training.several_processes import is_stopped, will_stop
from tests.training.common import toy_strategy


@pytest.mark.parametrize("distributed", [None, "auto"])
def test_a_strategy_by_itself_stops_where_it_asks(distributed):
    strategy = toy_strategy(distributed=distributed, memory_size=0)
    assert not will_stop(strategy)
    assert not is_stopped(strategy)
    strategy.stop_training()
    assert will_stop(strategy)
    assert is_stopped(strategy)
    assert strategy.state_dict()["stops"]
