"""Avalanche's supervised training, tick by tick, on parallel and ordinary benchmarks."""

from __future__ import annotations

from typing import Any

from avalanche.training.templates import SupervisedTemplate
from avalanche.training.templates.base import BaseTemplate
from torch import Tensor, nn

from ..benchmarks import SegmentExperience, SerialTickLoader, TickBatch, TickLoader
from ..benchmarks.experience import objective_names
from ..benchmarks.live import LiveBenchmark, LiveSegment, LiveStream, LiveTickLoader
from ..benchmarks.loader import as_tick
from ..benchmarks.origin import Origin
from ..benchmarks.parallel import ParallelBenchmark
from ..evaluation.numbered_metrics import warn_of_numbered_metrics
from ..evaluation.quiet import quiet_evaluator
from ..models import ClassMask, prepare_heads
from ._callbacks import Callbacks
from .arguments import check_kinds, check_stream
from .compatibility import check_trainable
from .data_checks import check_data, check_experiences
from .live import Heads, check_live, segments_of, stopped_while_waiting
from .single_sample_batches import check_minibatch, check_minibatches
from .state.progress import Progress
from .state.resumable import Resumable
from .update import MultiGradientUpdate

__all__ = ["TickTemplate"]


class TickTemplate(Resumable, MultiGradientUpdate, SupervisedTemplate):
    """Strategies on parallel streams: ticks, heads and class masks.

    Minibatches are ticks (:class:`~avalanche_emgd.benchmarks.TickBatch`). The heads for all tasks
    of a parallel benchmark are prepared beforehand, and masks follow the scenario. An evaluation in
    mid-training keeps the minibatch. Takes the parameters of Avalanche's ``SupervisedTemplate``.
    """

    # Avalanche declares these with type parameters of its own.
    dataloader: Any
    mbatch: Any
    mb_output: Any
    loss: Tensor

    def __init__(self, **kwargs: Any) -> None:
        check_kinds(kwargs)
        if kwargs.get("evaluator", False) is None:
            kwargs["evaluator"] = quiet_evaluator()
        self._progress = Progress()
        super().__init__(**kwargs)
        self._callbacks = Callbacks()
        self._class_mask = self._eval_mask = ClassMask()
        self._prepared = Origin()
        self._heads = Heads()
        self._replaced: dict[int, nn.Parameter] = {}  # by heads that have grown, by former `id`
        self._checked = False
        # Objectives of the segment in the minibatch as it was loaded; none of replaced data.
        self._num_loaded = 0

    def __init_subclass__(cls, **kwargs: Any) -> None:
        # Avalanche's `BaseTemplate` wraps the constructors of its subclasses to warn of positional
        # arguments. The model is one here; all others are keyword-only.
        super(BaseTemplate, cls).__init_subclass__(**kwargs)

    @property
    def class_mask(self) -> ClassMask:
        """Mask of the experience that is, or was last, trained on."""
        return self._class_mask

    @property
    def tick(self) -> int:
        """Number of the current tick; passes over an experience after the first count it again."""
        return self.mbatch.tick if isinstance(self.mbatch, TickBatch) else 0

    def __repr__(self) -> str:
        model = type(self.model).__name__
        optimizer = type(getattr(self, "optimizer", None)).__name__
        memory = getattr(self, "memory", None)
        kept = "" if memory is None else f", memory={memory!r}"
        return f"{type(self).__name__}(model={model}, optimizer={optimizer}{kept})"

    def train(self, experiences: Any, eval_streams: Any = None, **kwargs: Any) -> Any:
        """Train on a stream or an experience, see Avalanche's ``BaseTemplate``.

        :raises TypeError: for a whole benchmark.
        :raises ValueError: for data that cannot be trained on, or minibatches too small for the
            model, before any training.
        """
        check_stream(experiences, "train_stream")
        self._checked = check_data(self, experiences)
        self._check_minibatches(experiences)
        if isinstance(experiences, LiveStream):
            check_live(self, experiences)
            self._stop_training = False
            eval_streams = [] if eval_streams is None else eval_streams
            with stopped_while_waiting(self, experiences):
                return super().train(segments_of(self, experiences), eval_streams, **kwargs)
        return super().train(experiences, eval_streams, **kwargs)

    def eval(self, experiences: Any, **kwargs: Any) -> Any:
        """Test on a stream or an experience, see Avalanche's ``BaseTemplate``.

        :raises TypeError: for a whole benchmark.
        """
        check_stream(experiences, "test_stream")
        check_experiences(experiences)
        return super().eval(experiences, **kwargs)

    def _check_minibatches(self, experiences: Any) -> None:
        """Check beforehand that no minibatch of ordinary experiences is too small."""
        check_minibatches(self, experiences)

    # Data and model of an experience

    def train_dataset_adaptation(self, **kwargs: Any) -> None:
        """Take the experience's own data, which plugins may then replace."""
        super().train_dataset_adaptation(**kwargs)
        self._own_dataset = self.adapted_dataset

    def make_train_dataloader(self, shuffle: bool = True, **kwargs: Any) -> None:
        """Load tick after tick. Workers and pinned memory, as Avalanche offers them, do not apply.

        :param shuffle: whether to shuffle ordinary experiences; parallel ones have their own fixed
            order, unless a plugin has replaced their data.
        """
        own = self.adapted_dataset is self._own_dataset
        if isinstance(self.experience, LiveSegment):
            self.dataloader = LiveTickLoader(self.experience, lambda: self._stop_training)
        elif isinstance(self.experience, SegmentExperience) and own:
            self.dataloader = TickLoader(self.experience)
        else:
            self.dataloader = SerialTickLoader(
                self.adapted_dataset,
                self.train_mb_size,
                objective_names(self.experience, self.adapted_dataset),
                first_tick=self.clock.train_iterations,
                shuffle=shuffle,
            )

    def _obtain_common_dataloader_parameters(self, **kwargs: Any) -> dict[str, Any]:
        # Each of several processes tests all samples, which Avalanche would divide and shuffle.
        return {
            **super()._obtain_common_dataloader_parameters(**kwargs),
            "distributed_sampling": False,
        }

    def check_model_and_optimizer(self, reset_optimizer_state: bool = False, **kwargs: Any) -> None:
        """Adapt model and optimizer to the experience.

        A state of the optimizer that has been loaded before the first experience stays; Avalanche
        empties it.

        :param reset_optimizer_state: empty it before each experience.
        """
        if self.optimized_param_id is None:
            self.make_optimizer(reset_optimizer_state=reset_optimizer_state, **kwargs)
        super().check_model_and_optimizer(reset_optimizer_state, **kwargs)

    def model_adaptation(self, model: nn.Module | None = None) -> nn.Module:
        """Grow Avalanche's dynamic modules; for all tasks of a parallel benchmark beforehand."""
        model = self.model if model is None else model
        benchmark = getattr(self.experience, "benchmark", None)
        if isinstance(benchmark, LiveBenchmark):
            if isinstance(self.experience, LiveSegment) and model is self.model:
                self._replaced |= self._heads.grow(self, self.experience)
            return model.to(self.device)
        if not isinstance(benchmark, ParallelBenchmark):
            return super().model_adaptation(model)
        origin = Origin.of(self.experience)
        if origin != self._prepared:
            prepare_heads(model, benchmark)
            check_trainable(model.to(self.device), self._criterion, benchmark, self.device)
            self._check_replay(model, benchmark)
            self._prepared = origin
        return model.to(self.device)

    def _check_replay(self, model: nn.Module, benchmark: ParallelBenchmark) -> None:
        """Check that a model can be trained on the replayed samples."""

    def _before_training_exp(self, **kwargs: Any) -> None:
        if not self._checked:  # of a stream that is generated now
            check_data(self, self.experience, samples=2)
        warn_of_numbered_metrics(self.evaluator, self.experience)
        self._class_mask.observe(self.experience, held=self._held_classes())
        self._callbacks = Callbacks()  # an evaluator may have other metrics now
        super()._before_training_exp(**kwargs)
        if isinstance(self.dataloader, SerialTickLoader):
            check_minibatch(self, self.dataloader, self.adapted_dataset)

    def _held_classes(self) -> list[int]:
        """Classes of samples that are replayed."""
        return []

    def forward(self) -> Tensor:
        """Masked outputs ``[B, K]``; in training, each objective is forwarded as if alone."""
        if self.is_training:
            return MultiGradientUpdate.forward(self)
        output: Tensor = SupervisedTemplate.forward(self)
        has_task_labels = len(self.mbatch) >= 3
        return self._eval_mask(output, self.mb_task_id) if has_task_labels else output

    def criterion(self) -> Tensor:
        """Mean of the objectives' losses; in tests, the loss of the minibatch."""
        if self.is_training:
            return MultiGradientUpdate.criterion(self)
        found: Tensor = SupervisedTemplate.criterion(self)
        return found

    def _before_eval_exp(self, **kwargs: Any) -> None:
        self._eval_mask = self._class_mask.for_evaluation(self.experience)
        super()._before_eval_exp(**kwargs)

    def _unpack_minibatch(self) -> None:
        if self.is_training:
            if not isinstance(self.mbatch, TickBatch):
                # A plugin has put a loader of its own in place of ours.
                self.mbatch = as_tick(self.mbatch, self.experience, self.clock.train_iterations)
            known = isinstance(self.dataloader, (TickLoader, LiveTickLoader))
            self._num_loaded = len(self.mbatch.parts) if known else 0
        super()._unpack_minibatch()

    # The callbacks of a tick, of those plugins only that have them

    def _trigger(self, event: str, **kwargs: Any) -> None:
        self._callbacks.trigger(self, event, **kwargs)

    def _before_training_iteration(self, **kwargs: Any) -> None:
        self._trigger("before_training_iteration", **kwargs)

    def _before_forward(self, **kwargs: Any) -> None:
        self._trigger("before_forward", **kwargs)
        if len(self.mbatch.parts) != self._num_loaded + self._num_replayed():
            # A plugin has added samples, of whatever classes.
            self._class_mask.admit(self.mb_y, self.mb_task_id)

    def _num_replayed(self) -> int:
        """Objectives of the minibatch that come from the replay memory."""
        return 0

    def _after_forward(self, **kwargs: Any) -> None:
        self._trigger("after_forward", **kwargs)

    def _before_backward(self, **kwargs: Any) -> None:
        self._trigger("before_backward", **kwargs)

    def _after_backward(self, **kwargs: Any) -> None:
        self._trigger("after_backward", **kwargs)

    def _before_update(self, **kwargs: Any) -> None:
        self._trigger("before_update", **kwargs)

    def _after_update(self, **kwargs: Any) -> None:
        self._trigger("after_update", **kwargs)

    def _after_training_iteration(self, **kwargs: Any) -> None:
        self._trigger("after_training_iteration", **kwargs)
        self._release_tick()

    def _release_tick(self) -> None:
        """Drop the references to the graphs of the tick that ends; values stay."""
        self.loss = self.loss.detach()
        if isinstance(self.mb_output, Tensor):
            self.mb_output = self.mb_output.detach()

    # Copies, also those that plugins make in the middle of a tick, are as between two experiences

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), **self._state_between_experiences()}

    def _state_between_experiences(self) -> dict[str, Any]:
        """Attributes that refer to an experience or a tick, as they are outside of both."""
        return {
            "experience": None,
            "_eval_streams": None,
            "current_eval_stream": [],
            "is_training": False,
            "adapted_dataset": None,
            "_own_dataset": None,
            "dataloader": [],
            "mbatch": None,
            "mb_output": None,
            "loss": self._make_empty_loss(),
            "_callbacks": Callbacks(),
            # The copy, too, continues a state that has been loaded.
            "_progress": self._progress if self._progress.skips_done else Progress(),
        }

    # Evaluation in mid-training must not lose the minibatch

    def _save_train_state(self) -> dict[str, Any]:
        state = super()._save_train_state()
        return {**state, "mbatch": self.mbatch, "mb_output": self.mb_output, "loss": self.loss}

    def _load_train_state(self, prev_state: dict[str, Any]) -> None:
        super()._load_train_state(prev_state)
        self.mbatch = prev_state["mbatch"]
        self.mb_output = prev_state["mb_output"]
        self.loss = prev_state["loss"]
