"""The command line in a process of torchrun that ends in some way at a tick.

    torchrun -m tests.distributed.ending WAY TICK train ...

WAY is ``SIGTERM`` or ``SIGINT``, which process 0 sends to torchrun, or ``SIGKILL``, which the last
process sends to itself.
"""

import os
import signal
import sys

from avalanche_emgd.cli import app
from avalanche_emgd.experiments.trace import WeightTrace

after_weighting = WeightTrace.after_weighting
way, tick = signal.Signals[sys.argv[1]], int(sys.argv[2])
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])


def ends(self, strategy, *args, **kwargs):
    if strategy.tick == tick:
        if way == signal.SIGKILL and rank == size - 1:
            os.kill(os.getpid(), way)
        elif way != signal.SIGKILL and rank == 0:
            os.kill(os.getppid(), way)
    after_weighting(self, strategy, *args, **kwargs)


if __name__ == "__main__":
    WeightTrace.after_weighting = ends
    app(sys.argv[3:])
