"""The keyword options of all benchmarks that divide classes into tasks, each declared here only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypedDict

from .._options import Default
from .scenario import Scenario
from .sizes import Sizes
from .timeline import Timeline

__all__ = ["StreamOptions"]


class StreamOptions(TypedDict, total=False):
    """Keyword options of the ready-made benchmarks, and of benchmarks of your own data.

    :param scenario: scenario, ``"task"`` or ``"class"`` (the default), see
        :class:`ParallelBenchmark`.
    :param seed: seed of the order of delivery, of label sets and time line where omitted, and of
        test samples where these are drawn; 0 by default.
    :param batch_size: samples of each task at each tick, 32 by default.
    :param num_tasks: number of tasks, if no label sets are given; 5 by default.
    :param label_sets: classes of each task, for example from a :class:`Protocol`; random sets of
        similar size if omitted.
    :param timeline: time line, fitted to the data; random without idle gap if omitted.
    :param epochs: passes over each task's samples within its span, 1 by default.
    """

    scenario: Annotated[Scenario, Default("class")]
    seed: Annotated[int, Default(0)]
    batch_size: Annotated[int, Default(Sizes.batch_size)]
    num_tasks: Annotated[int, Default(Sizes.num_tasks)]
    label_sets: Annotated[Sequence[Sequence[int]] | None, Default(None)]
    timeline: Annotated[Timeline | None, Default(None)]
    epochs: Annotated[int, Default(1)]
