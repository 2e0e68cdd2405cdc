"""All tasks of a live stream."""

from dataclasses import replace

from avalanche_emgd.benchmarks.live.additions import Addition
from avalanche_emgd.benchmarks.live.feeds import feed_of
from avalanche_emgd.benchmarks.live.map_source import MapSource
from avalanche_emgd.benchmarks.live.tasks import LiveTasks
from tests.benchmarks.live.common import numbered


def test_a_task_that_returns_keeps_its_label_and_its_classes():
    tasks = LiveTasks()
    source = MapSource(numbered(4), "data")
    for name in ("a", "b"):
        addition = Addition(name, source, {0, 1}, False, None)
        tasks.start(addition, feed_of(source, 2), has_delivered=False)
    task = tasks.named("a")
    task.end()
    assert tasks.active == [tasks.named("b")]
    tasks.start(replace(addition, name="a", classes={5}), feed_of(source, 2), has_delivered=True)
    assert tasks.names == ["a", "b"]
    assert tasks.named("a") is task
    assert (task.label, task.classes, task.rounds, task.has_delivered) == (0, {0, 1, 5}, 2, True)


def test_recent_samples_of_active_tasks_stay():
    tasks = LiveTasks()
    source = MapSource(numbered(4), "data")
    for name in ("a", "b"):
        feed = feed_of(source, 2)
        tasks.start(Addition(name, source, {0, 1}, False, None), feed, has_delivered=False)
        tasks[-1].note(feed.take(0.0), source.labels[:2], limit=2)
    tasks[0].end()
    tasks.end_rounds()
    assert [len(task.recent) for task in tasks] == [0, 1]
    assert tasks.started == list(tasks)
