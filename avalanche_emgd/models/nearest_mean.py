"""Classification by the nearest mean of exemplars."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from .class_mask import mask_logits
from .classifier import classifier_inputs, find_classifier
from .modes import evaluation_mode

__all__ = ["NearestMean"]

_CHUNK = 512  # exemplars per forward pass


class NearestMean(nn.Module):
    r"""A model that trains its linear classifier and predicts by the nearest class mean.

    In training mode the output is the output of ``model``. In evaluation mode the logit of a class
    is minus the distance between the sample's feature and the mean feature of the class's
    exemplars. All features and means have unit length (Rebuffi et al., iCaRL, CVPR 2017,
    algorithm 1):

    .. math:: -\left\|\frac{\varphi(x)}{\|\varphi(x)\|} - \mu_c\right\|, \qquad
        \mu_c \propto \sum_{p \in P_c} \frac{\varphi(p)}{\|\varphi(p)\|}, \quad \|\mu_c\| = 1

    The features φ are the inputs of the linear classifier. Classes without exemplars, or with a
    mean feature of zero, are masked.

    :param model: model with one linear classifier, as
        ``avalanche_emgd.models.classifier.find_classifier`` finds it.
    :param exemplars: function that returns the exemplars: inputs ``[n, ...]`` and class labels
        ``[n]``. The first evaluation after each :meth:`refresh` calls it.
    :raises ValueError: if the model has no linear classifier.
    """

    def __init__(self, model: nn.Module, exemplars: Callable[[], tuple[Tensor, Tensor]]) -> None:
        super().__init__()
        self._name, _ = find_classifier(model)
        self.model = model
        self._exemplars = exemplars
        # A list, because gradient engines take a change of an attribute for another model.
        self._means: list[Tensor] = []

    @property
    def classifier(self) -> nn.Linear:
        """Linear classifier of the model."""
        return self.model.get_submodule(self._name)  # type: ignore[return-value]

    @classmethod
    def of_means(cls, model: nn.Module, means: Tensor) -> NearestMean:
        """Make a model with fixed class means, in place of exemplars.

        :param model: trained model.
        :param means: class means ``[K, F]``.
        """

        def no_exemplars() -> tuple[Tensor, Tensor]:
            raise RuntimeError("This model has fixed class means, and no exemplars.")

        made = cls(model, no_exemplars)
        made._means.append(means)
        return made

    def class_means(self) -> Tensor:
        """Return the class means ``[K, F]``, each of unit length, or zero without exemplars."""
        if not self._means:
            self._means.append(self._class_means())
        return self._means[0]

    def refresh(self) -> None:
        """Discard the class means; the next evaluation computes them again."""
        self._means.clear()

    def forward(self, x: Tensor) -> Tensor:
        """Compute the logits ``[B, K]`` of inputs ``[B, ...]``."""
        if self.training:
            return self.model(x)
        means = self.class_means()
        distances = torch.cdist(self.features(x), means)
        return mask_logits(-distances, means.square().sum(dim=1) > 0.0)

    def features(self, x: Tensor) -> Tensor:
        """Compute the features ``[B, F]`` of inputs ``[B, ...]``, each of unit length."""
        with classifier_inputs(self.classifier) as collected:
            self.model(x)
        return functional.normalize(collected[-1])

    @torch.no_grad()
    def _class_means(self) -> Tensor:
        """Compute the class means ``[K, F]``, each of unit length, or zero without exemplars."""
        weight = self.classifier.weight
        sums = torch.zeros_like(weight)
        inputs, labels = self._exemplars()
        with evaluation_mode(self.model):
            for x, y in zip(inputs.split(_CHUNK), labels.split(_CHUNK), strict=True):
                if len(x):
                    features = self.features(x.to(weight.device))
                    sums.index_add_(0, y.to(weight.device), features)
        return functional.normalize(sums)
