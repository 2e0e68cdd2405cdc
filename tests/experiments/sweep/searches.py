"""A search that the tests do."""

from own_methods import QUICK

from avalanche_emgd.experiments.sweep import SweepConfig

STUDY = {**QUICK, "seeds": [0, 1], "scenarios": ["task"]}


SEARCH = {
    "decay": {"low": 0.0, "high": 0.9},
    "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
    "memory_editing": {"choices": [None, {"rule": "distance", "step": 0.1}]},
}


FILE = {"method": "emgd-gmc", "search": SEARCH, "trials": 3, **STUDY}


def sweep_of(**changes):
    arguments = {"method": "emgd-gmc", "search": SEARCH, "trials": 3, "study": STUDY, **changes}
    return SweepConfig(**arguments)


EVERY_KIND = {
    "decay": {"low": 0, "high": 0.9},
    "exponent": {"low": 0.5, "high": 2.0},
    "learning_rate": {"low": 0.001, "high": 0.1, "log": True},
    "optimizer": {"choices": ["adam", "sgd"]},
    "memory_editing": {"choices": [None, "distance", {"rule": "gmed", "step": 0.1}]},
}
