"""Times that a live stream can wait for."""

import pytest

from avalanche_emgd.benchmarks.live.seconds import check_seconds


@pytest.mark.parametrize("value", [None, "1", True, -1, float("nan"), float("inf"), 2e6])
def test_what_is_no_time_is_refused(value):
    with pytest.raises(ValueError, match="`max_wait` must be a number of seconds, at least 0"):
        check_seconds("max_wait", value)


def test_times():
    for value in (0, 0.5, 1e6):
        check_seconds("max_wait", value)
    with pytest.raises(ValueError, match="`poll` must be a number of seconds, above 0"):
        check_seconds("poll", 0.0, is_positive=True)
