import pytest
import torch
from torch.nn.functional import logsigmoid

from avalanche_emgd.models import is_masked
from avalanche_emgd.training.peers import ICaRLStrategy
from tests.tolerance import tolerance
from tests.toy import toy_benchmark, toy_datasets
from tests.training.common import TERMS, scenarios, toy_strategy
from tests.training.peers.by_hand import CheckLosses, Each, competing, frozen

TEST = torch.cat([data.tensors[0] for data in toy_datasets([8] * 3)])


def unit(vector):
    return vector / vector.norm().clamp(min=1e-12)


def nearest_mean(model, x, exemplars):
    """Compute minus the distances ``[B, 6]``, one by one; −inf for classes without exemplars."""
    logits = torch.full((len(x), 6), -torch.inf)
    for label, inputs in exemplars.items():
        mean = unit(sum(unit(model.backbone(p[None])[0]) for p in inputs))
        for row, sample in zip(logits, x, strict=True):
            row[label] = -(unit(model.backbone(sample[None])[0]) - mean).norm()
    return logits


def by_class(inputs, labels):
    exemplars = {}
    for sample, label in zip(inputs, labels.tolist(), strict=True):
        exemplars.setdefault(label, []).append(sample)
    return exemplars


@torch.no_grad()
def predictions(model):
    model.eval()
    logits = model(TEST)
    model.train()
    return logits


@torch.no_grad()
def check_predictions(strategy, exemplars):
    logits = predictions(strategy.model)
    expected = nearest_mean(strategy.model.model, TEST, exemplars)
    absent = expected.isinf()
    assert torch.equal(is_masked(logits), absent)
    # Near the mean, a distance is the square root of a difference that cancels.
    squares, bound = expected[~absent].square(), tolerance(torch.float32, TERMS)
    assert ((logits[~absent].square() - squares).abs() <= bound).all()
    assert (logits[~absent] <= 0.0).all()


@scenarios
def test_loss_is_binary_cross_entropy_with_a_teacher_of_finished_classes(scenario):
    teacher = {}

    def expected(strategy, part, x, y, t):
        total = 0.0
        now = strategy.model.model(x)
        for row, sample, label, task in zip(now, x, y.tolist(), t.tolist(), strict=True):
            for k in competing(strategy.experience, task):
                target = float(k == label)
                if k in teacher.get("classes", ()):
                    target = teacher["model"](sample[None])[0, k].sigmoid()
                total -= target * logsigmoid(row[k]) + (1.0 - target) * logsigmoid(-row[k])
        return total / len(y)

    check = CheckLosses(expected)
    strategy = toy_strategy(ICaRLStrategy, memory_size=12, lr=0.2, plugins=[check])
    for experience in toy_benchmark(scenario=scenario).train_stream:
        strategy.train(experience)
        for task in experience.finishing_tasks:
            teacher["model"] = frozen(strategy.model.model)
            teacher["classes"] = [*teacher.get("classes", ()), 2 * task, 2 * task + 1]
    assert check.checked["replayed"] >= 5
    assert check.checked["active"] >= 10


def test_predictions_are_by_the_exemplars_after_every_update():
    """The samples of the last tick are the exemplars of classes that are not in the memory."""
    sources = set()

    def check(strategy):
        inputs, labels, _ = strategy.memory.kept()
        exemplars = by_class(inputs, labels) if len(labels) else {}
        latest = by_class(*strategy.mbatch[:2])
        sources.add((bool(exemplars), bool(set(latest) - set(exemplars))))
        check_predictions(strategy, latest | exemplars)

    each = Each("after_training_iteration", check)
    strategy = toy_strategy(ICaRLStrategy, memory_size=12, plugins=[each])
    strategy.train(toy_benchmark().train_stream)
    assert each.calls == 10
    assert sources == {(False, True), (True, True), (True, False)}


def test_predictions_follow_the_memory_when_a_segment_ends():
    # a prediction after each update has the means computed before the memory changes
    each = Each("after_training_iteration", lambda strategy: predictions(strategy.model))
    strategy, sizes = toy_strategy(ICaRLStrategy, memory_size=12, plugins=[each]), []
    for experience in toy_benchmark().train_stream:
        strategy.train(experience)
        inputs, labels, _ = strategy.memory.kept()
        sizes.append(len(set(labels.tolist())))
        check_predictions(strategy, by_class(inputs, labels))
    assert sizes == [2, 4, 4, 6, 6]


def test_before_training_all_classes_are_masked():
    strategy = toy_strategy(ICaRLStrategy, memory_size=12)
    assert is_masked(strategy.model.eval()(TEST)).all()


@pytest.mark.parametrize("options", [{}, {"memory_size": 0}])
def test_a_memory_is_needed(options):
    with pytest.raises(ValueError, match="`memory_size` must be at least 1"):
        toy_strategy(ICaRLStrategy, **options)


def test_the_loss_cannot_be_chosen():
    with pytest.raises(ValueError, match="`criterion` cannot be chosen"):
        toy_strategy(ICaRLStrategy, memory_size=12, criterion=torch.nn.CrossEntropyLoss())
