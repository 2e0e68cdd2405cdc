"""PS-ImageNet-TINY: colour photographs, 200 classes in 10 tasks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from avalanche.benchmarks.datasets import TinyImagenet
from torch.utils.data import Dataset
from typing_extensions import Unpack

from .._options import with_defaults
from ._downloads import download_into
from ._ready_made import divided
from .image_files import image_files
from .parallel import ParallelBenchmark
from .sizes import PS_IMAGENET_TINY
from .stream_options import StreamOptions

__all__ = ["ps_imagenet_tiny"]

_SIZE = (64, 64)
# Mean and standard deviation of the training pixels in [0, 1], by channel.
_MEAN, _STD = (0.4802, 0.4481, 0.3975), (0.2770, 0.2691, 0.2821)


def ps_imagenet_tiny(
    data_root: str | Path,
    *,
    download: bool = False,
    **options: Unpack[StreamOptions],
) -> ParallelBenchmark:
    """Make parallel streams of Tiny ImageNet: 200 classes, 100,000 images of 64 × 64 pixels.

    Inputs have the shape ``[3, 64, 64]``, normalised to zero mean and unit variance by channel.
    Images are decoded into memory once if they fit (1.2 GB). Otherwise a file is decoded whenever
    its image is loaded. The test streams have the validation images, because the official test
    images have no labels.

    :param data_root: folder that holds (or will hold) the ``tiny-imagenet-200`` folder.
    :param download: whether to download the data (0.25 GB) if they are not there.
    :param options: keyword options, see :class:`StreamOptions`. As published, ``batch_size`` is 128
        (32 for the published time lines) and ``num_tasks`` 10 by default; 20 tasks are published,
        too. ``wnids.txt`` gives the order of the classes.
    :raises FileNotFoundError: if the data are missing; the message says how to get them.
    :raises OSError: if the download fails.
    """
    chosen = with_defaults(StreamOptions, options, "ps_imagenet_tiny", **PS_IMAGENET_TINY.options())
    if not download and not (Path(data_root) / "tiny-imagenet-200" / "wnids.txt").is_file():
        raise FileNotFoundError(
            f"`data_root` {str(data_root)!r} has no Tiny ImageNet in its official layout "
            "(tiny-imagenet-200/wnids.txt, train, val). Give the folder that holds it, or have it "
            "downloaded there with download=True (on the command line: --download)."
        )
    with download_into(data_root, "Tiny ImageNet", download=download):
        train, test = (_images(str(data_root), train, download) for train in (True, False))
    return divided(
        train,
        test,
        range(PS_IMAGENET_TINY.num_classes),
        chosen,
    )


def _images(data_root: str, train: bool, download: bool) -> Dataset[Any]:
    part = TinyImagenet(data_root, train=train, download=download)
    # Avalanche lists files in the file system's order, which differs between machines.
    files = sorted(
        (target, str(path)) for path, target in zip(part.data, part.targets, strict=True)
    )
    targets, paths = zip(*files, strict=True)
    return image_files(paths, targets, _MEAN, _STD, size=_SIZE)
