"""Small inputs for commands."""

import numpy as np


def small_arrays(path):
    generator = np.random.default_rng(0)
    y = np.arange(64) % 4
    x = (40 * y[:, None, None] + generator.integers(0, 30, (64, 6, 6))).astype(np.uint8)
    np.savez(path, x_train=x, y_train=y, x_test=x[:16], y_test=y[:16])
    return path


QUICK = ("--tasks", 2, "--batch-size", 32)
