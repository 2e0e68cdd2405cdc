from tests.toy import samples_of, toy_benchmark


def test_one_experience_per_segment_and_one_test_experience_per_task():
    benchmark = toy_benchmark()
    segments = benchmark.timeline.segments()
    assert [e.ticks for e in benchmark.train_stream] == [s.ticks for s in segments]
    assert [e.active_tasks for e in benchmark.train_stream] == [s.tasks for s in segments]
    assert [e.finishing_tasks for e in benchmark.train_stream] == [s.finishing for s in segments]
    assert [e.starting_tasks for e in benchmark.train_stream] == [s.starting for s in segments]
    assert [e.is_last for e in benchmark.train_stream] == [False] * 4 + [True]
    assert [e.task_label for e in benchmark.test_stream] == [0, 1, 2]
    assert [e.classes_in_this_experience for e in benchmark.test_stream] == [[0, 1], [2, 3], [4, 5]]


def test_labels_of_samples():
    for experience in toy_benchmark().train_stream:
        ids, classes, tasks = samples_of(experience)
        assert [i // 1000 for i in ids] == tasks
        assert [c // 2 for c in classes] == tasks
        assert sorted(set(tasks)) == experience.task_labels
        assert list(experience.dataset.targets) == classes
        assert list(experience.dataset.targets_task_labels) == tasks


def test_classes_over_time():
    first, *_, last = toy_benchmark().train_stream
    assert (first.previous_classes, first.classes_seen_so_far) == ([], [0, 1])
    assert first.future_classes == [2, 3, 4, 5]
    assert last.classes_seen_so_far == [0, 1, 2, 3, 4, 5]
    assert last.future_classes == []
