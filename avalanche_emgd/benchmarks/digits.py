"""PS-Digits: handwritten digits, a benchmark that needs no download."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import TensorDataset
from typing_extensions import Unpack

from .._options import with_defaults
from ._decoded import Decoded, decoded_once
from ._ready_made import divided
from .parallel import ParallelBenchmark
from .sizes import PS_DIGITS
from .stream_options import StreamOptions

__all__ = ["ps_digits"]


def ps_digits(**options: Unpack[StreamOptions]) -> ParallelBenchmark:
    """Make parallel streams of scikit-learn's handwritten digits: 10 classes, 8 × 8 pixels.

    The 1,437 training and 360 test images do not depend on the seed. Inputs have the shape
    ``[1, 8, 8]``, scaled to [−1, 1].

    :param options: keyword options, see :class:`StreamOptions`; ``batch_size`` is 4 by default.
    """
    chosen = with_defaults(StreamOptions, options, "ps_digits", **PS_DIGITS.options())
    found = decoded_once("digits", (), _decoded).tensors
    return divided(
        TensorDataset(*found[:2]),
        TensorDataset(*found[2:]),
        range(PS_DIGITS.num_classes),
        chosen,
    )


def _decoded() -> Decoded:
    """Decode the training images and labels, then the test images and labels."""
    digits = load_digits()
    images = torch.from_numpy((digits.images / 8.0 - 1.0).astype(np.float32)).unsqueeze(1)
    labels = torch.from_numpy(digits.target.astype(np.int64))
    train, test = train_test_split(
        np.arange(len(labels)), test_size=360, stratify=digits.target, random_state=0
    )
    return Decoded((images[train], labels[train], images[test], labels[test]))
