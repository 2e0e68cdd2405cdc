"""PS-CIFAR-100: small colour photographs, 100 classes in 10 tasks."""

from __future__ import annotations

from pathlib import Path

import torch
from torchvision.datasets import CIFAR100
from typing_extensions import Unpack

from .._options import with_defaults
from ._decoded import Decoded, decoded_once
from ._downloads import download_into
from ._ready_made import divided
from .images import ImagesInMemory
from .parallel import ParallelBenchmark
from .sizes import PS_CIFAR100
from .stream_options import StreamOptions

__all__ = ["ps_cifar100"]

# Mean and standard deviation of the training pixels in [0, 1], by channel.
_MEAN, _STD = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)


def ps_cifar100(
    data_root: str | Path,
    *,
    download: bool = False,
    **options: Unpack[StreamOptions],
) -> ParallelBenchmark:
    """Make parallel streams of CIFAR-100: 100 classes, 50,000 training images of 32 × 32 pixels.

    Inputs have the shape ``[3, 32, 32]``, normalised to zero mean and unit variance by channel.

    :param data_root: folder that holds (or will hold) torchvision's ``cifar-100-python`` folder.
    :param download: whether to download the data (0.2 GB) if they are not there.
    :param options: keyword options, see :class:`StreamOptions`. As published, ``batch_size`` is 128
        and ``num_tasks`` 10 by default; 20 tasks are published, too.
    :raises FileNotFoundError: if the data are missing; the message says how to get them.
    :raises OSError: if the download fails.
    """
    chosen = with_defaults(StreamOptions, options, "ps_cifar100", **PS_CIFAR100.options())
    files = [Path(data_root) / "cifar-100-python" / name for name in ("train", "test", "meta")]
    try:
        with download_into(data_root, "CIFAR-100", download=download):
            found = decoded_once("CIFAR-100", files, lambda: _decoded(data_root, download)).tensors
    except RuntimeError as error:
        raise FileNotFoundError(
            f"`data_root` {str(data_root)!r} has no CIFAR-100 in torchvision's layout "
            "(cifar-100-python). Give the folder that holds it, or have it downloaded there with "
            "download=True (on the command line: --download)."
        ) from error
    train, test = (
        ImagesInMemory(images, targets, _MEAN, _STD) for images, targets in (found[:2], found[2:])
    )
    return divided(
        train,
        test,
        range(PS_CIFAR100.num_classes),
        chosen,
    )


def _decoded(data_root: str | Path, download: bool) -> Decoded:
    """Decode the training images and labels, then the test images and labels."""
    tensors = []
    for train in (True, False):
        part = CIFAR100(str(data_root), train=train, download=download)
        tensors += [
            torch.from_numpy(part.data).permute(0, 3, 1, 2).contiguous(),
            torch.tensor(part.targets),
        ]
    return Decoded(tuple(tensors))
