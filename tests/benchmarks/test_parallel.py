from avalanche.benchmarks import CLScenario

from tests.toy import toy_benchmark


def test_is_an_avalanche_benchmark():
    benchmark = toy_benchmark()
    assert isinstance(benchmark, CLScenario)
    assert set(benchmark.streams) == {"train", "test"}
    assert benchmark.train_stream[0].origin_stream.benchmark is benchmark
    assert [e.current_experience for e in benchmark.train_stream] == [0, 1, 2, 3, 4]
