"""States of Avalanche's evaluation plugin and its metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .reader import Reader
from .writer import KnownObjects, Writer, has_state

__all__ = ["evaluator_state", "load_evaluator"]


def evaluator_state(evaluator: Any, known: KnownObjects) -> dict[str, Any]:
    """Return the results that an evaluator has collected, and the states of its metrics.

    Pictures are left out. Loggers have no state: their files go on.

    :param evaluator: Avalanche's ``EvaluationPlugin``.
    :param known: objects that have their own place in the state.
    """
    return {
        "last": {name: v for name, v in evaluator.last_metric_results.items() if _is_plain(v)},
        "all": {
            name: [
                (int(x), v if not isinstance(v, Tensor) else v.detach().clone())
                for x, v in zip(xs, values, strict=True)
                if _is_plain(v)
            ]
            for name, (xs, values) in evaluator.all_metric_results.items()
        },
        "metrics": {name: _of_metric(metric, known) for name, metric in _metrics(evaluator)},
    }


def load_evaluator(
    evaluator: Any, state: Mapping[str, Any], model: nn.Module, device: torch.device
) -> None:
    """Restore the state of :func:`evaluator_state`.

    Metrics that the saved evaluator did not have begin anew.

    :param evaluator: evaluator of the fresh strategy.
    :param state: state.
    :param model: model of the strategy.
    :param device: device of the strategy.
    """
    evaluator.last_metric_results = dict(state["last"])
    if evaluator.collect_all:
        evaluator.all_metric_results.clear()
        for name, points in state["all"].items():
            xs, values = evaluator.all_metric_results[name]
            xs += [x for x, _ in points]
            values += [value for _, value in points]
    for name, metric in _metrics(evaluator):
        own = state["metrics"].get(name)
        if own is None:
            continue
        reader = Reader(model, device, name)
        if "protocol" in own:
            metric.load_state_dict(reader.value(own["protocol"], None, name))
        else:
            reader.attributes(metric, own["attributes"])


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float | str | Tensor)


def _metrics(evaluator: Any) -> Iterator[tuple[str, Any]]:
    """Yield the metrics with names: the class, and its number among those of the class."""
    counts: dict[str, int] = {}
    for metric in evaluator.metrics:
        kind = type(metric).__qualname__
        counts[kind] = counts.get(kind, 0) + 1
        yield f"{kind} {counts[kind]}", metric


def _of_metric(metric: Any, known: KnownObjects) -> dict[str, Any]:
    name = type(metric).__name__
    if has_state(metric):
        return {"protocol": Writer(known, name).value(metric.state_dict(), name, 0)}
    return {"attributes": Writer(known, name).attributes(metric)}
