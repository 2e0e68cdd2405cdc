"""A table of animals, and benchmarks from that table."""

import numpy as np
import pandas as pd

from avalanche_emgd import parallel_benchmark_from_table

KINDS = ["ant", "bee", "cat", "dog", "elk", "fox"]
N = 120


def frame():
    generator = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "length": generator.normal(5.0, 100.0, N),
            "legs": generator.integers(0, 9, N),
            "kind": np.array(KINDS)[np.arange(N) % 6],
            "site": np.arange(N) % 3,
            "alive": True,
        }
    )


def made(table, **changes):
    arguments = {"label_column": "kind", "test_share": 0.25, "num_tasks": 2, **changes}
    return parallel_benchmark_from_table(table, **arguments)
