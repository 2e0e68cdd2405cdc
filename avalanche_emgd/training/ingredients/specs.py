"""Values of the options of a strategy that are ingredients, and the objects they stand for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Literal

from torch import Tensor

from ..._near import did_you_mean
from ..._numbers import is_number
from ...benchmarks import Part
from ..arguments import refuse_class
from .augmentation import Augmentation
from .averaging import AveragedWeights
from .competition import Asymmetric
from .gss import GSS
from .mir import MIR
from .replay import MemoryRetrieval, MemorySelection
from .stored_logits import StoredLogits
from .stored_outputs import StoredOutputs
from .stored_probabilities import StoredProbabilities

__all__ = [
    "AugmentationSpec",
    "CompetitionSpec",
    "LossRule",
    "MemoryLossSpec",
    "RetrievalSpec",
    "SelectionSpec",
    "TestedWeightsSpec",
    "make_augmentation",
    "make_competition",
    "make_memory_loss",
    "make_retrieval",
    "make_selection",
    "make_tested_weights",
]

Names = Mapping[str, Callable[[], Any]]
_CALLABLE = "a callable (strategy, output, part)"
_MEMORY_LOSSES: dict[str, type[StoredOutputs]] = {
    "stored-logits": StoredLogits,
    "stored-probabilities": StoredProbabilities,
}

LossRule = Callable[[Any, Tensor, Part], Tensor]
"""``(strategy, output, part) -> loss``, a scalar, of masked outputs ``[b, K]`` of an objective."""
MemoryLossSpec = (
    Literal["labels", "stored-logits", "stored-probabilities"]
    | StoredOutputs
    | Mapping[str, Any]
    | LossRule
)
CompetitionSpec = float | Asymmetric | Mapping[str, Any] | LossRule
SelectionSpec = Literal["random", "gss"] | MemorySelection | Mapping[str, Any]
RetrievalSpec = Literal["random", "mir"] | MemoryRetrieval | Mapping[str, Any]
AugmentationSpec = (
    Literal["none", "crops-flips"] | Augmentation | Mapping[str, Any] | Callable[[Tensor], Tensor]
)
TestedWeightsSpec = Literal["last", "average"] | AveragedWeights | Mapping[str, Any]


def make_memory_loss(spec: MemoryLossSpec) -> LossRule | None:
    """Make the loss of the memory's objectives; ``None`` for that of the labels.

    :raises ValueError: names ``memory_loss`` and the value, if it is none of the option's.
    """
    refuse_class("memory_loss", spec)
    if isinstance(spec, Mapping):
        return _memory_loss_of(spec)
    names: Names = {"labels": lambda: None, **_MEMORY_LOSSES}
    if isinstance(spec, str) and spec in names:
        named: LossRule | None = names[spec]()
        return named
    if callable(spec):
        return spec
    raise ValueError(
        f"`memory_loss` must be {', '.join(map(repr, names))}, a mapping with one of the last two "
        f"as its `rule`, or {_CALLABLE}, found {spec!r}.{did_you_mean(spec, names)}"
    )


def _memory_loss_of(spec: Mapping[str, Any]) -> LossRule:
    settings = dict(spec)
    rule = settings.pop("rule", None)
    if not isinstance(rule, str) or rule not in _MEMORY_LOSSES:
        raise ValueError(
            f"`memory_loss` must have a `rule` beside its settings, "
            f"{' or '.join(map(repr, _MEMORY_LOSSES))}, found {dict(spec)!r}."
            f"{did_you_mean(rule, _MEMORY_LOSSES)}"
        )
    kind = _MEMORY_LOSSES[rule]
    made: LossRule = kind(**_checked("memory_loss", settings, kind))
    return made


def make_competition(spec: CompetitionSpec) -> LossRule | None:
    """Make the loss of the current tasks; ``None`` where all classes compete alike.

    :raises ValueError: names ``competition`` and the value, if it is none of the option's.
    """
    if is_number(spec):
        return Asymmetric(float(spec)) if spec != 0.0 else None  # type: ignore[arg-type]
    words = f"a share in [0, 1], {_CALLABLE}"
    found: LossRule = _made("competition", spec, Asymmetric, {}, words)
    return found


def make_selection(spec: SelectionSpec) -> MemorySelection:
    """Make the selection of what the memory keeps.

    :raises ValueError: names ``memory_selection`` and the value, if it is none of the option's.
    """
    names = {"random": MemorySelection, "gss": GSS}
    found: MemorySelection = _made("memory_selection", spec, GSS, names, objects=MemorySelection)
    return found


def make_retrieval(spec: RetrievalSpec) -> MemoryRetrieval:
    """Make the retrieval of what is replayed.

    :raises ValueError: names ``memory_retrieval`` and the value, if it is none of the option's.
    """
    names = {"random": MemoryRetrieval, "mir": MIR}
    found: MemoryRetrieval = _made("memory_retrieval", spec, MIR, names, objects=MemoryRetrieval)
    return found


def make_augmentation(spec: AugmentationSpec) -> Augmentation | Callable[[Tensor], Tensor] | None:
    """Make the augmentation of replayed samples; ``None`` for none.

    :raises ValueError: names ``memory_augmentation`` and the value, if it is none of the option's.
    """
    names: Names = {"none": lambda: None, "crops-flips": Augmentation}
    words = "a callable from images [b, C, H, W] to images"
    found: Augmentation | Callable[[Tensor], Tensor] | None
    found = _made("memory_augmentation", spec, Augmentation, names, words)
    return found


def make_tested_weights(spec: TestedWeightsSpec) -> AveragedWeights | None:
    """Make the average of the weights that tests use; ``None`` for the last weights.

    :raises ValueError: names ``tested_weights`` and the value, if it is none of the option's.
    """
    names: Names = {"last": lambda: None, "average": AveragedWeights}
    found: AveragedWeights | None = _made("tested_weights", spec, AveragedWeights, names)
    return found


def _made(
    option: str,
    spec: Any,
    kind: type,
    names: Names,
    words: str = "",
    objects: type | None = None,
) -> Any:
    """Make what a name, or a mapping of settings, stands for; objects of a kind stay.

    :param kind: class whose settings a mapping has.
    :param names: meaning of each name.
    :param words: other values that the option takes, for the message; callables are among them.
    :param objects: class of the objects that the option takes; ``kind`` if omitted.
    """
    refuse_class(option, spec)
    if isinstance(spec, str) and spec in names:
        return names[spec]()
    if isinstance(spec, Mapping):
        return kind(**_checked(option, spec, kind))
    if isinstance(spec, objects or kind) or (words and callable(spec)):
        return spec
    choices = ", ".join([*map(repr, names), *([words] if words else []), f"{kind.__name__}(...)"])
    raise ValueError(
        f"`{option}` must be {choices} or a mapping of the settings of {kind.__name__}, found "
        f"{spec!r}.{did_you_mean(spec, names)}"
    )


def _checked(option: str, settings: Mapping[str, Any], kind: type) -> Mapping[str, Any]:
    known = list(inspect.signature(kind).parameters)
    for name in settings:
        if name not in known:
            raise ValueError(
                f"`{option}` has the unknown setting {name!r}.{did_you_mean(name, known)} "
                f"Settings of {kind.__name__} are {', '.join(known)}."
            )
    return settings
