import random
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from avalanche_emgd.experiments.report.runs import finished_runs
from avalanche_emgd.experiments.report.statistics import (
    Estimate,
    bootstrap_interval,
    choose_reference,
    compare,
    mean_ranks,
    student_interval,
    summarize,
)
from tests.experiments.report.records import done, failed, records_of, runs_of

FEW = st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=9)


@given(FEW)
def test_student_interval_is_that_of_a_t_test(values):
    estimate = student_interval(values)
    assert estimate.mean == pytest.approx(np.mean(values))
    assert estimate.n == len(values)
    if np.ptp(values) > 1e-9:
        expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
        assert (estimate.low, estimate.high) == pytest.approx(tuple(expected))


def test_student_interval_by_hand():
    # s = 2, n = 3, t = 4.3027: half a width of 4.3027 · 2 / √3
    assert student_interval([1.0, 3.0, 5.0]).high == pytest.approx(
        3.0 + 4.302652729749 * 2 / 3**0.5
    )


@pytest.mark.parametrize("interval", [student_interval, bootstrap_interval])
def test_a_single_value_has_no_interval(interval):
    assert interval([0.25]) == Estimate(0.25, None, None, 1)
    assert not interval([0.25]).excludes_zero


@pytest.mark.parametrize("interval", [student_interval, bootstrap_interval])
def test_equal_values_have_an_interval_without_width(interval):
    estimate = interval([0.25, 0.25, 0.25])
    assert (estimate.low, estimate.high) == pytest.approx((0.25, 0.25))
    assert estimate.excludes_zero


def test_excludes_zero():
    assert Estimate(1.0, 0.1, 2.0, 3).excludes_zero
    assert Estimate(-1.0, -2.0, -0.1, 3).excludes_zero
    assert not Estimate(1.0, -0.1, 2.0, 3).excludes_zero
    assert not Estimate(1.0, 0.0, 2.0, 3).excludes_zero


@pytest.mark.parametrize("values", [(0.0, 1.0), (0.0, 0.3, 1.0), (-2.0, 0.0, 0.5, 1.0)])
def test_bootstrap_interval_is_that_of_all_resamples(values):
    means = [np.mean(resample) for resample in product(values, repeat=len(values))]
    low, high = np.quantile(means, (0.025, 0.975), method="inverted_cdf")
    estimate = bootstrap_interval(values)
    assert (estimate.low, estimate.high) == pytest.approx((low, high))


def test_bootstrap_interval_is_scipys():
    values = np.random.default_rng(1).normal(0.1, 1.0, size=30)
    estimate = bootstrap_interval(values)
    expected = stats.bootstrap((values,), np.mean, method="percentile").confidence_interval
    assert (estimate.low, estimate.high) == pytest.approx(tuple(expected), abs=0.03)


@settings(max_examples=30)
@given(FEW, st.randoms(use_true_random=False))
def test_bootstrap_interval_does_not_depend_on_the_order(values, shuffler):
    shuffled = list(values)
    shuffler.shuffle(shuffled)
    one, other = bootstrap_interval(values), bootstrap_interval(shuffled)
    assert (one.low, one.high) == (other.low, other.high)
    assert one.mean == pytest.approx(other.mean)


@settings(max_examples=30)
@given(FEW, st.floats(-10.0, 10.0))
def test_bootstrap_interval_moves_with_the_values(values, shift):
    one, other = bootstrap_interval(values), bootstrap_interval([v + shift for v in values])
    expected = [v + shift for v in (one.low, one.mean, one.high)]
    assert [other.low, other.mean, other.high] == pytest.approx(expected, abs=1e-9)


def test_differences_of_one_sign_always_exclude_zero():
    assert bootstrap_interval([0.001, 5.0]).excludes_zero
    assert not bootstrap_interval([-0.001, 5.0]).excludes_zero


def test_mean_ranks_by_hand():
    ranks, blocks = mean_ranks(runs_of({"a": [0.9, 0.1], "b": [0.5, 0.5], "c": [0.1, 0.4]}))
    assert ranks == {"a": 2.0, "b": 1.5, "c": 2.5}
    assert blocks == 2


def test_ties_share_the_average_of_their_ranks():
    ranks, _ = mean_ranks(runs_of({"a": [0.5], "b": [0.5], "c": [0.9], "d": [0.1]}))
    assert ranks == {"a": 2.5, "b": 2.5, "c": 1.0, "d": 4.0}


def test_ranks_leave_out_blocks_that_are_not_complete():
    # In block 0 alone a is the best; in block 1, where b is missing, it would be the worst.
    ranks, blocks = mean_ranks(runs_of({"a": [0.9, 0.0], "b": [0.5, None], "c": [0.1, 0.5]}))
    assert ranks == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert blocks == 1


def test_no_ranks_without_a_complete_block():
    assert mean_ranks(runs_of({"a": [0.9, None], "b": [None, 0.5]})) == ({}, 0)


def test_summary_of_a_method():
    records = [
        {**done("a", 0.4, 0.6, seed=0), "ticks_per_second": 1.0, "peak_memory_mb": 100.0},
        {**done("a", 0.5, 0.9, seed=1), "ticks_per_second": 9.0, "peak_memory_mb": 900.0},
        {**done("a", 0.6, 0.9, seed=2), "ticks_per_second": 2.0, "peak_memory_mb": 200.0},
        failed("a", seed=3),
    ]
    (summary,) = summarize(finished_runs(records, "class"))
    assert summary.method == "a"
    assert summary.runs == 3
    assert summary.A_ebar == student_interval([0.4, 0.5, 0.6])
    assert summary.A_e == student_interval([0.6, 0.9, 0.9])
    assert summary.F_ebar.mean == pytest.approx(summary.A_ebar.mean - summary.A_e.mean)
    assert (summary.ticks_per_second, summary.peak_memory_mb) == (2.0, 200.0)
    assert summary.rank == 1.0


def test_summaries_are_sorted_by_accuracy_at_the_end():
    summaries = summarize(runs_of({"b": [0.5], "a": [0.5], "c": [0.9]}))
    assert [summary.method for summary in summaries] == ["c", "a", "b"]


def test_comparison_by_hand():
    runs = runs_of({"ref": [0.5, 0.6, 0.7, 0.8], "a": [0.6, 0.6, 0.6, None]})
    (comparison,) = compare(runs, "ref")
    assert comparison.method == "a"
    assert comparison.pairs == 3
    assert comparison.A_ebar.mean == pytest.approx(0.0)
    assert comparison.wins == 0.5  # one win, one tie, one loss
    assert comparison.F_ebar == comparison.A_ebar  # A_e is the same in all runs


def test_pairs_share_label_set_time_line_and_seed():
    records = [
        done("ref", 0.1, label_set=0, timeline=0, seed=0),
        done("ref", 0.2, label_set=1, timeline=0, seed=0),
        done("ref", 0.3, label_set=0, timeline=1, seed=0),
        done("ref", 0.4, label_set=0, timeline=0, seed=1),
        done("ref", 0.9, label_set=0, timeline=0, seed=0, scenario="task"),
        done("a", 0.35, label_set=0, timeline=1, seed=0),
        done("a", 0.7, label_set=1, timeline=1, seed=0),
    ]
    (comparison,) = compare(finished_runs(records, "class"), "ref")
    assert comparison.pairs == comparison.A_ebar.n == 1
    assert comparison.A_ebar.mean == pytest.approx(0.05)
    assert comparison.A_ebar.low is None


def test_no_pairs():
    (comparison,) = compare(runs_of({"ref": [0.5, None], "a": [None, 0.6]}), "ref")
    assert comparison.pairs == 0
    assert (comparison.A_ebar, comparison.F_ebar, comparison.wins) == (None, None, None)
    assert all(c.pairs == 0 for c in compare(runs_of({"a": [0.5], "b": [0.5]}), "elsewhere"))


def test_comparisons_are_sorted_by_difference_and_those_without_pairs_come_last():
    figures = {"ref": [0.5, None], "d": [None, 0.9], "a": [0.4, 0.9], "b": [0.6, 0.1]}
    comparisons = compare(runs_of(figures), "ref")
    assert [comparison.method for comparison in comparisons] == ["b", "a", "d"]


@settings(max_examples=30)
@given(FEW, st.floats(-0.5, 0.5))
def test_a_constant_moves_the_differences_of_a_method_by_itself(values, shift):
    figures = {"ref": [0.5] * len(values), "a": values}
    moved = {**figures, "a": [value + shift for value in values]}
    (one,), (other,) = compare(runs_of(figures), "ref"), compare(runs_of(moved), "ref")
    for name in ("A_ebar", "F_ebar"):
        before, after = getattr(one, name), getattr(other, name)
        expected = [v + shift for v in (before.mean, before.low, before.high)]
        assert [after.mean, after.low, after.high] == pytest.approx(expected, abs=1e-9)


def test_a_shift_of_a_whole_block_changes_no_difference():
    figures = {"ref": [0.5, 0.6, 0.2], "a": [0.6, 0.5, 0.4]}
    moved = {method: [v[0] + 0.25, *v[1:]] for method, v in figures.items()}
    (one,), (other,) = compare(runs_of(figures), "ref"), compare(runs_of(moved), "ref")
    assert other.A_ebar.low == pytest.approx(one.A_ebar.low)
    assert other.wins == one.wins


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_records_changes_nothing(seed):
    values = np.random.default_rng(seed).random((4, 6)).round(2)
    values[1] = values[0]  # ties between methods, too
    records = records_of({method: list(row) for method, row in zip("abcd", values, strict=True)})
    records += records_of({"a": [0.3], "e": [0.4, 0.5]}, scenario="task")
    shuffled = random.Random(seed).sample(records, len(records))
    one, other = (finished_runs(each, "class") for each in (records, shuffled))
    assert summarize(one) == summarize(other)
    assert compare(one, "b") == compare(other, "b")
    assert choose_reference(records) == choose_reference(shuffled)


def test_reference_is_the_one_that_is_wanted():
    assert choose_reference(records_of({"emgd-gmc": [0.9], "b": [0.1]}), "b") == "b"


def test_reference_is_emgd_gmc_if_it_is_there():
    assert choose_reference(records_of({"emgd-gmc": [0.1], "b": [0.9]})) == "emgd-gmc"


def test_reference_is_otherwise_the_best_of_the_first_scenario():
    records = records_of({"a": [0.1], "b": [0.2]}) + records_of(
        {"a": [0.9], "b": [0.1]}, scenario="task"
    )
    assert choose_reference([*records, failed("emgd-gmc")]) == "b"


def test_no_reference_without_finished_runs():
    assert choose_reference([failed("a")]) is None


@pytest.mark.parametrize("records", [[done("a"), failed("b")], [failed("b")]])
def test_reference_must_have_finished_runs(records):
    with pytest.raises(ValueError, match="`reference` must be a method with finished runs"):
        choose_reference(records, "b")
