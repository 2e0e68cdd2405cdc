"""A plugin that records ticks."""

from avalanche_emgd.training.plugins import MultiGradientPlugin


class Recorder(MultiGradientPlugin):
    """Plugin that records the values of each tick."""

    def __init__(self):
        super().__init__()
        self.ticks = []

    def after_weighting(self, strategy, **kwargs):
        self.ticks.append(
            {
                "tick": strategy.tick,
                "objectives": list(strategy.objectives),
                "weights": strategy.weights.clone(),
                "gramian": strategy.gramian.clone(),
                "losses": strategy.objective_losses.clone(),
                "sizes": [part.stop - part.start for part in strategy.mbatch.parts],
            }
        )
