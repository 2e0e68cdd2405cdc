"""Loss of the replay memory with stored logits."""

from __future__ import annotations

from torch import Tensor

from .stored_outputs import StoredOutputs

__all__ = ["StoredLogits"]


class StoredLogits(StoredOutputs):
    r"""Loss of the memory from labels and stored logits (DER++; Buzzega et al., NeurIPS 2020).

    The samples of a task enter the memory at the end of its span. At that time the model's logits z
    in evaluation mode are stored with them. The memory's loss is

    .. math:: \beta \, \mathrm{CE}(f(x), y) + \alpha \, \overline{(f(x) - z)^2}

    with the mean over the samples and over the classes that competed when z was stored. Both terms
    use the same minibatch, so that the method replays as many samples as other methods; the authors
    draw one minibatch for each term. An update of half the memory's gradient plus half the mean
    gradient of the active tasks gives the authors' ratio of the terms.

    The object has no state: the memory stores the logits as an annotation, ``"logits"``.

    :param alpha: weight of the stored logits, ≥ 0; 0.1 to 1 in the paper, by benchmark.
    :param beta: weight of the labels, ≥ 0; 0.5 or 1 in the paper.
    :raises ValueError: if a weight is negative or not finite.
    """

    def __init__(self, alpha: float = 0.3, beta: float = 1.0) -> None:
        super().__init__(alpha, beta)

    def __repr__(self) -> str:
        return f"StoredLogits(alpha={self.alpha!r}, beta={self.beta!r})"

    def distance(self, output: Tensor, stored: Tensor, competed: Tensor) -> Tensor:
        """Mean squared difference over the samples and the classes that competed."""
        return (output - stored)[competed].square().mean()
