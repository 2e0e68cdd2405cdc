"""Avalanche's own strategies with quick settings."""

from avalanche.training import AGEM, ER_ACE, Cumulative, JointTraining, Naive, Replay

STRATEGIES = {
    "naive": (Naive, {}),
    "replay": (Replay, {"mem_size": 12}),
    "er-ace": (ER_ACE, {"mem_size": 12, "batch_size_mem": 4}),
    "a-gem": (AGEM, {"patterns_per_exp": 4, "sample_size": 4}),
    "joint": (JointTraining, {}),
    "cumulative": (Cumulative, {}),
}
