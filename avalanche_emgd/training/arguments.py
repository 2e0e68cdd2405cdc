"""Checks of a strategy's arguments, before any work starts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from avalanche.benchmarks.scenarios import CLScenario
from avalanche.training.plugins import EvaluationPlugin
from torch import nn
from torch.optim import Optimizer

from .._numbers import check_whole
from ..distributed.placement import make_placement
from ..gradients import GradientEngine
from .nonfinite import check_on_nonfinite

if TYPE_CHECKING:
    from .options import StrategyOptions

__all__ = ["check_kinds", "check_options", "check_plugins", "check_stream", "refuse_class"]


def refuse_class(name: str, value: Any) -> None:
    """Raise an error for a class in the place of an instance.

    :param name: name of the argument, for error messages.
    :param value: value of the argument.
    :raises TypeError: if ``value`` is a class; the message names the class and the remedy.
    """
    if isinstance(value, type):
        raise TypeError(
            f"`{name}` must be an object, found the class {value.__name__}: call it, as in "
            f"{name}={value.__name__}(...)."
        )


def check_kinds(arguments: Mapping[str, Any]) -> None:
    """Check the types of a strategy's arguments.

    :param arguments: values by name of the argument; omitted arguments may be missing.
    :raises TypeError: if an argument has a wrong type; the message names it and its value.
    """
    for name, kind, words in (
        ("model", nn.Module, "a torch.nn.Module"),
        ("optimizer", Optimizer, "a torch optimizer, such as torch.optim.Adam(model.parameters())"),
    ):
        if name in arguments:
            refuse_class(name, arguments[name])
            _check(name, arguments[name], isinstance(arguments[name], kind), words)
    criterion = arguments.get("criterion")
    if criterion is not None:
        refuse_class("criterion", criterion)
        _check("criterion", criterion, callable(criterion), "a loss of outputs and targets")
    evaluator = arguments.get("evaluator")
    if evaluator is not None and not callable(evaluator):
        right = isinstance(evaluator, EvaluationPlugin)
        _check("evaluator", evaluator, right, "an EvaluationPlugin, or None for none")
    check_plugins(arguments.get("plugins"))


def check_plugins(plugins: Any) -> None:
    """Check that plugins are a list of instances.

    :raises TypeError: if ``plugins`` is not such a list; the message names the value.
    """
    if plugins is None:
        return
    refuse_class("plugins", plugins)
    right = isinstance(plugins, list | tuple)
    _check("plugins", plugins, right, "a list of plugins, such as [EWCPlugin(0.4)]")
    for position, plugin in enumerate(plugins):
        refuse_class(f"plugins[{position}]", plugin)
        _check(f"plugins[{position}]", plugin, not isinstance(plugin, str), "a plugin")


def check_stream(experiences: Any, stream: str) -> None:
    """Check that the argument ``experiences`` is not a whole benchmark.

    :param experiences: value of the argument.
    :param stream: name of the expected stream, for the error message.
    :raises TypeError: if ``experiences`` is a benchmark; the message names the remedy.
    """
    if isinstance(experiences, CLScenario):
        raise TypeError(
            f"`experiences` must be a stream or an experience, found a benchmark: give "
            f"benchmark.{stream}."
        )


def _check(name: str, value: Any, right: bool, words: str) -> None:
    if not right:
        raise TypeError(f"`{name}` must be {words}, found {value!r}.")


def check_options(weighting: Any, options: StrategyOptions) -> None:
    """Check the weighting and the options of a strategy, apart from Avalanche's own.

    :param weighting: value of the argument of the same name.
    :param options: all options.
    :raises TypeError: if a value has a wrong type; the message names the option and the value.
    :raises ValueError: if a value is out of range, or contradicts another one.
    """
    _check_sizes(options)
    check_plugins(options["plugins"])
    check_on_nonfinite(options["on_nonfinite"])
    if options["on_nonfinite"] == "skip" and options["distributed"] is not None:
        raise ValueError("`on_nonfinite` 'skip' is for one process: leave out `distributed`.")
    if options["memory_editing"] is not None and not options["memory_size"]:
        raise ValueError("`memory_editing` needs a replay memory: give `memory_size`, too.")
    engine = options["engine"]
    for name, value in (("weighting", weighting), ("engine", engine)):
        refuse_class(name, value)
    words = "a callable from the Gramian [n, n] to weights [n]"
    _check("weighting", weighting, callable(weighting), words)
    is_engine = engine is None or isinstance(engine, GradientEngine)
    _check("engine", engine, is_engine, "a GradientEngine")
    if options["distributed"] is not None:
        make_placement(options["distributed"])


def _check_sizes(options: StrategyOptions) -> None:
    for name, value, low in (
        ("memory_size", options["memory_size"], 0),
        ("train_mb_size", options["train_mb_size"], 1),
        ("train_epochs", options["train_epochs"], 1),
        ("eval_mb_size", options["eval_mb_size"], 1),
    ):
        if value is not None:
            check_whole(name, value, low)
