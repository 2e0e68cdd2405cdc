"""Streams whose sources have no data."""

import warnings

import pytest

from avalanche_emgd.benchmarks.live import LiveStream
from avalanche_emgd.benchmarks.live.waiting import Waiting


def test_waiting_ends_at_its_limit():
    waiting = Waiting()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not waiting.is_over(None)
        assert not waiting.is_over(60.0)
    with pytest.warns(UserWarning, match=r"for 0 seconds \(`max_idle`\), so training returns"):
        assert waiting.is_over(0.0)


def test_a_stream_that_waits_says_so(monkeypatch):
    monkeypatch.setattr("avalanche_emgd.benchmarks.live.waiting._PATIENCE", 0.05)
    stream = LiveStream(max_idle=0.3)
    with pytest.warns(UserWarning, match="the stream waits for data, for add_task"):
        assert list(stream) == []
