from avalanche_emgd.experiments.report.statistics import Estimate
from avalanche_emgd.experiments.report.words import (
    count,
    difference,
    duration,
    interval,
    rate,
    signed,
)


def test_words():
    estimate = Estimate(0.1, 0.05, 0.15, 4)
    assert interval(estimate) == "10.0 ± 5.0"
    assert difference(estimate) == "+10.0 [+5.0, +15.0]"
    assert difference(Estimate(-0.1, None, None, 1)) == "−10.0"
    assert interval(Estimate(-0.1, None, None, 1)) == "−10.0"
    assert [signed(v) for v in (0.0, 1e-9, -1e-9)] == ["0.0", "+0.0", "−0.0"]
    assert [duration(s) for s in (3.4, 63.0, 3725.0)] == ["3 s", "1 min 3 s", "1 h 2 min"]
    assert [rate(v) for v in (5.04, 123.4)] == ["5.0", "123"]
    assert [count(n, "run") for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
