"""Test accuracy of one task, without side effects on a strategy in mid-training."""

from __future__ import annotations

import torch
from avalanche.models.utils import avalanche_forward
from torch import Tensor, nn

from ..benchmarks.experience import TaskExperience
from ..models import ClassMask, evaluation_mode, is_masked

__all__ = ["TestSamples", "accuracy", "minibatch_size"]

# Numbers that the inputs of a minibatch of tests have. On a CPU, larger minibatches of images leave
# its caches; on other devices, smaller ones leave most of the device idle.
_NUMBERS, _NUMBERS_ELSEWHERE = 2**19, 2**24
_MOST_SAMPLES = 1024  # models may need much more memory than their inputs


class TestSamples:
    """The test samples of one task, loaded once.

    :param experience: one of the benchmark's ``test_stream``.
    """

    __test__ = False  # not a test case, whatever pytest thinks of the name

    def __init__(self, experience: TaskExperience) -> None:
        self.inputs, self.targets, self.task_labels = experience.load()


def minibatch_size(inputs: Tensor, device: torch.device) -> int:
    """Choose the number of samples per forward pass of tests: a power of two in 1..1024.

    It depends on nothing else, so that accuracies of equal weights are equal.

    :param inputs: of all samples, ``[N, ...]``, N ≥ 1.
    :param device: of the model.
    """
    numbers = _NUMBERS if device.type == "cpu" else _NUMBERS_ELSEWHERE
    fitting = max(1, numbers // max(1, inputs[0].numel()))
    return min(_MOST_SAMPLES, 1 << (fitting.bit_length() - 1))


@torch.no_grad()
def accuracy(
    model: nn.Module,
    samples: TestSamples,
    mask: ClassMask,
    device: torch.device | str = "cpu",
    batch_size: int | None = None,
) -> float:
    """Share of test samples whose own class has the largest of the logits that compete.

    The model is evaluated in evaluation mode, and its modes (training or evaluation, module by
    module) are as before afterwards.

    :param model: gets the task labels if it is one of Avalanche's multi-task modules.
    :param samples: of one task.
    :param mask: says which logits compete.
    :param device: of the model.
    :param batch_size: samples per forward pass; ``minibatch_size`` if ``None``.
    :return: in [0, 1].
    """
    device, correct = torch.device(device), 0
    if batch_size is None:
        batch_size = minibatch_size(samples.inputs, device)
    with evaluation_mode(model):
        for start in range(0, len(samples.targets), batch_size):
            chosen = slice(start, start + batch_size)
            x = samples.inputs[chosen].to(device)
            task_labels = samples.task_labels[chosen].to(device)
            logits = mask(avalanche_forward(model, x, task_labels), task_labels)
            own = samples.targets[chosen].to(device)
            right = logits.argmax(dim=1) == own
            # Where everything is masked, argmax still names a class; that is no prediction.
            competing = ~is_masked(logits.gather(1, own[:, None]).squeeze(1))
            correct += int((right & competing).sum())
    return correct / len(samples.targets)
