"""The last linear layer of a model, and access to its inputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from avalanche.models.dynamic_modules import DynamicModule
from torch import Tensor, nn

__all__ = ["classifier_inputs", "find_classifier"]


def find_classifier(model: nn.Module) -> tuple[str, nn.Linear]:
    """Find the layer that maps features to logits.

    :param model: model with one linear classifier for all classes. The classifier is
        ``model.classifier`` if that is a ``Linear``, otherwise the last registered ``Linear``.
    :return: name of the layer in the model, and the layer.
    :raises ValueError: if the model contains no ``Linear``, or has heads that grow.
    """
    if any(isinstance(module, DynamicModule) for module in model.modules()):
        raise ValueError(
            f"`model` {type(model).__name__} has heads that grow from experience to experience: "
            "this method needs one torch.nn.Linear for all classes."
        )
    if isinstance(getattr(model, "classifier", None), nn.Linear):
        return "classifier", model.get_submodule("classifier")  # type: ignore[return-value]
    linear = [(n, m) for n, m in model.named_modules() if n and isinstance(m, nn.Linear)]
    if not linear:
        raise ValueError(
            f"`model` {type(model).__name__} contains no torch.nn.Linear: this method needs one as "
            "its classifier."
        )
    return linear[-1]


@contextmanager
def classifier_inputs(classifier: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the inputs of a classifier: one tensor of features ``[B, F]`` per forward pass."""
    collected: list[Tensor] = []
    handle = classifier.register_forward_pre_hook(
        lambda _, inputs: collected.append(inputs[0])  # returns None, so the input is not changed
    )
    try:
        yield collected
    finally:
        handle.remove()
