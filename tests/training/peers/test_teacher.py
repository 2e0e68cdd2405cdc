import pytest
import torch

from avalanche_emgd.training.peers import NaiveStrategy
from avalanche_emgd.training.peers.teacher import Teacher
from tests.toy import toy_benchmark
from tests.training.common import toy_strategy
from tests.training.peers.by_hand import dropping_model, ordinary_benchmark

X = torch.linspace(-1.0, 1.0, 15).view(3, 5)
TASKS = torch.zeros(3, dtype=torch.long)


def test_knows_the_classes_of_finished_tasks():
    teacher, known = Teacher(), []
    for experience in toy_benchmark().train_stream:
        teacher.observe(dropping_model(), experience)
        known.append((dict(teacher.tasks), teacher.classes))
    first, both = {0: [0, 1]}, {0: [0, 1], 1: [2, 3]}
    assert known == [
        ({}, []),
        (first, [0, 1]),
        (first, [0, 1]),
        (both, [0, 1, 2, 3]),
        ({**both, 2: [4, 5]}, [0, 1, 2, 3, 4, 5]),
    ]


def test_ordinary_experiences_are_finished_tasks():
    teacher = Teacher()
    for experience in ordinary_benchmark().train_stream:
        teacher.observe(dropping_model(), experience)
    assert teacher.tasks == {0: [0, 1], 1: [2, 3]}


def test_is_the_model_of_the_last_finish_in_evaluation_mode():
    teacher, model, expected = Teacher(), dropping_model().train(), None
    for experience in toy_benchmark().train_stream:
        with torch.no_grad():
            model[0].weight.add_(0.1)
        teacher.observe(model, experience)
        if experience.finishing_tasks:
            expected = model.eval()(X).detach()
            model.train()
        if expected is not None:
            assert torch.equal(teacher.logits(X, TASKS), expected)
    assert all(module.training for module in model.modules())


def test_is_frozen_and_unaffected_by_further_training():
    teacher, model = Teacher(), dropping_model()
    strategy = toy_strategy(NaiveStrategy, model)
    *first, last = toy_benchmark().train_stream
    strategy.train(first)
    teacher.observe(model, first[-1])
    before, trained = teacher.logits(X, TASKS), model[0].weight.detach().clone()
    strategy.train(last)
    assert torch.equal(teacher.logits(X, TASKS), before)
    assert not torch.equal(model[0].weight, trained)
    assert not any(p.requires_grad for p in teacher.model.parameters())
    assert all(p.requires_grad for p in model.parameters())
    assert not before.requires_grad


def test_no_logits_before_a_task_has_finished():
    teacher = Teacher()
    teacher.observe(dropping_model(), toy_benchmark().train_stream[0])
    with pytest.raises(ValueError, match="No task has finished yet"):
        teacher.logits(X, TASKS)
