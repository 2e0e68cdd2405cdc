"""The training loop of all multi-gradient strategies: tick → objectives → gradients → weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor, nn
from torch.nn import CrossEntropyLoss
from torch.optim import Optimizer
from typing_extensions import Unpack

from .._options import with_defaults
from ..benchmarks import SegmentExperience
from ..benchmarks.live import LiveSegment
from ..benchmarks.parallel import ParallelBenchmark
from ..distributed import Placement, Processes
from ..distributed.launcher import PlacementName
from ..distributed.randomness import share_random_states
from ..gradients import FusedEngine, GradientEngine
from ..optim.peers.gradient_state import GradientStateWeighting
from .arguments import check_options
from .gradient_space import GradientSpace, positions_of
from .ingredients import specs
from .ingredients.augmentation import MemoryAugmentationPlugin
from .ingredients.competition import CurrentClasses
from .memory import ReplayMemory
from .nonfinite import NonFinite
from .options import StrategyOptions
from .own_plugins import own_plugins
from .plugins import (
    MemoryEditingPlugin,
    MemoryObjectives,
    MultiGradientPlugin,
    ReplayMemoryPlugin,
)
from .precision import Precision, make_precision
from .replicas import check_experience, kept_alike, watched
from .several_processes import ask_to_stop, share_objectives
from .single_sample_batches import check_drawn, check_replay, check_replayed_minibatches
from .state.settings import described, settings_of
from .tested_model import TestedModel
from .tick import Tick
from .tick_template import TickTemplate
from .weighting_probe import most_tasks, probe_weighting

__all__ = ["MultiGradientTemplate"]

_DEFAULT_MB_SIZE = 32  # on ordinary Avalanche benchmarks, where nothing else says how large


class MultiGradientTemplate(TickTemplate):
    """Base of strategies that combine one gradient per objective.

    At each tick every active task, and the replay memory, is one objective. The template computes a
    gradient for each, and the Gramian of the gradients. The weighting gives their weights, and the
    optimizer follows the weighted sum. Strategies differ in the weighting and the plugins that they
    bring. It trains on parallel benchmarks and on ordinary Avalanche ones; the benchmark's scenario
    decides which logits are masked, in training, replay and evaluation.

    Plugins see the tick between Avalanche's ``before_backward`` and ``after_backward``. They may
    replace :attr:`objective_gradients`, :attr:`gramian` and, from ``after_weighting`` on,
    :attr:`weights`.

    Subclasses override :meth:`objective_loss`, :meth:`weigh`, :meth:`combine` (the update),
    :meth:`make_memory` and :meth:`make_replay`. These win over the options that say the same.

    ``loss`` is the mean of the objectives' losses. The gradient of terms that plugins add to it,
    such as that of EWC, is added to the weighted sum. A factor by which plugins multiply it scales
    the weighted sum.

    :param model: any module; Avalanche's multi-task modules get the task labels.
    :param optimizer: optimizer of the model's parameters.
    :param weighting: function from the Gramian ``[n, n]`` to weights ``[n]``: any TorchJD weighting
        of Gramians. An :class:`~avalanche_emgd.optim.ObjectiveWeighting` receives the objective of
        each row.

    The other parameters are those of :class:`StrategyOptions`.
    """

    PLUGIN_CLASS = MultiGradientPlugin

    def __init__(
        self,
        model: nn.Module,
        *,
        optimizer: Optimizer,
        weighting: Callable[[Tensor], Tensor],
        **options: Unpack[StrategyOptions],
    ) -> None:
        chosen = with_defaults(StrategyOptions, options, f"{type(self).__name__}.__init__")
        memory_size, train_mb_size = chosen["memory_size"], chosen["train_mb_size"]
        check_options(weighting, chosen)
        plugins = list(chosen["plugins"] or [])
        # Before the evaluator is made, whose loggers are those of process 0.
        self.processes = None if chosen["distributed"] is None else Processes.join(chosen["device"])
        """Processes that train together; ``None`` without ``distributed``."""
        self.memory: ReplayMemory | None = None
        """Replay memory, if there is one."""
        self.replay: ReplayMemoryPlugin | None = None
        """Plugin that draws from the memory; ``None`` without one."""
        self.memory_loss = specs.make_memory_loss(chosen["memory_loss"])
        """Loss of the memory's objectives; that of the labels if ``None``."""
        self.competition = specs.make_competition(chosen["competition"])
        """Loss of the active tasks; that of the labels if ``None``."""
        self.memory_selection = specs.make_selection(chosen["memory_selection"])
        """Selection of what the memory keeps."""
        self.memory_retrieval = specs.make_retrieval(chosen["memory_retrieval"])
        """Retrieval of what is replayed."""
        augmentation = specs.make_augmentation(chosen["memory_augmentation"])
        self.memory_augmentation: MemoryAugmentationPlugin | None = None
        """Plugin that augments replayed samples; ``None`` without augmentation or memory."""
        averaged = specs.make_tested_weights(chosen["tested_weights"])
        self.averaged_weights = None if averaged is None else averaged.make_plugin()
        """Average of the weights; ``None`` if tests use the trained model."""
        self._tested_model = TestedModel(self.averaged_weights)
        self._current_classes = CurrentClasses()
        if memory_size:
            self.memory = self.make_memory(memory_size, chosen["seed"])
            self.replay = self.make_replay(self.memory, chosen["memory_objectives"])
            if augmentation is not None:
                self.memory_augmentation = MemoryAugmentationPlugin(augmentation, chosen["seed"])
        self.memory_editing: MemoryEditingPlugin | None = None
        """Plugin that edits the memory; ``None`` without editing."""
        if self.memory is not None and chosen["memory_editing"] is not None:
            self.memory_editing = MemoryEditingPlugin(self.memory, chosen["memory_editing"])
        super().__init__(
            model=model,
            optimizer=optimizer,
            criterion=CrossEntropyLoss() if chosen["criterion"] is None else chosen["criterion"],
            train_mb_size=_DEFAULT_MB_SIZE if train_mb_size is None else train_mb_size,
            train_epochs=chosen["train_epochs"],
            eval_mb_size=chosen["eval_mb_size"],
            device=chosen["device"],
            plugins=own_plugins(self, model, weighting, plugins) + plugins,
            evaluator=chosen["evaluator"],
            eval_every=chosen["eval_every"],
            peval_mode=chosen["peval_mode"],
        )
        engine = chosen["engine"]
        self.engine: GradientEngine = FusedEngine() if engine is None else engine
        self.space = GradientSpace(model, chosen["shared"])
        """Space of the trained parameters; made anew before each experience."""
        self.weighting = weighting
        self._probed: object = None
        self._settings = settings_of(self, chosen)
        self.use_precision(chosen["precision"])
        if chosen["distributed"] is not None:
            self.use_processes(chosen["distributed"])
        self.nonfinite = NonFinite(chosen["on_nonfinite"])
        """Objectives that were left out, with ``on_nonfinite="skip"``."""
        self._own_memory_mb_size = train_mb_size
        self.now = Tick()
        """The current tick, or the last one."""

    def use_precision(self, precision: Precision | None) -> None:
        """Forward in another precision from now on; see the parameter of the same name.

        :raises ValueError: if it is unknown, or float16 while the memory is edited.
        """
        self.precision = make_precision(precision, edits=self.memory_editing is not None)
        self._settings["precision"] = described(precision)

    def use_processes(self, placement: Placement | PlacementName) -> None:
        """Train on several processes from now on; see the parameter ``distributed``.

        Metrics are computed on all processes and logged by process 0.

        :param placement: placement of the samples, or its name.
        :raises ValueError: if the placement is unknown, or the process group does not fit.
        """
        share_objectives(self, placement)

    def train(self, experiences: Any, eval_streams: Any = None, **kwargs: Any) -> Any:
        """Train on a stream or an experience, see Avalanche's ``BaseTemplate``.

        :raises TypeError: for a whole benchmark.
        :raises ValueError: before any training, for unusable data, minibatches too small for the
            model, or a weighting that does not give one finite weight for each objective.
        """
        if self._probed is not self.weighting and type(self).weigh is MultiGradientTemplate.weigh:
            probe_weighting(self.weighting, most_tasks(experiences))
            self._probed = self.weighting
        with kept_alike(self):
            return super().train(experiences, eval_streams, **kwargs)

    def stop_training(self) -> None:
        """Stop before the next tick; all processes stop together if one of them asks."""
        ask_to_stop(self)

    def _continue(self, state: Mapping[str, Any]) -> None:
        super()._continue(state)
        if self.processes is not None:
            # The state has those of the GPUs of process 0.
            share_random_states(self.processes)

    def _check_distributed_training_compatibility(self) -> bool:
        """Check plugins, which see whole ticks on each process and need not know of the others."""
        return self.processes is not None or super()._check_distributed_training_compatibility()

    def eval(self, experiences: Any, **kwargs: Any) -> Any:
        """Test on a stream or an experience, see Avalanche's ``BaseTemplate``.

        ``model`` is :attr:`tested_model` while the test lasts, and the trained model otherwise.

        :raises TypeError: for a whole benchmark.
        """
        with watched(self), self._tested_model.in_place(self):
            return super().eval(experiences, **kwargs)

    @property
    def tested_model(self) -> nn.Module:
        """Model that tests use; its weights are those that ``tested_weights`` says."""
        return self._tested_model.of(self.model)

    def model_adaptation(self, model: nn.Module | None = None) -> nn.Module:
        """Grow Avalanche's dynamic modules; in tests, first those of the trained model.

        :param model: model in place of the strategy's.
        """
        adapted = self._tested_model.adapted(super().model_adaptation) if model is None else None
        return super().model_adaptation(model) if adapted is None else adapted

    @property
    def memory_mb_size(self) -> int:
        """Samples drawn from the memory at each tick."""
        if self._own_memory_mb_size is not None:
            return self._own_memory_mb_size
        if isinstance(self.experience, SegmentExperience):
            return self.experience.benchmark.batch_size
        return self.train_mb_size

    def make_memory(self, memory_size: int, seed: int) -> ReplayMemory:
        """Make the replay memory; called by the constructor."""
        return self.memory_selection.make_memory(memory_size, seed)

    def make_replay(self, memory: ReplayMemory, objectives: MemoryObjectives) -> ReplayMemoryPlugin:
        """Make the plugin that fills the memory and draws from it; called by the constructor."""
        return self.memory_retrieval.make_replay(memory, objectives)

    def _before_training_exp(self, **kwargs: Any) -> None:
        if self.memory is not None:
            self.memory.pre_adapt(self, self.experience)
        self._current_classes = CurrentClasses()
        super()._before_training_exp(**kwargs)
        self._make_space()
        check_experience(self.processes, self)
        self.engine.attach(self.model)
        check_drawn(self)

    def _make_space(self) -> None:
        """Make the space of the parameters as they are now, some of which may have grown."""
        before, replaced, self._replaced = self.space, self._replaced, {}
        self._take_parameters(replaced)
        grown = len(before.update) != len(self.space.update)
        if replaced or (grown and isinstance(self.experience, LiveSegment)):
            self._move_state(positions_of(before, self.space, replaced), before.num_shared)

    def _take_parameters(self, replaced: Mapping[int, nn.Parameter]) -> None:
        """Take parameters that have grown; the states of each follow apart from this."""
        self.space = self.space.renewed(self.model, replaced)

    def _move_state(self, positions: Tensor, num_shared: int) -> None:
        """Move what is kept of each parameter to where the parameter is now.

        :param positions: present positions of the former elements, ``[P_old]``.
        :param num_shared: former number of shared elements, which come first.
        """
        if isinstance(self.weighting, GradientStateWeighting):
            self.weighting.move_state(positions[:num_shared], self.space.num_shared)

    def _check_minibatches(self, experiences: Any) -> None:
        super()._check_minibatches(experiences)
        check_replayed_minibatches(self, experiences)

    def _check_replay(self, model: nn.Module, benchmark: ParallelBenchmark) -> None:
        check_replay(self, model, benchmark)

    def _held_classes(self) -> list[int]:
        return [] if self.memory is None else self.memory.classes

    def _num_replayed(self) -> int:
        return 0 if self.replay is None else len(self.replay.drawn)

    def classes_of(self, objectives: Iterable[str]) -> list[int]:
        """Class labels of tasks of the current experience, ascending.

        :param objectives: names of the tasks; one that is not of a task stands for all of them.
        """
        return self._current_classes.of([self.experience], objectives)

    def _release_tick(self) -> None:
        super()._release_tick()
        self.now.release()

    def _state_between_experiences(self) -> dict[str, Any]:
        state = super()._state_between_experiences()
        trained = self.model if self._tested_model.trained is None else self._tested_model.trained
        return {**state, "model": trained, "now": Tick(), "_current_classes": CurrentClasses()}
