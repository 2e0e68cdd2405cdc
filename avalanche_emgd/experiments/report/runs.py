"""Finished runs of a study, by scenario, method and block."""

from __future__ import annotations

from collections.abc import Iterable

from ..records import Record

__all__ = [
    "SCENARIOS",
    "Block",
    "Runs",
    "block_order",
    "common_blocks",
    "finished_runs",
    "scenarios_of",
]

SCENARIOS = ("class", "task")
"""Scenarios in the order of reports."""

Block = tuple["int | None", "int | None", int]
"""Label set, time line (``None`` without a protocol) and seed: the runs of a pair share them."""

Runs = dict[str, dict[Block, Record]]
"""Records of finished runs of one scenario, by the label of the method and by block."""


def finished_runs(records: Iterable[Record], scenario: str) -> Runs:
    """Sort the finished runs of a scenario.

    :param records: records of a study, in any order.
    :param scenario: scenario, ``"task"`` or ``"class"``.
    :raises ValueError: if two records are of the same method in the same block.
    """
    runs: Runs = {}
    for record in records:
        if record["scenario"] != scenario or record["status"] != "done":
            continue
        block = (record["label_set"], record["timeline"], record["seed"])
        of_method = runs.setdefault(record["method"], {})
        if block in of_method:
            raise ValueError(
                f"`directory` holds two runs of {record['method']!r} with the same scenario, label "
                f"set, time line and seed ({scenario}, {block[0]}, {block[1]}, {block[2]}), but "
                "other settings. Remove the records of one of them, or give it a name of its own."
            )
        of_method[block] = record
    return runs


def scenarios_of(records: Iterable[Record]) -> tuple[str, ...]:
    """Return the scenarios that have finished runs, in the order of :data:`SCENARIOS`."""
    found = {record["scenario"] for record in records if record["status"] == "done"}
    return tuple(scenario for scenario in SCENARIOS if scenario in found)


def block_order(block: Block) -> tuple[int, int, int]:
    """Return a key that sorts blocks by label set, time line and seed."""
    label_set, timeline, seed = block
    return -1 if label_set is None else label_set, -1 if timeline is None else timeline, seed


def common_blocks(runs: Runs) -> tuple[Block, ...]:
    """Return the blocks in which all methods are done, in order."""
    if not runs:
        return ()
    return tuple(sorted(set.intersection(*map(set, runs.values())), key=block_order))
