import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avalanche_emgd import Timeline

lengths = st.lists(st.integers(1, 40), min_size=1, max_size=8)
spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 30)).map(lambda s: (s[0], s[0] + s[1] - 1)),
    min_size=1,
    max_size=8,
)


def test_serial_tasks_follow_one_another_without_gap():
    assert Timeline.serial([3, 2, 4]).spans == ((0, 2), (3, 4), (5, 8))


def test_joint_starts_all_tasks_at_once():
    assert Timeline.joint([3, 2, 4]).spans == ((0, 2), (0, 1), (0, 3))


def test_overlap_lies_between_serial_and_joint():
    assert Timeline.overlapping([10, 10, 10], 0.5).spans == ((0, 9), (5, 14), (10, 19))
    assert Timeline.overlapping([10, 10], 0.0) == Timeline.serial([10, 10])
    assert Timeline.overlapping([10, 10], 1.0) == Timeline.joint([10, 10])


@given(lengths, st.integers(0, 1000))
def test_random_has_the_lengths_and_no_idle_gap(lengths, seed):
    timeline = Timeline.random(lengths, seed)
    assert timeline.lengths == tuple(lengths)
    assert timeline == Timeline.random(lengths, seed)
    starts = [first for first, _ in timeline.spans]
    assert starts[0] == 0
    assert starts == sorted(starts)
    assert sum(len(s.ticks) for s in timeline.segments()) == timeline.num_ticks


def test_random_starts_reach_both_ends():
    seconds = {Timeline.random([4, 4], seed).spans[1][0] for seed in range(200)}
    assert seconds == {0, 1, 2, 3}


@given(spans)
def test_segments_partition_the_active_ticks(spans):
    timeline = Timeline(tuple(spans))
    segments = timeline.segments()
    assert len(segments) <= 2 * timeline.num_tasks - 1
    active = {
        tick: tuple(t for t, (a, b) in enumerate(spans) if a <= tick <= b)
        for tick in range(timeline.num_ticks)
    }
    covered = {tick: segment.tasks for segment in segments for tick in segment.ticks}
    assert covered == {tick: tasks for tick, tasks in active.items() if tasks}
    for one, other in itertools.pairwise(segments):
        assert one.tasks != other.tasks or other.start > one.end + 1 or one.finishing
    for task, (first, last) in enumerate(spans):
        assert [s.start for s in segments if task in s.starting] == [first]
        assert [s.end for s in segments if task in s.finishing] == [last]


@given(spans)
def test_fit_to_the_same_lengths_changes_nothing(spans):
    timeline = Timeline(tuple(spans))
    assert timeline.fit(timeline.lengths) == timeline


@given(spans, st.integers(2, 9))
def test_fit_to_multiples_multiplies(spans, factor):
    starting_at_zero = min(first for first, _ in spans)
    timeline = Timeline(tuple((a - starting_at_zero, b - starting_at_zero) for a, b in spans))
    fitted = timeline.fit([factor * length for length in timeline.lengths])
    for (first, last), (a, b) in zip(timeline.spans, fitted.spans, strict=True):
        assert (a, b) == (factor * first, factor * (last + 1) - 1)


@given(spans, st.data())
def test_fit_keeps_the_order_of_starts(spans, data):
    timeline = Timeline(tuple(spans))
    new = data.draw(st.lists(st.integers(1, 50), min_size=len(spans), max_size=len(spans)))
    fitted = timeline.fit(new)
    assert fitted.lengths == tuple(new)
    order = sorted(range(len(spans)), key=lambda t: timeline.spans[t][0])
    starts = [fitted.spans[t][0] for t in order]
    assert starts == sorted(starts)


def test_fit_keeps_the_relative_progress_of_the_predecessor():
    timeline = Timeline(((0, 99), (50, 149), (75, 174)))
    assert timeline.fit([10, 40, 8]).spans == ((0, 9), (5, 44), (15, 22))


def test_fit_leaves_no_gap_after_a_long_predecessor():
    timeline = Timeline(((0, 99), (10, 19), (100, 109)))  # task 2 follows task 0, not task 1
    assert timeline.fit([50, 10, 10]).spans == ((0, 49), (5, 14), (50, 59))


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ((), "at least one task"),
        (((-1, 3),), r"`spans\[0\]` must not start before tick 0, found \(-1, 3\)"),
        (((0, 3), (5, 4)), r"`spans\[1\]` must not end before it starts"),
        (((0, 1.5),), "pair of integers"),
        (((0, 1, 2),), "pair of integers"),
        ((7,), "pair of integers"),
        (((True, 3),), "pair of integers"),
    ],
)
def test_bad_spans(spans, message):
    with pytest.raises(ValueError, match=message):
        Timeline(spans)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Timeline.serial([]), "at least one task"),
        (lambda: Timeline.serial([3, 0]), r"`lengths\[1\]` must be an integer ≥ 1, found 0"),
        (lambda: Timeline.random([2.5], 0), r"`lengths\[0\]`.*2.5"),
        (lambda: Timeline.overlapping([3, 3], 1.5), r"`overlap` must be in \[0, 1\], found 1.5"),
        (lambda: Timeline.serial([3, 3]).fit([1]), "one entry for each of the 2 tasks, found 1"),
        (lambda: Timeline.serial([3, 3]).plot(["a"]), "`names` must name 2 tasks"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_is_immutable():
    with pytest.raises(AttributeError):
        Timeline.serial([2]).spans = ()


def test_plot_draws_a_bar_per_task():
    timeline = Timeline(((0, 9), (5, 19)))
    (ax,) = timeline.plot(["digits", "letters"]).axes
    bars = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert bars == [(0, 10), (5, 20)]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["digits", "letters"]
