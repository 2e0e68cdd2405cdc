import pytest
import torch
from avalanche.benchmarks import class_incremental_benchmark
from avalanche.benchmarks.utils import as_classification_dataset

from avalanche_emgd.models import ClassMask, is_masked
from tests.toy import toy_benchmark, toy_datasets


def allowed(mask, tasks, width=6):
    logits = torch.zeros(len(tasks), width)
    masked = mask(logits, torch.tensor(tasks))
    return [[c for c in range(width) if not row[c]] for row in is_masked(masked)]


def test_task_incremental_allows_the_classes_of_the_samples_task():
    mask = ClassMask()
    mask.observe(toy_benchmark(scenario="task").train_stream[0])
    assert allowed(mask, [0, 2, 1]) == [[0, 1], [4, 5], [2, 3]]


def test_class_incremental_allows_started_classes():
    mask = ClassMask()
    benchmark = toy_benchmark()
    started = []
    for experience in benchmark.train_stream:
        mask.observe(experience)
        started.append(allowed(mask, [0]))
    assert started == [
        [[0, 1]],
        [[0, 1, 2, 3]],
        [[0, 1, 2, 3]],
        [[0, 1, 2, 3, 4, 5]],
        [[0, 1, 2, 3, 4, 5]],
    ]


def test_evaluation_keeps_the_started_tasks():
    mask, benchmark, other = ClassMask(), toy_benchmark(), toy_benchmark(batch_size=5)
    mask.observe(benchmark.train_stream[1])
    for experience in (benchmark.test_stream[2], benchmark.train_stream[-1]):
        assert allowed(mask.for_evaluation(experience), [2]) == [[0, 1, 2, 3]]
    assert allowed(mask.for_evaluation(other.test_stream[0]), [0]) == [[0, 1, 2, 3, 4, 5]]
    assert allowed(mask, [2]) == [[0, 1, 2, 3]]


def test_evaluation_without_training_lets_all_compete():
    mask = ClassMask().for_evaluation(toy_benchmark().test_stream[0])
    assert allowed(mask, [0]) == [[0, 1, 2, 3, 4, 5]]


def test_joint_training_starts_all_tasks():
    mask = ClassMask()
    mask.observe(toy_benchmark().train_stream[0], all_started=True)
    assert allowed(mask, [0]) == [[0, 1, 2, 3, 4, 5]]


def test_outputs_beyond_the_classes_never_compete():
    for scenario in ("task", "class"):
        mask = ClassMask()
        mask.observe(toy_benchmark(scenario=scenario).train_stream[-1])
        assert max(allowed(mask, [2], width=9)[0]) == 5


def test_logits_are_unchanged_if_all_classes_compete():
    mask, benchmark = ClassMask(), toy_benchmark()
    few, all_of_them = benchmark.train_stream[1], benchmark.train_stream[-1]
    logits, tasks = torch.randn(3, 6), torch.tensor([0, 1, 2])
    for experience, is_masked_somewhere in (
        (few, True),
        (all_of_them, False),
        (few, False),  # all have started by then
    ):
        mask.observe(experience)
        assert (mask(logits, tasks) is not logits) is is_masked_somewhere
    wider = torch.randn(3, 7)
    assert is_masked(mask(wider, tasks)).sum() == 3


def test_logits_of_ordinary_experiences_are_unchanged():
    (data,) = toy_datasets([8])
    data.targets = data.tensors[1].tolist()
    data = as_classification_dataset(data)
    ordinary = class_incremental_benchmark({"train": data}, num_experiences=2)
    mask = ClassMask()
    mask.observe(toy_benchmark().train_stream[0])
    mask.observe(ordinary.train_stream[0])
    assert allowed(mask, [0]) == [[0, 1, 2, 3, 4, 5]]


def test_masked_logits_get_no_gradient():
    mask = ClassMask()
    mask.observe(toy_benchmark(scenario="task").train_stream[0])
    logits = torch.randn(3, 6, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(
        mask(logits, torch.tensor([0, 1, 1])), torch.tensor([0, 2, 3])
    )
    loss.backward()
    assert bool(logits.grad.isfinite().all())
    assert (logits.grad[0, 2:] == 0).all()
    assert (logits.grad[1:, [0, 1, 4, 5]] == 0).all()


def test_too_few_outputs():
    mask = ClassMask()
    mask.observe(toy_benchmark().train_stream[0])
    with pytest.raises(ValueError, match=r"`model` has 5 outputs.*up to 5: give it 6 outputs"):
        mask(torch.zeros(1, 5), torch.tensor([0]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_masked_is_minus_infinity_to_a_softmax_and_harmless_to_a_product(dtype):
    mask = ClassMask()
    mask.observe(toy_benchmark(scenario="task").train_stream[0])
    masked = mask(torch.zeros(1, 6, dtype=dtype), torch.tensor([1]))
    assert masked.softmax(1).tolist() == [[0.0, 0.0, 0.5, 0.5, 0.0, 0.0]]
    assert bool((masked.log_softmax(1) * 0.0 == 0.0).all())


def test_tasks_of_earlier_segments_have_started_in_any_order():
    benchmark, mask = toy_benchmark(), ClassMask()
    mask.observe(benchmark.train_stream[2])
    mask.observe(toy_benchmark().train_stream[0])  # made again: the same one
    assert mask.started_tasks == (0, 1)
    assert allowed(mask, [0]) == [[0, 1, 2, 3]]
    mask.observe(toy_benchmark(batch_size=5).train_stream[0])
    assert allowed(mask, [0]) == [[0, 1]]


def test_classes_in_memory_and_classes_that_are_admitted_compete():
    benchmark, mask = toy_benchmark(), ClassMask()
    mask.observe(benchmark.train_stream[0], held=[3])
    assert allowed(mask, [0]) == [[0, 1, 3]]
    mask.admit(torch.tensor([5, 0, 5]), torch.tensor([2, 0, 2]))
    assert allowed(mask, [0]) == [[0, 1, 3, 5]]
    assert allowed(mask.for_evaluation(benchmark.test_stream[0]), [0]) == [[0, 1, 3, 5]]
    mask.observe(benchmark.train_stream[0])
    assert allowed(mask, [0]) == [[0, 1]]


def test_in_the_task_scenario_a_class_belongs_to_its_task():
    mask = ClassMask()
    mask.observe(toy_benchmark(scenario="task").train_stream[0])
    mask.admit(torch.tensor([5, 0]), torch.tensor([2, 0]))
    with pytest.raises(ValueError, match=r"class 5 and task 1, which has the classes \[2, 3\]"):
        mask.admit(torch.tensor([0, 5]), torch.tensor([0, 1]))


def test_targets_that_are_not_labels_are_ignored():
    mask = ClassMask()
    mask.observe(toy_benchmark().train_stream[0])
    mask.admit(torch.rand(2, 6), torch.tensor([0, 0]))
    mask.admit(torch.rand(2), torch.tensor([0, 0]))
    assert allowed(mask, [0]) == [[0, 1]]
