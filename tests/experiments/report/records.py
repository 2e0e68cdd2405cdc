"""Records of runs that never were, for tests of the report."""

import json

SPANS = ((0, 5), (3, 9))


def done(method="emgd-gmc", A_ebar=0.5, A_e=0.7, *, trace=True, name=None, **where):
    """Record of a finished run; ``where``: scenario, label_set, timeline, seed, benchmark."""
    tasks = [
        {
            "name": f"task{task}",
            "classes": [2 * task, 2 * task + 1],
            "span": list(span),
            "at_end": A_e,
            "final": A_ebar,
            "curve": [[span[0] + 1, 0.2], [span[1] + 1, A_e], [10, A_ebar]],
        }
        for task, span in enumerate(SPANS)
    ]
    weights = {"task0": [[0, 1.0], [4, 0.5]], "task1": [[4, 0.5], [8, 3.0]], "memory": [[8, 0.2]]}
    kinds = ("loss", "weight", "sigma")
    return {
        **_head(method, **where),
        "status": "done",
        "error": None,
        "A_e": A_e,
        "A_ebar": A_ebar,
        "F_ebar": A_ebar - A_e,
        "tasks": tasks,
        "trace": {kind: weights if trace else {} for kind in kinds},
        "ticks": 10,
        "seconds": 2.0,
        "ticks_per_second": 5.0,
        "peak_memory_mb": 300.0,
        "config": _config(name or method, **where),
    }


def failed(method="avg", error="Traceback\n  File ...\nValueError: it broke\n", **where):
    """Record of a run that has failed."""
    return {
        **_head(method, **where),
        "status": "failed",
        "error": error,
        "config": _config(method, **where),
    }


def save(directory, records):
    """Lay records down as a study does."""
    folder = directory / "records"
    folder.mkdir(parents=True, exist_ok=True)
    for number, record in enumerate(records):
        (folder / f"{number}.json").write_text(json.dumps(record))
    return directory


def _head(method, scenario="class", label_set=0, timeline=0, seed=0, benchmark="ps-digits"):
    return {
        "method": method,
        "scenario": scenario,
        "benchmark": benchmark,
        "label_set": label_set,
        "timeline": timeline,
        "seed": seed,
    }


def _config(method, label_set=0, **where):
    return {
        "method": method,
        "settings": {},
        "protocol": None if label_set is None else "somewhere/protocol.json",
        "num_tasks": None,
        "overlap": None,
        "batch_size": 4,
        "learning_rate": 0.003,
        "memory_per_class": 3,
        "device": "cpu",
        "versions": {"torch": "2.9.1"},
    }
