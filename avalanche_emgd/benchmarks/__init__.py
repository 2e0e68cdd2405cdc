"""Parallel streams as Avalanche benchmarks: time lines, generators, loaders, ready-made streams."""

from typing import TYPE_CHECKING

from .._lazy import make_lazy

if TYPE_CHECKING:
    from .cifar100 import ps_cifar100
    from .delivery import Delivery
    from .digits import ps_digits
    from .emnist import ps_emnist
    from .experience import SegmentExperience, TaskExperience
    from .generators import (
        parallel_benchmark,
        parallel_benchmark_from_classes,
        span_lengths,
    )
    from .hugging_face import parallel_benchmark_from_hugging_face
    from .imagenet_tiny import ps_imagenet_tiny
    from .images import ImagesInMemory
    from .loader import Part, SerialTickLoader, TickBatch, TickLoader
    from .own_arrays import parallel_benchmark_from_arrays
    from .own_images import parallel_benchmark_from_images
    from .own_table import parallel_benchmark_from_table
    from .parallel import ParallelBenchmark
    from .protocol import LabelSet, Protocol, ProtocolError
    from .scenario import Scenario
    from .stream_options import StreamOptions
    from .timeline import Segment, Timeline

__all__ = [
    "Delivery",
    "ImagesInMemory",
    "LabelSet",
    "ParallelBenchmark",
    "Part",
    "Protocol",
    "ProtocolError",
    "Scenario",
    "Segment",
    "SegmentExperience",
    "SerialTickLoader",
    "StreamOptions",
    "TaskExperience",
    "TickBatch",
    "TickLoader",
    "Timeline",
    "parallel_benchmark",
    "parallel_benchmark_from_arrays",
    "parallel_benchmark_from_classes",
    "parallel_benchmark_from_hugging_face",
    "parallel_benchmark_from_images",
    "parallel_benchmark_from_table",
    "ps_cifar100",
    "ps_digits",
    "ps_emnist",
    "ps_imagenet_tiny",
    "span_lengths",
]

make_lazy(__name__)
