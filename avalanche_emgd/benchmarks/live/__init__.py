"""Streams without an end: tasks are added while training runs."""

from typing import TYPE_CHECKING

from ..._lazy import make_lazy

if TYPE_CHECKING:
    from .benchmark import LiveBenchmark
    from .folder_source import FolderSource
    from .segment import LiveBatch, LiveSegment, LiveTickLoader
    from .sources import LiveSource, Minibatch
    from .stream import LiveStream
    from .task import TaskStatus
    from .waiting import Interruption

__all__ = [
    "FolderSource",
    "Interruption",
    "LiveBatch",
    "LiveBenchmark",
    "LiveSegment",
    "LiveSource",
    "LiveStream",
    "LiveTickLoader",
    "Minibatch",
    "TaskStatus",
]

make_lazy(__name__)
