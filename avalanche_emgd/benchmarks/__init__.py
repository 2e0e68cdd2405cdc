"""Parallel streams as Avalanche benchmarks: time lines, generators, loaders, ready-made ones."""

from .digits import ps_digits
from .emnist import ps_emnist
from .experience import Delivery, SegmentExperience, TaskExperience
from .generators import (
    parallel_benchmark,
    parallel_benchmark_from_classes,
    span_lengths,
)
from .loader import Part, SerialTickLoader, TickBatch, TickLoader
from .parallel import ParallelBenchmark, Scenario
from .protocol import LabelSet, Protocol, ProtocolError
from .timeline import Segment, Timeline

__all__ = [
    "Delivery",
    "LabelSet",
    "ParallelBenchmark",
    "Part",
    "Protocol",
    "ProtocolError",
    "Scenario",
    "Segment",
    "SegmentExperience",
    "SerialTickLoader",
    "TaskExperience",
    "TickBatch",
    "TickLoader",
    "Timeline",
    "parallel_benchmark",
    "parallel_benchmark_from_classes",
    "ps_digits",
    "ps_emnist",
    "span_lengths",
]
