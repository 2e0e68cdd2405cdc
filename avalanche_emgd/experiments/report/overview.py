"""The head of a report, its list of methods and its list of failures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ...training.methods import METHODS
from ..records import Record, last_line
from .document import Cell, Column, Element, Heading, Paragraph, Table, Terms
from .families import FAMILIES, family_of
from .runs import SCENARIOS, finished_runs, scenarios_of
from .statistics import summarize
from .words import count, duration, interval, listing, scenario_words

__all__ = ["failures", "head", "how_to_read", "methods"]

_SETTINGS = ("num_tasks", "overlap", "batch_size", "learning_rate", "memory_per_class")


def head(records: Sequence[Record], progress: str, reference: str) -> list[Element]:
    """Make the head: the runs, their data and their machines.

    :param records: records of the study.
    :param progress: words for the progress of the study.
    :param reference: words for the method of comparison, and why it is chosen.
    """
    found = {record["scenario"] for record in records}
    settings = [
        f"{name} {listing(values)}"
        for name in _SETTINGS
        if (values := _values(record["config"].get(name) for record in records))
    ]
    names = dict.fromkeys(record["method"] for record in records)
    items = [
        ("Benchmark", records[0]["benchmark"]),
        ("Scenarios", listing(scenario_words(name) for name in SCENARIOS if name in found)),
        ("Methods", f"{len(names)}: {'; '.join(names)}"),
        ("Streams", "; ".join(_streams(records))),
        ("Runs", progress),
        ("Highest A_ē", "; ".join(_best(records))),
        ("Reference", reference),
        ("Settings", listing(settings)),
        ("Training", "; ".join(_training(records))),
        ("Packages", listing(_versions(records))),
    ]
    return [Terms(tuple((term, text) for term, text in items if text))]


def how_to_read() -> list[Element]:
    """Explain figures of merit and intervals."""
    return [
        Heading(2, "How to read it", "reading"),
        Terms(
            (
                ("A_e", "accuracy of each task at its own last tick, averaged over the tasks."),
                ("A_ē", "accuracy at the very end of all tasks, averaged over the tasks."),
                (
                    "F_ē",
                    "A_ē − A_e: below zero means forgetting. Other libraries report the opposite "
                    "sign.",
                ),
                (
                    "Intervals",
                    "of means: Student's t, 95 %. They include the differences between label sets, "
                    "time lines and seeds, which are the same for all methods. The differences "
                    "between pairs compare methods. About one in twenty of their intervals "
                    "excludes zero even where there is no difference, and more where pairs are "
                    "few.",
                ),
            )
        ),
    ]


def methods(records: Sequence[Record]) -> list[Element]:
    """List the methods with their settings."""
    rows = []
    for label in dict.fromkeys(record["method"] for record in records):
        own = [record for record in records if record["method"] == label]
        config = own[0]["config"]
        name, failed = config["method"], sum(record["status"] == "failed" for record in own)
        settings = listing(f"{key} = {value}" for key, value in config["settings"].items())
        about = METHODS[name].about if name in METHODS else ""
        cells = (label, FAMILIES[family_of(name)].words, name, settings, about)
        rows.append(tuple(map(Cell, (*cells, str(len(own) - failed), str(failed)))))
    columns = (
        *(Column(text, numeric=False) for text in ("Method", "family", "name", "settings")),
        Column("about", numeric=False),
        Column("done"),
        Column("failed"),
    )
    caption = "Settings in place of the method's defaults; runs done and failed."
    return [Heading(2, "Methods", "methods"), Table(caption, columns, tuple(rows))]


def failures(records: Sequence[Record]) -> list[Element]:
    """List the failed runs, with the last lines of their errors."""
    failed = [record for record in records if record["status"] == "failed"]
    heading = Heading(2, "Failed runs", "failed")
    if not failed:
        return [heading, Paragraph("None.")]
    names = ("method", "scenario", "label_set", "timeline", "seed")
    rows = [
        tuple(
            Cell("–" if text is None else str(text))
            for text in (*(record[name] for name in names), last_line(record["error"]))
        )
        for record in failed
    ]
    columns = (
        Column("Method", numeric=False),
        Column("scenario", numeric=False),
        *map(Column, ("label set", "time line", "seed")),
        Column("last line of the error", numeric=False),
    )
    caption = f"{count(len(failed), 'run')} of {len(records)}; whole tracebacks are in the records."
    return [heading, Table(caption, columns, tuple(rows))]


def _streams(records: Sequence[Record]) -> list[str]:
    seeds = f"seeds {listing(_values(record['seed'] for record in records))}"
    label_sets = _values(record["label_set"] for record in records)
    if not label_sets:
        return [f"{seeds}, from which label sets and time lines are made"]
    protocols = _values(Path(record["config"]["protocol"]).name for record in records)
    return [
        f"protocol {listing(protocols)}",
        f"label sets {listing(label_sets)}",
        f"time lines {listing(_values(record['timeline'] for record in records))}",
        seeds,
    ]


def _best(records: Sequence[Record]) -> list[str]:
    best = {
        scenario: summarize(finished_runs(records, scenario))[0]
        for scenario in scenarios_of(records)
    }
    return [
        f"{scenario_words(scenario)}: {summary.method}, {interval(summary.A_ebar)} % "
        f"({count(summary.runs, 'run')})"
        for scenario, summary in best.items()
    ]


def _training(records: Sequence[Record]) -> list[str]:
    devices = _values(record["config"]["device"] for record in records)
    seconds = [record["seconds"] for record in records if record["status"] == "done"]
    words = f"{duration(sum(seconds))} in all finished runs, without the tests"
    return [f"device {listing(devices)}", *([words] if seconds else [])]


def _versions(records: Sequence[Record]) -> list[str]:
    names = dict.fromkeys(name for record in records for name in record["config"]["versions"])
    return [
        f"{name} {' and '.join(map(str, found))}"
        for name in names
        if (found := _values(record["config"]["versions"].get(name) for record in records))
    ]


def _values(values: Iterable[Any]) -> list[Any]:
    """Return the different values, sorted, without ``None``."""
    return sorted({value for value in values if value is not None})
