"""Strategies whose tests use averaged weights."""

from avalanche_emgd.gradients import PlainEngine
from tests.training.common import toy_strategy

SIZES = (20, 14, 18)  # no sample comes alone


def strategy_with(model=None, tested_weights="average", **options):
    options = {"memory_size": 12, "engine": PlainEngine(), **options}
    return toy_strategy(model=model, tested_weights=tested_weights, **options)
