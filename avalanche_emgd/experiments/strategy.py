"""The strategy of a run, from its configuration."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import torch
from avalanche.core import BasePlugin
from avalanche.training.plugins import EvaluationPlugin
from avalanche.training.templates import SupervisedTemplate

from ..benchmarks import ParallelBenchmark
from ..models import make_model
from ..training import MultiGradientTemplate
from ..training.crops_and_flips import check_augmentable
from ..training.data_checks import check_takes_numbers
from ..training.ingredients import Augmentation, MemoryAugmentationPlugin
from ..training.methods import make_method
from .config import RunConfig
from .data import DATA
from .optimizers import make_optimizer

__all__ = ["make_strategy"]


def make_strategy(
    config: RunConfig,
    evaluator: EvaluationPlugin,
    plugins: list[BasePlugin],
    benchmark: ParallelBenchmark | None = None,
) -> SupervisedTemplate:
    """Make model, optimizer and strategy of a run, after setting all seeds.

    :param benchmark: benchmark of the run; if omitted, the shapes are those of a possible one.
    :raises ValueError: if the method does not take its settings, or the model does not fit the
        data.
    """
    settings, data = config.resolved(), DATA[config.benchmark]
    # Methods of users may draw from any of these generators.
    random.seed(config.seed)
    np.random.seed(config.seed % 2**32)  # noqa: NPY002
    torch.manual_seed(config.seed)
    num_classes = outputs = data.sizes.num_classes or 10
    shape = data.shape
    if benchmark is not None:
        num_classes = sum(map(len, benchmark.label_sets))
        outputs, shape = benchmark.num_classes, benchmark.input_shape
    if config.augment and (benchmark is not None or shape is not None):
        check_augmentable(shape or ())
    name = settings.model or data.model
    if shape is None and ":" in name:
        name = "mlp"  # a user's model need not take inputs of the assumed shape
    if benchmark is not None and ":" not in name:
        check_takes_numbers(name, benchmark.input_kinds.test[0])
    model = make_model(name, outputs, shape or (3, 32, 32))
    if config.channels_last:
        if all(parameter.ndim != 4 for parameter in model.parameters()):
            raise ValueError("`channels_last` is for convolutional models: leave it out.")
        model = model.to(memory_format=torch.channels_last)
    strategy = make_method(
        config.method,
        model,
        config.settings,
        optimizer=make_optimizer(
            config.optimizer, model, float(settings.learning_rate or 0.0), config.weight_decay
        ),
        memory_size=int(settings.memory_per_class or 0) * num_classes,
        seed=config.seed,
        device=config.device,
        evaluator=evaluator,
        plugins=plugins,
    )
    _check_augmentation(config, getattr(strategy, "memory_augmentation", None), shape)
    if config.precision is not None:
        if not isinstance(strategy, MultiGradientTemplate):
            raise ValueError(
                f"`precision` is for strategies made from MultiGradientTemplate, and "
                f"{config.method!r} is {type(strategy).__name__}: leave it out."
            )
        strategy.use_precision(config.precision)
    return strategy


def _check_augmentation(
    config: RunConfig, plugin: MemoryAugmentationPlugin | None, shape: Sequence[int] | None
) -> None:
    """Check that the replayed images of a run can be augmented as its method's settings say.

    :param plugin: plugin of the strategy; ``None`` without augmentation.
    :param shape: shape of an input; ``None`` if it is not known yet.
    """
    if plugin is None:
        return
    if shape is not None:
        plugin.check(shape)
    own = plugin.augmentation
    may_flip = DATA[config.benchmark].flips and not config.no_flip
    if isinstance(own, Augmentation) and own.flip and not may_flip:
        raise ValueError(
            "`memory_augmentation` mirrors images, but mirror images of this run's data are of "
            f"other classes: give {{padding: {own.padding}, flip: false}}."
        )
