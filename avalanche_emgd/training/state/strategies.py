"""The state of a strategy between two ticks, as plain values, and its restoration."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from torch import nn

from ..._text_files import excerpt, first_line
from ...benchmarks.live import LiveTickLoader
from ...benchmarks.origin import Origin
from ...distributed import DistributedEngine
from ...models import grow_like
from ..several_processes import will_stop
from .errors import StateError
from .evaluators import evaluator_state, load_evaluator
from .header import check_format
from .models import load_tensors, module_state
from .optimizers import load_optimizer, optimizer_state
from .plugins import load_plugins, plugin_states
from .random_states import random_states, restore_random_states
from .reader import Reader
from .settings import check_settings
from .weightings import load_weighting, weighting_state
from .writer import KnownObjects, Writer

__all__ = ["load_strategy", "strategy_state", "ticks_done"]

FORMAT = 1
"""Version of the layout of states; another number is refused."""

_MOST_LETTERS = 1000  # of a message

# Attributes that have their own entry in the state, or follow from others.
_APART = frozenset(
    (
        *("model", "optimizer", "plugins", "evaluator", "clock", "engine", "space", "weighting"),
        *("memory", "precision", "averaged_weights", "now", "device", "optimized_param_id"),
        *("_progress", "_class_mask", "_eval_mask", "_prepared", "_probed", "_settings"),
        *("_checked", "_tested_model", "_num_loaded", "_stop_training", "_replaced", "processes"),
    )
)
# Parts with `state_dict` and `load_state_dict`, which some strategies lack.
_PARTS = ("memory", "engine", "precision")


def strategy_state(strategy: Any) -> dict[str, Any]:
    """Return everything that the next tick of a strategy depends on, apart from the data.

    :param strategy: strategy between two ticks.
    :raises StateError: if a plugin holds samples of a data set.
    """
    known = _parts_of(strategy)
    state: dict[str, Any] = {
        "format": FORMAT,
        "strategy": type(strategy).__name__,
        "position": strategy._progress.state_dict(),
        "random": random_states(),
        "model": {**module_state(strategy.model), "attributes": _model_attributes(strategy, known)},
        "optimizer": optimizer_state(strategy.optimizer, strategy.model),
        "settings": dict(getattr(strategy, "_settings", {})),
        "is_optimizer_made": strategy.optimized_param_id is not None,
        "stops": will_stop(strategy),
        "class_mask": strategy._class_mask.state_dict(),
        "weighting": weighting_state(getattr(strategy, "weighting", None), known),
    }
    for name in _PARTS:
        part = getattr(strategy, name, None)
        state[name] = None if part is None else part.state_dict()
    engine = getattr(strategy, "engine", None)
    if isinstance(engine, DistributedEngine):
        state["processes"] = engine.common_state()
    averaged = getattr(strategy, "averaged_weights", None)
    state["averaged_weights"] = None if averaged is None else averaged.state_dict()
    state["plugins"] = plugin_states(strategy, known)
    state["evaluator"] = evaluator_state(strategy.evaluator, known)
    without = _APART | frozenset(strategy._state_between_experiences()) | strategy._derived
    state["attributes"] = Writer(known, "strategy").attributes(strategy, without)
    loader = strategy.dataloader
    if state["position"]["current"] is not None:
        state["position"]["samples"] = len(strategy.experience.dataset)
        state["loader"] = loader.state_dict() if hasattr(loader, "state_dict") else None
        state["epoch"] = strategy._progress.epoch
    elif strategy._progress.origin.is_live:
        # A live stream goes on after `train`, in which it was stopped or has ended.
        is_own = isinstance(loader, LiveTickLoader)
        state["loader"] = loader.state_dict() if is_own else strategy._progress.loader
    return state


def ticks_done(state: Mapping[str, Any]) -> int:
    """Return the number of ticks before a state was saved."""
    return int(state["plugins"]["Clock 1"]["attributes"]["train_iterations"])


def load_strategy(strategy: Any, state: Mapping[str, Any]) -> None:
    """Restore a state of :func:`strategy_state`, all but the position of the loader.

    :param strategy: strategy made with the arguments of the saved one.
    :param state: state, which is not changed and shares no tensors with the strategy afterwards.
    :raises StateError: if the state is damaged, of another strategy or of another release.
    """
    try:
        _check(strategy, state)
        _load(strategy, state)
    except StateError as error:
        if len(str(error)) > _MOST_LETTERS:  # a damaged state may have names of any length
            raise StateError(f"{str(error)[:_MOST_LETTERS]}…") from None
        raise
    except Exception as error:  # parts raise errors of all kinds for a damaged state
        words = first_line(error)[:300].rstrip(".")
        raise StateError(
            f"`state` does not fit the strategy: {type(error).__name__}: {words}."
        ) from error


def _load(strategy: Any, state: Mapping[str, Any]) -> None:
    model, device = strategy.model.to(strategy.device), strategy.device
    reader = Reader(model, device, "strategy")
    before = dict(model.named_parameters())
    if Origin.from_state(state["position"]["benchmark"]).is_live:
        grow_like(model, state["model"]["tensors"])
    load_tensors(model, state["model"]["tensors"])
    model.to(device).train()
    strategy.model = model
    after = dict(model.named_parameters())
    strategy._take_parameters(
        {id(old): after[n] for n, old in before.items() if n in after and after[n] is not old}
    )
    _load_model_attributes(model, device, state["model"]["attributes"])
    load_optimizer(strategy.optimizer, model, state["optimizer"])
    if state["is_optimizer_made"]:
        strategy.optimized_param_id = dict(model.named_parameters())
    strategy._stop_training = state["stops"]
    strategy._class_mask.load_state_dict(state["class_mask"])
    strategy._eval_mask = strategy._class_mask
    for name in ("memory", "precision"):
        if state[name] is not None:
            getattr(strategy, name).load_state_dict(state[name])
    _load_engine(strategy, state)
    if state["averaged_weights"] is not None:
        strategy.averaged_weights.load_state_dict(state["averaged_weights"], model)
    load_weighting(getattr(strategy, "weighting", None), state["weighting"], reader)
    load_plugins(strategy, state["plugins"], reader)
    load_evaluator(strategy.evaluator, state["evaluator"], model, device)
    reader.attributes(strategy, state["attributes"])
    restore_random_states(state["random"])
    strategy._progress.load_state_dict(state["position"])


def _load_engine(strategy: Any, state: Mapping[str, Any]) -> None:
    """Restore the engine; in as many processes as before, each has its own state again."""
    if state["engine"] is None:
        return
    engine, own = strategy.engine, state["engine"]
    if isinstance(engine, DistributedEngine):
        engines = state.get("engines", ())
        if len(engines) == engine.processes.size:
            own = engines[engine.processes.rank]
        if "processes" in state:
            engine.load_common_state(state["processes"], strategy.model)
    engine.load_state_dict(copy.deepcopy(own), strategy.model)


def _check(strategy: Any, state: Any) -> None:
    if not isinstance(state, Mapping) or not {"format", "strategy", "model"} <= set(state):
        raise StateError("`state` must be the result of `state_dict()` of a strategy.")
    check_format(state, FORMAT, "`state`")
    name = state["strategy"]
    if not isinstance(name, str) or name != type(strategy).__name__:
        words = excerpt(name).strip("'")
        raise StateError(
            f"`state` is of a {words}, but this is a {type(strategy).__name__}: make "
            "the strategy with the same arguments as the saved one."
        )
    check_settings(state.get("settings", {}), getattr(strategy, "_settings", {}))
    for name in (*_PARTS, "averaged_weights"):
        own = getattr(strategy, name, None)
        if (own is None) != (state[name] is None):
            which = "no" if own is None else "a"
            raise StateError(
                f"`state` is of a strategy that differs in `{name}`, of which this one has {which} "
                "object: make it with the same arguments as the saved one."
            )


def _parts_of(strategy: Any) -> KnownObjects:
    """Return objects that have their own entries, or no place in a state."""
    parts = [
        *(strategy, strategy.model, strategy.optimizer, strategy.evaluator, strategy.clock),
        *(strategy.experience, *strategy.plugins, *strategy.model.modules()),
        *(*strategy.model.parameters(), *strategy.model.buffers()),
        *(each for group in strategy.optimizer.param_groups for each in group["params"]),
        *(getattr(strategy, name, None) for name in (*_PARTS, "weighting", "averaged_weights")),
    ]
    weighting = getattr(strategy, "weighting", None)
    if isinstance(weighting, nn.Module):
        parts += weighting.modules()
    return KnownObjects(part for part in parts if part is not None)


def _model_attributes(strategy: Any, known: KnownObjects) -> dict[str, Any]:
    """Return plain attributes of the model's modules, such as the tasks of a head."""
    found = {}
    for name, module in strategy.model.named_modules():
        attributes = Writer(known.copy(), f"model.{name}").attributes(module)
        if attributes:
            found[name] = attributes
    return found


def _load_model_attributes(model: nn.Module, device: Any, states: Mapping[str, Any]) -> None:
    modules = dict(model.named_modules())
    for name, state in states.items():
        Reader(model, device, f"model.{name}").attributes(modules[name], state)
