"""The schema of records; a record that violates it is refused when it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .._text_files import check_text, excerpt
from ..benchmarks.limits import MOST_TICKS
from .trace import LARGEST

__all__ = ["FIGURES", "IDENTITY", "check_record"]

IDENTITY = ("method", "scenario", "benchmark", "label_set", "timeline", "seed")
"""Fields that identify a run."""

FIGURES = ("A_e", "A_ebar", "F_ebar", "ticks", "seconds", "ticks_per_second", "peak_memory_mb")
"""Fields with the figures of a finished run."""

_MOST_INT = 2**63 - 1  # of a column of the table

Check = Callable[[Any, str], None]


def check_record(record: Any) -> None:
    """Check that a record has all fields, of the right kinds and in range.

    :param record: content of a file among the records.
    :raises ValueError: if a field is missing or wrong; the message names it.
    """
    _mapping(record, "the record")
    _fields(record, "", _HEAD)
    done = record["status"] == "done"
    if (record["label_set"] is None) != (record["timeline"] is None):
        raise ValueError("`label_set` and `timeline` must both be given, or neither")
    _field(record, "", "error", _nothing if done else _text)
    if done:
        _fields(record, "", _DONE)
    config = record["config"]
    _fields(config, "config.", _CONFIG)
    for name, check in _OPTIONAL.items():
        if config.get(name) is not None:
            check(config[name], f"config.{name}")
    for name in IDENTITY[1:]:
        if config.get(name, record[name]) != record[name]:
            raise ValueError(
                f"`config.{name}` is {excerpt(config[name])}, but `{name}` {excerpt(record[name])}"
            )
    if record["label_set"] is not None and config.get("protocol") is None:
        raise ValueError("`config.protocol` is missing beside `label_set`")


def _fields(holder: Mapping[str, Any], prefix: str, checks: Mapping[str, Check]) -> None:
    for name, check in checks.items():
        _field(holder, prefix, name, check)


def _field(holder: Mapping[str, Any], prefix: str, name: str, check: Check) -> None:
    if name not in holder:
        raise ValueError(f"`{prefix}{name}` is missing")
    check(holder[name], prefix + name)


def _must(holds: bool, name: str, what: str, value: Any) -> None:
    if not holds:
        raise ValueError(f"`{name}` must be {what}, found {excerpt(value)}")


def _nothing(value: Any, name: str) -> None:
    _must(value is None, name, "null", value)


def _text(value: Any, name: str) -> None:
    _must(isinstance(value, str), name, "text", value)
    check_text(value, f"`{name}`")


def _name(value: Any, name: str) -> None:
    _text(value, name)
    _must(bool(value), name, "text that is not empty", value)


def _mapping(value: Any, name: str) -> None:
    _must(isinstance(value, dict), name, "a mapping", value)


def _one_of(*choices: str) -> Check:
    def check(value: Any, name: str) -> None:
        known = isinstance(value, str) and value in choices
        _must(known, name, " or ".join(map(repr, choices)), value)

    return check


def _whole(low: int, high: int) -> Check:
    def check(value: Any, name: str) -> None:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        _must(is_whole and low <= value <= high, name, f"a whole number in {low}..{high}", value)

    return check


def _number(low: float, high: float) -> Check:
    def check(value: Any, name: str) -> None:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        _must(is_number and low <= value <= high, name, f"a number in [{low:g}, {high:g}]", value)

    return check


def _or_nothing(check: Check) -> Check:
    def checked(value: Any, name: str) -> None:
        if value is not None:
            check(value, name)

    return checked


def _list_of(entry: Check, least: int = 0) -> Check:
    def check(value: Any, name: str) -> None:
        holds = isinstance(value, list) and len(value) >= least
        _must(holds, name, f"a list of at least {least} entries" if least else "a list", value)
        for index, each in enumerate(value):
            entry(each, f"{name}[{index}]")

    return check


def _pair_of(first: Check, second: Check) -> Check:
    def check(value: Any, name: str) -> None:
        _must(isinstance(value, list) and len(value) == 2, name, "a list of two entries", value)
        first(value[0], f"{name}[0]")
        second(value[1], f"{name}[1]")

    return check


def _map_to(entry: Check) -> Check:
    def check(value: Any, name: str) -> None:
        _mapping(value, name)
        for key, each in value.items():
            check_text(key, f"a key of `{name}`")
            entry(each, f"{name}.{key}")

    return check


def _span(value: Any, name: str) -> None:
    _pair_of(_TICK, _TICK)(value, name)
    _must(value[0] <= value[1], name, "a first and a last tick", value)


def _tasks(value: Any, name: str) -> None:
    _list_of(_task, 1)(value, name)


def _task(value: Any, name: str) -> None:
    _mapping(value, name)
    _fields(value, f"{name}.", _TASK)


_SHARE = _number(0.0, 1.0)
_TICK = _whole(0, MOST_TICKS)
_MAYBE_INDEX = _or_nothing(_whole(0, 2**31 - 1))
_COST = _number(0.0, 1e15)
_HEAD: dict[str, Check] = {
    "method": _name,
    "scenario": _one_of("task", "class"),
    "benchmark": _name,
    "label_set": _MAYBE_INDEX,
    "timeline": _MAYBE_INDEX,
    "seed": _whole(0, _MOST_INT),
    "status": _one_of("done", "failed"),
    "config": _mapping,
}
_TASK: dict[str, Check] = {
    "name": _text,
    "classes": _list_of(_whole(0, _MOST_INT)),
    "span": _span,
    "at_end": _SHARE,
    "final": _SHARE,
    "curve": _list_of(_pair_of(_TICK, _SHARE)),
}
_TRACE = _map_to(_list_of(_pair_of(_TICK, _number(-LARGEST, LARGEST)), 1))
_DONE: dict[str, Check] = {
    "A_e": _SHARE,
    "A_ebar": _SHARE,
    "F_ebar": _number(-1.0, 1.0),
    "ticks": _whole(1, MOST_TICKS),
    "seconds": _COST,
    "ticks_per_second": _COST,
    "peak_memory_mb": _COST,
    "tasks": _tasks,
    "trace": _map_to(_TRACE),
}
_CONFIG: dict[str, Check] = {
    "method": _name,
    "settings": _mapping,
    "device": _name,
    "versions": _map_to(_text),
}


def _flag(value: Any, name: str) -> None:
    _must(isinstance(value, bool), name, "true or false", value)


_WHOLE = _whole(0, _MOST_INT)
_FINITE = _number(-LARGEST, LARGEST)
# Missing in the records of earlier versions, or null.
_OPTIONAL: dict[str, Check] = {
    **dict.fromkeys(("name", "data_root", "protocol", "model", "precision"), _text),
    **dict.fromkeys(("label_column", "task_column", "test_table"), _text),
    **dict.fromkeys(("download", "augment", "channels_last", "raw_features"), _flag),
    "feature_columns": _list_of(_text),
    "test_share": _SHARE,
    **dict.fromkeys(
        ("num_tasks", "batch_size", "memory_per_class", "eval_every", "threads"), _WHOLE
    ),
    **dict.fromkeys(("overlap", "learning_rate"), _FINITE),
}
