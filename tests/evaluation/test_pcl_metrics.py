import pytest
import torch
from avalanche.evaluation.metrics import accuracy_metrics, forgetting_metrics
from avalanche.training import JointTraining, Naive

from avalanche_emgd import AvgGradStrategy, EMGDStrategy, Timeline, pcl_metrics
from avalanche_emgd.evaluation import PCLMetrics, PCLResult, TestSamples, accuracy
from avalanche_emgd.models import ClassMask
from tests.toy import toy_benchmark
from tests.training.common import avalanche_strategy, quiet, toy_model, toy_strategy, weights_of


def by_hand(model, benchmark, task, allowed):
    """Compute the accuracy of a task with PyTorch alone."""
    data = benchmark.test_stream[task].dataset
    correct = 0
    model.eval()
    for i in range(len(data)):
        logits = model(data[i][0][None])[0]
        correct += max(allowed, key=lambda c: float(logits[c])) == int(data[i][1])
    model.train()
    return correct / len(data)


def allowed_classes(benchmark, experience, task):
    if benchmark.scenario == "task":
        return benchmark.label_sets[task]
    return experience.classes_seen_so_far


@pytest.mark.parametrize("scenario", ["task", "class"])
@pytest.mark.parametrize("kind", [EMGDStrategy, AvgGradStrategy])
def test_each_task_is_tested_at_its_own_end_and_at_the_very_end(scenario, kind):
    benchmark = toy_benchmark((60, 60, 60), scenario=scenario)
    metrics = PCLMetrics(benchmark)
    strategy = toy_strategy(kind, memory_size=6, evaluator=quiet(metrics))
    at_end = {}
    for experience in benchmark.train_stream:
        assert metrics.result() is None
        strategy.train(experience)
        for task in experience.finishing_tasks:
            allowed = allowed_classes(benchmark, experience, task)
            at_end[task] = by_hand(strategy.model, benchmark, task, allowed)
    final = [
        by_hand(strategy.model, benchmark, t, allowed_classes(benchmark, experience, t))
        for t in range(3)
    ]
    result = metrics.result()
    assert result.at_end == pytest.approx([at_end[t] for t in range(3)])
    assert result.final == pytest.approx(final)
    assert result.A_e == pytest.approx(sum(at_end.values()) / 3)
    assert result.A_ebar == pytest.approx(sum(final) / 3)
    assert result.F_ebar == pytest.approx(result.A_ebar - result.A_e)


def test_sign_of_forgetting():
    assert PCLResult((0.9, 0.8), (0.5, 0.8)).F_ebar == pytest.approx(-0.2)


@pytest.mark.parametrize("driven", ["stream", "loop", "loop with eval", "periodic eval"])
def test_results_do_not_depend_on_how_training_is_called(driven):
    benchmark = toy_benchmark((60, 60, 60))
    metrics = PCLMetrics(benchmark, every=3)
    others = [accuracy_metrics(experience=True, stream=True), forgetting_metrics(experience=True)]
    options = {"eval_every": 1} if driven == "periodic eval" else {}
    strategy = toy_strategy(memory_size=6, evaluator=quiet(metrics, *others), **options)
    if driven == "stream":
        strategy.train(benchmark.train_stream)
    elif driven == "periodic eval":
        strategy.train(benchmark.train_stream, eval_streams=[benchmark.test_stream])
    else:
        for experience in benchmark.train_stream:
            strategy.train(experience)
            if driven == "loop with eval":
                strategy.eval(benchmark.test_stream)
    reference = PCLMetrics(benchmark)
    toy_strategy(memory_size=6, evaluator=quiet(reference)).train(benchmark.train_stream)
    assert metrics.result() == reference.result()


def test_values_are_in_avalanches_results():
    benchmark = toy_benchmark()
    strategy = toy_strategy(
        memory_size=6, evaluator=quiet(pcl_metrics(benchmark), accuracy_metrics(epoch=True))
    )
    results = strategy.train(benchmark.train_stream)
    names = {"A_e", "A_ebar", "F_ebar", "Timeline"}
    for task in benchmark.task_names:
        names |= {f"{kind}/{task}" for kind in ("Accuracy", "Accuracy_At_End", "Accuracy_Final")}
    assert names <= set(results)
    assert results["F_ebar"] == pytest.approx(results["A_ebar"] - results["A_e"])


def test_tests_every_few_iterations():
    benchmark = toy_benchmark()
    metrics = PCLMetrics(benchmark, every=2)
    toy_strategy(evaluator=quiet(metrics)).train(benchmark.train_stream)
    ends = {e.ticks.stop for e in benchmark.train_stream}
    for task, (first, _) in enumerate(benchmark.timeline.spans):
        ticks = [tick for tick, _ in metrics.history[task]]
        last = benchmark.timeline.num_ticks
        segment_start = max(e.ticks.start for e in benchmark.train_stream if e.ticks.start <= first)
        expected = {k for k in range(segment_start + 1, last + 1) if k % 2 == 0 or k in ends}
        assert ticks == sorted(expected)


def test_joint_training_ends_all_tasks_at_once():
    benchmark = toy_benchmark()
    metrics = PCLMetrics(benchmark)
    model = toy_model()
    strategy = avalanche_strategy(
        JointTraining,
        model,
        train_mb_size=4,
        evaluator=quiet(metrics),
    )
    strategy.train(benchmark.train_stream)
    result = metrics.result()
    assert result.at_end == result.final
    assert result.F_ebar == 0.0
    everything = benchmark.train_stream[-1].classes_seen_so_far
    assert list(result.final) == pytest.approx(
        [by_hand(model, benchmark, t, everything) for t in range(3)]
    )


def test_masks_the_logits_of_strategies_without_mask():
    """Naive does not mask logits; the metric masks them by the scenario."""
    benchmark = toy_benchmark(scenario="task")
    metrics = PCLMetrics(benchmark)
    model = toy_model()
    strategy = avalanche_strategy(
        Naive,
        model,
        train_mb_size=4,
        evaluator=quiet(metrics),
    )
    strategy.train(benchmark.train_stream)
    expected = [by_hand(model, benchmark, t, benchmark.label_sets[t]) for t in range(3)]
    assert list(metrics.result().final) == pytest.approx(expected)


def test_tests_do_not_change_the_model():
    model = torch.nn.Sequential(
        torch.nn.Linear(5, 6), torch.nn.BatchNorm1d(6), torch.nn.Dropout(0.5)
    )
    model[2].eval()
    before = [weights_of(model), model[1].running_mean.clone()]
    benchmark = toy_benchmark()
    mask = ClassMask().for_evaluation(benchmark.test_stream[0])
    accuracy(model, TestSamples(benchmark.test_stream[0]), mask, batch_size=3)
    assert [module.training for module in model] == [True, True, False]
    assert torch.equal(before[0], weights_of(model))
    assert torch.equal(before[1], model[1].running_mean)


def test_masked_classes_are_never_right():
    """A task that has not started is never predicted, even if its logits come first."""
    benchmark = toy_benchmark((8, 8), timeline=Timeline.serial([2, 2]))
    mask = ClassMask()
    mask.observe(benchmark.train_stream[0])
    assert accuracy(toy_model(), TestSamples(benchmark.test_stream[1]), mask) == 0.0


def test_a_second_run_has_new_measurements():
    benchmark = toy_benchmark()
    metrics = PCLMetrics(benchmark)
    for _ in range(2):
        toy_strategy(memory_size=6, evaluator=quiet(metrics)).train(benchmark.train_stream)
    assert len({tick for tick, _ in metrics.history[0]}) == len(metrics.history[0])


def test_experiences_of_other_benchmarks_are_ignored():
    metrics = PCLMetrics(toy_benchmark())
    toy_strategy(evaluator=quiet(metrics)).train(toy_benchmark(batch_size=5).train_stream)
    assert metrics.result() is None


def test_not_a_benchmark():
    with pytest.raises(TypeError, match="`benchmark` must be a ParallelBenchmark, found Eager"):
        PCLMetrics(toy_benchmark().train_stream)


def test_bad_interval():
    with pytest.raises(ValueError, match="`every` must be a whole number, at least 0, found -1"):
        PCLMetrics(toy_benchmark(), every=-1)
