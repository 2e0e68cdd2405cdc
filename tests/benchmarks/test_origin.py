import copy
import pickle
from types import SimpleNamespace

import pytest

from avalanche_emgd.benchmarks.origin import Origin
from tests.toy import toy_benchmark


def test_origins_are_compared_by_content():
    one, same, other = toy_benchmark(), toy_benchmark(), toy_benchmark(seed=1)
    origin = Origin.of(one.train_stream[0])
    assert origin == Origin.of(one.test_stream[0])
    assert origin == Origin(same)
    assert origin != Origin(other)
    assert origin != "else"


def test_ordinary_benchmarks_are_equal():
    ordinary = Origin.of(SimpleNamespace(benchmark=3))
    assert ordinary == Origin()
    assert ordinary.is_ordinary
    assert ordinary.fingerprint is None
    assert ordinary != Origin(toy_benchmark())


@pytest.mark.parametrize("way", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_copies_hold_the_fingerprint_only(way):
    origin = Origin(toy_benchmark())
    found = way(origin)
    assert found._benchmark is None
    assert found == origin
    with pytest.raises(TypeError):
        hash(found)
