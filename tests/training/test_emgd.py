import warnings

import pytest
import torch
from avalanche.core import SupervisedPlugin
from torch import nn
from torchjd.aggregation import IMTLGWeighting, MGDAWeighting, PCGradWeighting

from avalanche_emgd import (
    AvgGradStrategy,
    EMGDStrategy,
    MultiGradientTemplate,
    Timeline,
    parallel_benchmark,
)
from avalanche_emgd.gradients import gramian_of
from avalanche_emgd.models import ClassMask
from avalanche_emgd.optim import GMC, EMGDWeighting
from tests.toy import toy_benchmark, toy_datasets
from tests.training.common import (
    assert_same_weights,
    quiet,
    toy_model,
    toy_strategy,
    weights_of,
)
from tests.training.recorder import Recorder
from tests.training.written_by_hand import by_hand


@pytest.mark.parametrize("scenario", ["task", "class"])
def test_equals_the_method_written_by_hand(scenario):
    benchmark = toy_benchmark(scenario=scenario)
    emgd = EMGDWeighting("gmc")

    def weighting(jacobian, objectives):
        emgd.set_objectives(objectives)
        return emgd(gramian_of(jacobian)).float()

    expected = by_hand(benchmark, toy_model(), 0.05, weighting)
    strategy = toy_strategy(elastic="gmc")
    strategy.train(benchmark.train_stream)
    assert_same_weights(weights_of(strategy.model), expected)


def test_objectives_are_the_active_tasks_and_the_memory():
    benchmark, recorder = toy_benchmark(), Recorder()
    toy_strategy(memory_size=6, plugins=[recorder]).train(benchmark.train_stream)
    assert [r["tick"] for r in recorder.ticks] == list(range(benchmark.timeline.num_ticks))
    seen = {}
    for record in recorder.ticks:
        seen.setdefault(tuple(record["objectives"]), []).append(record["tick"])
    assert list(seen) == [
        ("task0",),
        ("task0", "task1"),
        ("task1", "memory"),
        ("task1", "task2", "memory"),
        ("task2", "memory"),
    ]


def test_every_tick_descends_for_all_objectives():
    recorder = Recorder()
    toy_strategy(memory_size=6, elastic="mgda", plugins=[recorder]).train(
        toy_benchmark().train_stream
    )
    for record in recorder.ticks:
        slopes = record["gramian"] @ record["weights"]
        # The dual is solved to 1e-9.
        assert (slopes >= -1e-8 * record["gramian"].abs().max()).all()


@pytest.mark.parametrize("elastic", ["gmc", "gs", "mgda", "egda", GMC(1.0)])
@pytest.mark.parametrize("scenario", ["task", "class"])
def test_learns(elastic, scenario):
    benchmark = toy_benchmark((480, 480, 480), batch_size=8, scenario=scenario)
    strategy = toy_strategy(elastic=elastic, memory_size=30, lr=0.1)
    strategy.train(benchmark.train_stream)
    correct = total = 0
    for experience in benchmark.test_stream:
        mask = ClassMask().for_evaluation(experience)
        data = experience.dataset
        x = torch.stack([data[i][0] for i in range(len(data))])
        t = torch.full((len(data),), experience.task_label)
        y = torch.tensor(list(data.targets))
        correct += int((mask(strategy.model(x), t).argmax(1) == y).sum())
        total += len(data)
    # Chance is 1/2 and 1/6; two tasks of three forgotten leave 2/3 and 1/3.
    assert correct / total > {"task": 0.75, "class": 0.5}[scenario]


@pytest.mark.parametrize("options", [{}, {"memory_objectives": "per-task"}, {"elastic": "gs"}])
def test_same_seed_same_weights_bit_for_bit(options):
    def trained():
        strategy = toy_strategy(memory_size=10, **options)
        strategy.train(toy_benchmark().train_stream)
        return weights_of(strategy.model)

    assert torch.equal(trained(), trained())


def test_seed_matters():
    ends = []
    for seed in (0, 1):
        strategy = toy_strategy(memory_size=10, seed=seed)
        strategy.train(toy_benchmark().train_stream)
        ends.append(weights_of(strategy.model))
    assert not torch.equal(*ends)


def test_evaluation_between_experiences_does_not_change_training():
    benchmark = toy_benchmark()
    at_once = toy_strategy(memory_size=10)
    at_once.train(benchmark.train_stream)
    step_by_step = toy_strategy(memory_size=10)
    for experience in benchmark.train_stream:
        step_by_step.train(experience)
        step_by_step.eval(benchmark.test_stream)
    assert torch.equal(weights_of(at_once.model), weights_of(step_by_step.model))


@pytest.mark.parametrize("mode", ["iteration", "epoch"])
def test_evaluation_during_training_does_not_change_it(mode):
    from avalanche.evaluation.metrics import accuracy_metrics, loss_metrics

    benchmark = toy_benchmark()
    without = toy_strategy(memory_size=10)
    without.train(benchmark.train_stream)
    metrics = [accuracy_metrics(minibatch=True, stream=True), loss_metrics(epoch=True)]
    with_it = toy_strategy(memory_size=10, eval_every=1, peval_mode=mode, evaluator=quiet(*metrics))
    with_it.train(benchmark.train_stream, eval_streams=[benchmark.test_stream])
    assert torch.equal(weights_of(without.model), weights_of(with_it.model))


def test_epochs_repeat_each_segment():
    recorder = Recorder()
    benchmark = toy_benchmark()
    toy_strategy(train_epochs=2, plugins=[recorder]).train(benchmark.train_stream[:1])
    assert [r["tick"] for r in recorder.ticks] == 2 * list(benchmark.train_stream[0].ticks)


def test_nan_names_the_task():
    datasets = toy_datasets([8, 8])
    benchmark = parallel_benchmark(datasets, datasets, Timeline.joint([2, 2]), batch_size=4)
    datasets[1].tensors[0][5] = float("nan")  # in data when they are examined, it is an error then
    for kind in (AvgGradStrategy, EMGDStrategy):
        with pytest.raises(ValueError, match=r"loss of objective 'task1' \(nan\) .* at tick \d"):
            toy_strategy(kind).train(benchmark.train_stream)


def test_too_few_outputs_are_an_error():
    with pytest.raises(ValueError, match="give it 6 outputs"):
        toy_strategy(model=toy_model(4)).train(toy_benchmark().train_stream)


def test_criterion_must_be_a_scalar():
    strategy = toy_strategy(criterion=nn.CrossEntropyLoss(reduction="none"))
    with pytest.raises(ValueError, match=r"`criterion` must return a scalar.*found shape \(4,\)"):
        strategy.train(toy_benchmark().train_stream)


def test_any_torchjd_weighting():
    for weighting in (PCGradWeighting(), IMTLGWeighting(), MGDAWeighting()):
        strategy = toy_strategy(MultiGradientTemplate, weighting=weighting, memory_size=6)
        strategy.train(toy_benchmark().train_stream)
        assert bool(weights_of(strategy.model).isfinite().all())


def test_no_warnings_from_construction():
    model = toy_model()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        EMGDStrategy(
            model,
            optimizer=torch.optim.SGD(model.parameters(), lr=0.1),
            plugins=[Recorder()],
            memory_size=3,
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"memory_size": -1}, "`memory_size` must be a whole number, at least 0, found -1"),
        ({"train_mb_size": 0}, "`train_mb_size` must be a whole number, at least 1"),
        ({"eval_mb_size": 0}, "`eval_mb_size`"),
        ({"train_epochs": 0}, "`train_epochs`"),
        ({"memory_size": 50.0}, "`memory_size` must be a whole number, at least 0, found 50.0"),
        ({"elastic": "best"}, "`elastic` must be one of"),
        ({"memory_size": 4, "memory_objectives": "all"}, "`memory_objectives` must be 'one' or"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        toy_strategy(**options)


@pytest.mark.parametrize("other", [False, True])
def test_evaluating_other_streams_changes_nothing(other):
    benchmark = toy_benchmark()
    stream = toy_benchmark().test_stream if other else benchmark.train_stream
    without = toy_strategy()
    without.train(benchmark.train_stream)
    with_it = toy_strategy(eval_every=1, peval_mode="iteration")
    with_it.train(benchmark.train_stream, eval_streams=[stream])
    assert torch.equal(weights_of(without.model), weights_of(with_it.model))


def test_memory_of_another_benchmark_is_refused():
    strategy = toy_strategy(memory_size=6)
    strategy.train(toy_benchmark().train_stream)
    with pytest.raises(ValueError, match=r"another benchmark .* make a new strategy"):
        strategy.train(toy_benchmark(batch_size=5).train_stream)
    strategy.train(toy_benchmark().train_stream)  # the same one, made again


class Doubled(SupervisedPlugin):
    def before_training_iteration(self, strategy, **kwargs):
        for i in range(3):
            strategy.mbatch[i] = torch.cat([strategy.mbatch[i]] * 2)


def test_samples_without_an_objective_are_refused():
    with pytest.raises(ValueError, match="`mbatch` has 8 samples, of which 4 belong to"):
        toy_strategy(plugins=[Doubled()]).train(toy_benchmark().train_stream)
