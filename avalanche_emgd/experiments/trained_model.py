"""Trained models as files: everything that predictions need, without code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .._text_files import excerpt
from ..benchmarks import ParallelBenchmark
from ..benchmarks.images import normalisation_of, normalised
from ..benchmarks.table_scaling import scaled, scaling_of
from ..models import NearestMean, make_model, mask_logits
from ..models.cosine import CosineClassifier, use_cosine_classifier
from ..training.state.errors import StateError
from ..training.state.files import load_plain, save_plain
from ..training.state.header import check_header, make_header
from .config import RunConfig
from .data import DATA

__all__ = ["MODEL", "TrainedModel", "load_model", "own_model", "save_model"]

MODEL = "model.pt"
"""File with the trained model, in the directory of a run."""

_THING, _FORMAT = "model", 1
_CHUNK = 512  # inputs per forward pass


class TrainedModel(nn.Module):
    """A trained model in evaluation mode, with the names of its classes.

    :func:`load_model` makes it.

    :param module: model that gives logits ``[B, K]``.
    :param about: content of the file, apart from the weights.
    """

    def __init__(self, module: nn.Module, about: Mapping[str, Any]) -> None:
        super().__init__()
        self.module = module.requires_grad_(False)
        self.about: dict[str, Any] = dict(about)
        """Method, benchmark, model, scenario and other settings, as in the file."""
        self.class_names: list[str] = list(about["class_names"])
        """Name of each class, by label."""
        self.input_shape: tuple[int, ...] = tuple(about["input_shape"])
        """Shape of one input."""
        self.tasks: dict[str, list[int]] = {
            name: list(labels) for name, labels in about["tasks"].items()
        }
        """Class labels of each task, by name."""
        self.eval()

    def forward(self, x: Tensor, task: str | None = None) -> Tensor:
        """Compute logits ``[B, K]``; classes that do not compete are masked.

        :param x: inputs ``[B, ...]``, as :meth:`prepare` gives them.
        :param task: name of the task of all inputs, whose classes compete alone; the classes of
            all tasks compete if omitted.
        :raises ValueError: if the task is unknown.
        """
        if task is not None and task not in self.tasks:
            raise ValueError(f"`task` must be one of {', '.join(self.tasks)}, found {task!r}.")
        chosen = self.tasks.values() if task is None else [self.tasks[task]]
        logits: Tensor = self.module(x)
        allowed = torch.zeros(logits.shape[1], dtype=torch.bool, device=logits.device)
        allowed[[label for labels in chosen for label in labels]] = True
        return mask_logits(logits, allowed)

    def prepare(self, inputs: Tensor) -> Tensor:
        """Convert inputs to those that the model was trained on.

        :param inputs: images uint8 ``[N, C, H, W]`` or features ``[N, F]`` of a table, which are
            normalised as in training; or other inputs ``[N, ...]``, which stay as they are.
        :return: inputs ``[N, ...]``.
        :raises ValueError: if the inputs have another shape or kind than in training.
        """
        if tuple(inputs.shape[1:]) != self.input_shape:
            raise ValueError(
                f"`inputs` must have the shape {list(self.input_shape)}, found "
                f"{list(inputs.shape[1:])}."
            )
        if self.about.get("columns") is not None:
            return scaled(inputs, self.about["mean"], self.about["std"])
        if inputs.dtype != torch.uint8:
            return inputs
        if self.about["mean"] is None:
            raise ValueError("`inputs` are uint8 images, but the model was not trained on images.")
        return normalised(inputs, self.about["mean"], self.about["std"])

    @torch.no_grad()
    def predict(self, inputs: Tensor, task: str | None = None) -> Tensor:
        """Compute probabilities ``[N, K]`` of the classes.

        The probabilities of iCaRL are a softmax of minus the distances to the class means.

        :param inputs: inputs, see :meth:`prepare`.
        :param task: task, see :meth:`forward`.
        """
        pieces = [self(self.prepare(piece), task).softmax(dim=1) for piece in inputs.split(_CHUNK)]
        return torch.cat(pieces) if pieces else torch.empty(0, len(self.class_names))


def save_model(
    path: Path, model: nn.Module, config: RunConfig, benchmark: ParallelBenchmark
) -> None:
    """Write a trained model.

    :param path: path of the file, which ``torch.load(..., weights_only=True)`` reads.
    :param model: trained model of a run.
    :param config: configuration of the run.
    :param benchmark: benchmark of the run.
    :raises ValueError: if the file cannot be written.
    """
    chosen = config.resolved()
    head: dict[str, Any] = {}
    if isinstance(model, NearestMean):
        head["means"] = model.class_means()
        model = model.model
    cosines = [each for each in model.modules() if isinstance(each, CosineClassifier)]
    if cosines:
        head["scale"] = cosines[0].scale
    columns, mean, std = _normalisation(chosen, benchmark)
    save_plain(
        path,
        {
            **make_header(_THING, _FORMAT),
            "model": str(chosen.model),
            "method": config.label,
            "benchmark": chosen.benchmark,
            "scenario": benchmark.scenario,
            "num_classes": benchmark.num_classes,
            "class_names": [
                str(benchmark.class_names.get(label, label))
                for label in range(benchmark.num_classes)
            ],
            "tasks": {
                name: list(labels)
                for name, labels in zip(benchmark.task_names, benchmark.label_sets, strict=True)
            },
            "input_shape": list(benchmark.input_shape),
            "columns": columns,
            "mean": mean,
            "std": std,
            "head": head,
            "state": {name: value.cpu() for name, value in model.state_dict().items()},
        },
    )


def _normalisation(
    config: RunConfig, benchmark: ParallelBenchmark
) -> tuple[list[str] | None, list[float] | None, list[float] | None]:
    """Return names of columns of a table, and means and deviations of columns or channels."""
    declared = DATA[config.benchmark].normalisation
    if declared is not None:
        return None, list(declared[0]), list(declared[1])
    source = getattr(benchmark.test_stream[0], "_source", None)
    scaling = scaling_of(source)
    if scaling is not None:
        return list(scaling.columns), list(scaling.mean), list(scaling.std)
    found = normalisation_of(source)
    return (None, None, None) if found is None else (None, *found)


def load_model(path: str | Path, *, model: nn.Module | None = None) -> TrainedModel:
    """Load the trained model of a run.

    The file cannot run code. A model of your own, ``module:callable``, is not imported by the name
    in the file: give a new one as ``model``.

    :param path: directory of the run, or its file ``model.pt``.
    :param model: untrained model with the architecture of the saved one, for a model of your own.
    :raises FileNotFoundError: if the file does not exist.
    :raises StateError: if the file is damaged, of another kind or of a newer release, or ``model``
        has another architecture.
    :raises ValueError: if ``model`` is needed.
    """
    found, what = _read(path)
    if model is None:
        if ":" in found["model"]:
            raise ValueError(
                f"{what} is of your own {found['model']!r}, which is not imported by a name in a "
                "file: give a new one as `model` (on the command line: --model)."
            )
        model = make_model(found["model"], found["num_classes"], found["input_shape"])
    try:
        if "scale" in found["head"]:
            use_cosine_classifier(model, float(found["head"]["scale"]))
        model.load_state_dict(found["state"])
        if "means" in found["head"]:
            model = NearestMean.of_means(model, found["head"]["means"])
    except Exception as error:  # torch raises errors of many kinds for wrong weights
        words = " ".join(str(error).split())[:300]
        raise StateError(f"{what} does not fit the architecture: {words}") from None
    return TrainedModel(model, {n: v for n, v in found.items() if n not in ("state", "head")})


def own_model(path: str | Path, name: str) -> nn.Module:
    """Make an untrained model of your own for :func:`load_model`.

    :param path: path, see :func:`load_model`.
    :param name: name, ``module:callable``, as in training.
    """
    found, _ = _read(path)
    return make_model(name, found["num_classes"], found["input_shape"])


def _read(path: str | Path) -> tuple[dict[str, Any], str]:
    """Read and check a file, and return its content with words for it."""
    path = Path(path) / MODEL if Path(path).is_dir() else Path(path)
    found = load_plain(path, "run")
    what = f"`run` {str(path)!r}"
    check_header(found, _THING, _FORMAT, what)
    _check(found, what)
    return found, what


def _are_scales(means: list[Any], deviations: list[Any], shape: list[int]) -> bool:
    """Whether lists are means and standard deviations, one for each channel or feature."""
    return (
        len(means) == len(deviations) == shape[0]
        and all(isinstance(each, float) for each in (*means, *deviations))
        and all(map(math.isfinite, (*means, *deviations)))
        and min(deviations) > 0.0
    )


def _are_names(columns: Any, shape: list[int]) -> bool:
    return (
        isinstance(columns, list)
        and [len(columns)] == shape
        and all(isinstance(name, str) for name in columns)
    )


def _check(found: Mapping[str, Any], what: str) -> None:
    """Check the fields of a file."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "model": str, "method": str, "benchmark": str, "scenario": str, "num_classes": int,
        "class_names": list, "tasks": Mapping, "input_shape": list, "head": Mapping,
        "state": Mapping, "mean": (list, type(None)), "std": (list, type(None)),
    }  # fmt: skip
    for name, kind in kinds.items():
        if name not in found or not isinstance(found[name], kind):
            raise StateError(f"{what} is damaged: `{name}` is {excerpt(found.get(name))}.")
    number, shape = found["num_classes"], found["input_shape"]
    sets = list(found["tasks"].values())
    labels = [label for own in sets if isinstance(own, list) for label in own]
    means, deviations = found["mean"], found["std"]
    columns = found.get("columns")  # which the first files did not have
    if (
        not shape
        or not (columns is None or _are_names(columns, shape))
        or (columns is not None and means is None)
        or len(found["class_names"]) != number
        or not all(isinstance(name, str) for name in (*found["class_names"], *found["tasks"]))
        or not all(type(size) is int and size > 0 for size in shape)
        or not all(isinstance(own, list) and own for own in sets)
        or not labels
        or not all(type(label) is int and 0 <= label < number for label in labels)
        or not all(isinstance(value, Tensor) for value in found["state"].values())
        or (means is None) != (deviations is None)
        or (means is not None and not _are_scales(means, deviations, shape))
    ):
        raise StateError(f"{what} is damaged: its classes, shapes or weights do not agree.")
    # The weights are in the file, so that a small file cannot name a large model.
    rows = max((len(v) for v in found["state"].values() if v.ndim), default=0)
    columns = max((v[0].numel() for v in found["state"].values() if v.ndim > 1), default=0)
    if number > rows or (found["model"] == "mlp" and math.prod(shape) > columns):
        raise StateError(f"{what} is damaged: its weights are not of its classes and inputs.")
