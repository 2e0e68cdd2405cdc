import itertools

from tests.toy import samples_of, toy_benchmark


def test_deliveries_are_the_data_set_in_order():
    benchmark = toy_benchmark()
    for experience in benchmark.train_stream:
        flat = [delivery for tick in experience.deliveries for delivery in tick]
        assert flat[0].start == 0
        assert flat[-1].stop == len(experience.dataset)
        assert all(a.stop == b.start for a, b in itertools.pairwise(flat))
        tasks = samples_of(experience)[2]
        for delivery in flat:
            assert set(tasks[delivery.start : delivery.stop]) == {delivery.task}
        for tick in experience.deliveries:
            assert tuple(delivery.task for delivery in tick) == experience.active_tasks
