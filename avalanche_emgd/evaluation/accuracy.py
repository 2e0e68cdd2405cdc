"""Test accuracy of one task, without side effects on a strategy during training."""

from __future__ import annotations

import torch
from avalanche.models.utils import avalanche_forward
from torch import Tensor, nn

from ..benchmarks.experience import TaskExperience
from ..models import ClassMask, evaluation_mode, is_masked

__all__ = ["TestSamples", "accuracy", "minibatch_size"]

# Largest number of input values in a test minibatch. On a CPU, larger minibatches of images exceed
# the caches; on other devices, smaller ones leave most of the device idle.
_NUMBERS, _NUMBERS_ELSEWHERE = 2**19, 2**24
_MOST_SAMPLES = 1024  # models may need much more memory than their inputs


class TestSamples:
    """The test samples of one task, loaded once.

    :param experience: experience of the benchmark's ``test_stream``.
    """

    __test__ = False  # keeps pytest from collecting the class by its name

    def __init__(self, experience: TaskExperience) -> None:
        self.inputs, self.targets, self.task_labels = experience.load()


def minibatch_size(inputs: Tensor, device: torch.device) -> int:
    """Choose the number of samples per forward pass of tests.

    The result depends on the arguments alone, so that equal weights give equal accuracies.

    :param inputs: inputs of all samples, ``[N, ...]``, N ≥ 1.
    :param device: device of the model.
    :return: a power of two in 1..1024.
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
    """Measure the share of test samples whose own class has the largest competing logit.

    The model is in evaluation mode during the test. Afterwards each module has its former mode.

    :param model: model to test; an Avalanche multi-task module receives the task labels.
    :param samples: test samples of one task.
    :param mask: mask of the logits that do not compete.
    :param device: device of the model.
    :param batch_size: samples per forward pass; ``minibatch_size`` if ``None``.
    :return: accuracy in [0, 1].
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
            # If all logits are masked, argmax still returns a class, which is no prediction.
            competing = ~is_masked(logits.gather(1, own[:, None]).squeeze(1))
            correct += int((right & competing).sum())
    return correct / len(samples.targets)
