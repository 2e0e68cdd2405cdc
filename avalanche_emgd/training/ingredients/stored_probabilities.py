"""Loss of the replay memory with stored probabilities."""

from __future__ import annotations

from torch import Tensor

from ..._numbers import check_positive
from ..distillation import distillation
from .stored_outputs import StoredOutputs

__all__ = ["StoredProbabilities"]


class StoredProbabilities(StoredOutputs):
    r"""Loss of the memory from labels and stored probabilities (distillation into the memory).

    The samples of a task enter the memory at the end of its span. At that time the model's logits z
    in evaluation mode are stored with them. The memory's loss is

    .. math:: \beta \, \mathrm{CE}(f(x), y)
        + \alpha \, T^2 \, \overline{\mathrm{KL}(\mathrm{softmax}(z / T) \,\|\,
        \mathrm{softmax}(f(x) / T))}

    with softmax over the classes that competed when z was stored, and the mean over the samples.
    The divergence is that of *Distilling the knowledge in a neural network* (Hinton, Vinyals and
    Dean, 2015), as in LwF (Li and Hoiem, ECCV 2016). It does not fix the common level of a sample's
    logits, which :class:`StoredLogits` does. With that level fixed, the logits of classes that
    start later outgrow those of a model that had learned little. For large T the second term is
    half the sum of the squared differences of centred logits.

    The object has no state: the memory stores the logits as an annotation, ``"logits"``.

    :param alpha: weight of the stored probabilities, ≥ 0.
    :param beta: weight of the labels, ≥ 0.
    :param temperature: T, > 0; larger values give weight to improbable classes.
    :raises ValueError: if a weight is negative, the temperature not positive, or one not finite.
    """

    def __init__(self, alpha: float = 1.0, beta: float = 1.0, temperature: float = 2.0) -> None:
        super().__init__(alpha, beta)
        check_positive("temperature", temperature)
        self.temperature = temperature

    def __repr__(self) -> str:
        return (
            f"StoredProbabilities(alpha={self.alpha!r}, beta={self.beta!r}, "
            f"temperature={self.temperature!r})"
        )

    def distance(self, output: Tensor, stored: Tensor, competed: Tensor) -> Tensor:
        """Mean divergence over the samples, times the square of the temperature."""
        return distillation(output, stored, self.temperature, competed)
