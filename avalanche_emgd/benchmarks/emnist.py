"""PS-EMNIST: handwritten digits and letters, 62 classes in 5 tasks."""

from __future__ import annotations

from pathlib import Path

import torch
from torchvision.datasets import EMNIST
from typing_extensions import Unpack

from .._options import with_defaults
from ._decoded import Decoded, decoded_once
from ._downloads import download_into
from ._ready_made import divided
from .images import ImagesInMemory
from .parallel import ParallelBenchmark
from .sizes import PS_EMNIST
from .stream_options import StreamOptions

__all__ = ["ps_emnist"]

# Mean and standard deviation of the training pixels of `byclass`, in [0, 1].
_MEAN, _STD = 0.1736, 0.3317
_FILES = ("train-images-idx3", "train-labels-idx1", "test-images-idx3", "test-labels-idx1")


def ps_emnist(
    data_root: str | Path,
    *,
    download: bool = False,
    **options: Unpack[StreamOptions],
) -> ParallelBenchmark:
    """Make parallel streams of EMNIST ``byclass``: 62 classes, 28 × 28 pixels.

    Inputs have the shape ``[1, 28, 28]``, upright, normalised to zero mean and unit variance over
    all training pixels.

    :param data_root: folder that holds (or will hold) torchvision's ``EMNIST`` folder.
    :param download: whether to download the data (0.5 GB) if they are not there.
    :param options: keyword options, see :class:`StreamOptions`; ``batch_size`` is 128 by default,
        as published.
    :raises FileNotFoundError: if the data are missing; the message says how to get them.
    :raises OSError: if the download fails.
    """
    chosen = with_defaults(StreamOptions, options, "ps_emnist", **PS_EMNIST.options())
    folder = Path(data_root) / "EMNIST"
    files = [folder / "raw" / f"emnist-byclass-{name}-ubyte" for name in _FILES]
    files += folder.glob("processed/*.pt")  # old versions of torchvision read these first
    try:
        with download_into(data_root, "EMNIST", download=download):
            found = decoded_once("EMNIST", files, lambda: _decoded(data_root, download)).tensors
    except RuntimeError as error:
        raise FileNotFoundError(
            f"`data_root` {str(data_root)!r} has no EMNIST in torchvision's layout "
            "(EMNIST/raw/emnist-byclass-*-ubyte). Give the folder that holds `EMNIST`, or have it "
            "downloaded there with download=True (on the command line: --download)."
        ) from error
    train, test = (
        ImagesInMemory(images, targets, (_MEAN,), (_STD,))
        for images, targets in (found[:2], found[2:])
    )
    return divided(
        train,
        test,
        range(PS_EMNIST.num_classes),
        chosen,
    )


def _decoded(data_root: str | Path, download: bool) -> Decoded:
    """Decode the training images and labels, then the test images and labels."""
    parts = [
        EMNIST(str(data_root), split="byclass", train=train, download=download)
        for train in (True, False)
    ]
    tensors = []
    for part in parts:
        # EMNIST stores its images transposed.
        tensors += [
            part.data.transpose(1, 2).unsqueeze(1).contiguous(),
            part.targets.to(torch.long),
        ]
    return Decoded(tuple(tensors))
