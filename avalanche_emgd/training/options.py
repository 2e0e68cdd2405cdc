"""The keyword options of all multi-gradient strategies, each declared here only."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypedDict

import torch
from avalanche.core import BasePlugin
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.plugins.evaluation import default_evaluator

from .._options import Default
from ..distributed import Placement
from ..distributed.launcher import PlacementName
from ..gradients import GradientEngine
from .editing import EditingSpec
from .gradient_space import Shared
from .ingredients.specs import (
    AugmentationSpec,
    CompetitionSpec,
    MemoryLossSpec,
    RetrievalSpec,
    SelectionSpec,
    TestedWeightsSpec,
)
from .nonfinite import OnNonFinite
from .plugins import MemoryObjectives
from .precision import Precision

__all__ = ["StrategyOptions"]


class StrategyOptions(TypedDict, total=False):
    """Keyword options of :class:`MultiGradientTemplate` and all its subclasses.

    A subclass takes them as ``**options: Unpack[StrategyOptions]`` and passes them on.

    :param criterion: loss of outputs and targets of one objective, a scalar; cross-entropy if
        omitted.
    :param memory_size: capacity of the replay memory in samples; no memory if 0 or omitted.
    :param memory_objectives: objectives of the memory, ``"one"`` (the memory is one objective, the
        default) or ``"per-task"`` (each finished task is one), see
        :class:`~avalanche_emgd.training.plugins.ReplayMemoryPlugin`.
    :param memory_loss: loss of the memory's objectives: ``"labels"`` (the criterion, the default),
        ``"stored-logits"`` or :class:`~avalanche_emgd.training.ingredients.StoredLogits`,
        ``"stored-probabilities"`` or
        :class:`~avalanche_emgd.training.ingredients.StoredProbabilities`. A mapping has one of
        these names as ``"rule"``, and its settings. A callable ``(strategy, output, part) -> loss``
        takes masked outputs ``[b, K]`` and returns a scalar; ``strategy.label_loss(output, part)``
        is the loss of the labels.
    :param competition: loss of the current tasks: a share in [0, 1], 0 by default, of the
        cross-entropy over the classes of the tick's active tasks alone. An
        :class:`~avalanche_emgd.training.ingredients.Asymmetric` and a callable as for
        ``memory_loss`` are accepted, too.
    :param memory_selection: selection of what the memory keeps: ``"random"`` (the default),
        ``"gss"`` or a :class:`~avalanche_emgd.training.ingredients.MemorySelection`, such as
        :class:`~avalanche_emgd.training.ingredients.GSS`.
    :param memory_retrieval: retrieval of what is replayed: ``"random"`` (the default), ``"mir"`` or
        a :class:`~avalanche_emgd.training.ingredients.MemoryRetrieval`, such as
        :class:`~avalanche_emgd.training.ingredients.MIR`.
    :param memory_augmentation: augmentation of the replayed samples alone, new at each replay:
        ``"none"`` (the default), ``"crops-flips"`` or an
        :class:`~avalanche_emgd.training.ingredients.Augmentation`, or a callable from inputs
        ``[b, ...]`` to inputs of the same shape and type.
    :param tested_weights: weights that tests use: ``"last"`` (the default), ``"average"`` or
        :class:`~avalanche_emgd.training.ingredients.AveragedWeights`. Training is the same. For
        each of these options a mapping has the settings of the object it names.
    :param memory_editing: settings of :class:`~avalanche_emgd.training.editing.MemoryEditing`, a
        mapping of some of them, or the name of a rule; no editing if omitted. Editing needs a
        memory, and weights of the objectives.
    :param shared: module or parameters over which the Gramian is computed; all trained parameters
        if omitted. Other parameters follow the sum of the objectives' gradients, so that the
        classifier of one task follows the gradient of this task.
    :param engine: engine that computes the gradients. If omitted, it is a
        :class:`~avalanche_emgd.gradients.FusedEngine`, with one pass for all objectives if this
        gives the same gradients, and otherwise one pass for each.
    :param distributed: placement of the samples on the processes that ``torchrun`` has started:
        ``"auto"``, ``"by-objective"``, ``"by-sample"``, ``"even"`` or a
        :class:`~avalanche_emgd.distributed.Placement`. If omitted, each process trains by itself. A
        script that is started without ``torchrun`` trains in one process in either case.
    :param on_nonfinite: effect of a loss or gradient that is NaN or infinite: ``"stop"`` (the
        default) ends the run at that tick with the name of the objective. ``"skip"`` leaves the
        objective out of that tick, warns, and counts in ``strategy.nonfinite``.
    :param precision: type of the forward passes of training, ``"bfloat16"`` or ``"float16"``, see
        :class:`~avalanche_emgd.training.MixedPrecision`; the type of the parameters if omitted.
        Tests use the type of the parameters.
    :param train_mb_size: samples from memory at each tick, and of each task on ordinary benchmarks.
        If omitted, it is the ``batch_size`` of a parallel benchmark, and 32 on ordinary benchmarks.
        It does not change how many samples a task of a parallel benchmark delivers.
    :param train_epochs: passes over each experience, 1 by default.
    :param eval_mb_size: samples per evaluation step, 512 by default.
    :param seed: seed of the replay memory and of its augmentation, 0 by default.
    :param device: device that trains the model, ``"cpu"`` by default.
    :param plugins: list of Avalanche's plugins, called after the strategy's own.
    :param evaluator: metrics and loggers; Avalanche's default if omitted, no metrics if ``None``.
    :param eval_every: number of passes between two evaluations, see Avalanche's
        ``SupervisedTemplate``, −1 by default.
    :param peval_mode: unit of ``eval_every``, see Avalanche's ``SupervisedTemplate``, ``"epoch"``
        by default.
    """

    criterion: Annotated[Any, Default(None)]
    memory_size: Annotated[int | None, Default(None)]
    memory_objectives: Annotated[MemoryObjectives, Default("one")]
    memory_loss: Annotated[MemoryLossSpec, Default("labels")]
    competition: Annotated[CompetitionSpec, Default(0.0)]
    memory_selection: Annotated[SelectionSpec, Default("random")]
    memory_retrieval: Annotated[RetrievalSpec, Default("random")]
    memory_augmentation: Annotated[AugmentationSpec, Default("none")]
    tested_weights: Annotated[TestedWeightsSpec, Default("last")]
    memory_editing: Annotated[EditingSpec | None, Default(None)]
    shared: Annotated[Shared | None, Default(None)]
    engine: Annotated[GradientEngine | None, Default(None)]
    distributed: Annotated[Placement | PlacementName | None, Default(None)]
    on_nonfinite: Annotated[OnNonFinite, Default("stop")]
    precision: Annotated[Precision | None, Default(None)]
    train_mb_size: Annotated[int | None, Default(None)]
    train_epochs: Annotated[int, Default(1)]
    eval_mb_size: Annotated[int, Default(512)]
    seed: Annotated[int, Default(0)]
    device: Annotated[str | torch.device, Default("cpu")]
    plugins: Annotated[Sequence[BasePlugin] | None, Default(None)]
    evaluator: Annotated[
        EvaluationPlugin | Callable[[], EvaluationPlugin] | None, Default(default_evaluator)
    ]
    eval_every: Annotated[int, Default(-1)]
    peval_mode: Annotated[str, Default("epoch")]
