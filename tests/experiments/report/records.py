"""Records of runs that never were, for tests of the report."""

import json

import numpy as np

from avalanche_emgd.experiments.report.runs import finished_runs

SPANS = ((0, 5), (3, 9))
NASTY = '<b>mine</b> | *x* & $y$ "q"'


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


def records_of(figures, **where):
    """Records from ``{method: [A_ē in block 0, in block 1, ...]}``; ``None``: not done."""
    return [
        done(method, value, seed=seed, **where)
        for method, values in figures.items()
        for seed, value in enumerate(values)
        if value is not None
    ]


def runs_of(figures):
    """Runs of these records."""
    return finished_runs(records_of(figures), "class")


def many_runs(count, seeds=2, spread=0.02):
    """Runs of methods whose figures lie close together."""
    draw = np.random.default_rng(0)
    records = [
        done(
            f"method-{number}", a := draw.normal(0.5, spread), a + draw.normal(0.2, spread), seed=s
        )
        for number in range(count)
        for s in range(seeds)
    ]
    return finished_runs(records, "class")


def records_of_all_kinds():
    """Two scenarios, three methods, four blocks; one run has failed, one is not there yet."""
    records = []
    for scenario, base in (("class", 0.4), ("task", 0.7)):
        for label, method, gain in (
            ("emgd-gmc", None, 0.0),
            ("avg", None, -0.02),
            (NASTY, "my:m", 0.01),
        ):
            for timeline in (0, 1):
                for seed in (6, 7):
                    where = {"scenario": scenario, "timeline": timeline, "seed": seed}
                    A = base + gain + 0.01 * timeline + 0.002 * seed
                    records.append(done(label, A, A + 0.2, name=method, **where))
    where = {"scenario": "task", "timeline": 1, "seed": 7}
    records = [
        r
        for r in records
        if not (r["method"] == "avg" and r["config"] and all(r[k] == v for k, v in where.items()))
    ]
    error = "Traceback\n  x\nRuntimeError: <script>alert(1)</script> a|b\n"
    return [*records[:-1], failed("avg", error, **where)]
