"""The last linear layer of a model: methods that look into it or put another in its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from avalanche.models.dynamic_modules import DynamicModule
from torch import Tensor, nn

__all__ = ["classifier_inputs", "find_classifier"]


def find_classifier(model: nn.Module) -> tuple[str, nn.Linear]:
    """Find the layer that turns features into logits.

    :param model: with a single linear classifier for all classes: ``model.classifier`` if that is a
        ``Linear``, else the last ``Linear`` in the order in which the model registers its modules.
    :return: name of the layer in the model, and the layer.
    :raises ValueError: if there is none inside the model, or the model has heads that grow.
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
    """Collect what enters a classifier: one tensor of features ``[B, F]`` per forward pass."""
    collected: list[Tensor] = []
    handle = classifier.register_forward_pre_hook(
        lambda _, inputs: collected.append(inputs[0])  # returns None: the input stays as it is
    )
    try:
        yield collected
    finally:
        handle.remove()
