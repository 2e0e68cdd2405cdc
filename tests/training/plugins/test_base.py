from collections import Counter

from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.toy import toy_benchmark
from tests.training.common import toy_strategy

ORDER = (
    "before_training_iteration",
    "before_backward",
    "before_weighting",
    "after_weighting",
    "before_update",
    "after_update",
    "after_training_iteration",
    "after_tick",
)


class Calls(MultiGradientPlugin):
    """Notes the callbacks of each tick."""

    def __init__(self):
        super().__init__()
        self.seen = []
        for name in ORDER:
            setattr(self, name, lambda *args, name=name, **kwargs: self.seen.append(name))


def test_the_callbacks_of_a_tick_have_one_order():
    calls, benchmark = Calls(), toy_benchmark()
    toy_strategy(memory_size=6, plugins=[calls]).train(benchmark.train_stream)
    ticks = benchmark.timeline.num_ticks
    assert calls.seen == [*ORDER] * ticks


def test_callbacks_that_are_not_overridden_do_nothing():
    plugin = MultiGradientPlugin()
    for name in ("before_weighting", "after_weighting", "after_tick"):
        assert getattr(plugin, name)(None) is None
    assert Counter(vars(plugin)) == Counter(vars(MultiGradientPlugin()))
