"""A plugin that looks at the class mask."""

from avalanche.core import SupervisedPlugin

from avalanche_emgd.models import is_masked


class WatchMask(SupervisedPlugin):
    """Plugin that records samples whose own class is masked."""

    masked = 0

    def after_forward(self, strategy, *args, **kwargs):
        own = strategy.mb_output.gather(1, strategy.mb_y[:, None])
        self.masked += int(is_masked(own).sum())
