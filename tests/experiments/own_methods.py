"""Methods of a user's own, some of which fail, and what studies of them have in common."""

import os
import signal
import time

from avalanche_emgd import AvgGradStrategy

# Settings with which a run takes a fraction of a second.
QUICK = {"num_tasks": 2, "batch_size": 32, "eval_every": 10}


def mine(model, **arguments):
    """The plain average by another name."""
    return AvgGradStrategy(model, **arguments)


class Broken(AvgGradStrategy):
    """Can be made, but not trained."""

    def train(self, *args, **kwargs):
        raise RuntimeError("it broke")


def broken_above(model, limit, **arguments):
    """Can be made with any limit, but not trained with one above zero."""
    return (Broken if limit > 0 else AvgGradStrategy)(model, **arguments)


class Exits(AvgGradStrategy):
    """Wants to end the process."""

    def train(self, *args, **kwargs):
        raise SystemExit(3)


class Deadly(AvgGradStrategy):
    """Ends the process, as the kernel does when memory runs out."""

    def train(self, *args, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)


class Slow(AvgGradStrategy):
    """Takes long enough to be killed."""

    def train(self, *args, **kwargs):
        time.sleep(0.7)
        return super().train(*args, **kwargs)


class DiesOnce(AvgGradStrategy):
    """Ends its process at a tick, unless a file says that an earlier one has done so."""

    def __init__(self, model, mark, **arguments):
        super().__init__(model, **arguments)
        self.mark = mark

    def weigh(self):
        mark = self.mark
        if self.tick == 20 and not os.path.exists(mark):
            with open(mark, "w") as file:
                file.write("died")
            os.kill(os.getpid(), signal.SIGKILL)
        self.ticks_here = getattr(self, "ticks_here", 0) + 1
        if self.tick == 21:
            with open(mark, "a") as file:
                file.write(f" and went on after {self.ticks_here} ticks")
        return super().weigh()


def figures(record):
    """All of a record but what differs from one time to the next."""
    costs = ("seconds", "ticks_per_second", "peak_memory_mb")
    return {key: value for key, value in record.items() if key not in costs}
