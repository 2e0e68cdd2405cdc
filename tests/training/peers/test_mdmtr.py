import math
from functools import cache

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.optim import SGD

from avalanche_emgd.models import CosineClassifier, is_masked, mask_logits
from avalanche_emgd.training.peers import MDMTRStrategy
from tests.toy import toy_benchmark
from tests.training.common import scenarios, toy_model, toy_strategy
from tests.training.peers.by_hand import (
    CheckLosses,
    Each,
    competing,
    cross_entropies,
    ordinary_benchmark,
)

SCALE = 10.0
edges = st.sampled_from([0.0, 0.01, math.pi - 0.01, math.pi])
angles = st.lists(st.floats(0.01, math.pi - 0.01) | edges, min_size=6, max_size=6)
small = st.floats(0.0, 0.5)


def started(benchmark, **options):
    strategy = toy_strategy(MDMTRStrategy, scale=SCALE, **options)
    strategy.train(benchmark.train_stream)
    return strategy


def wider(theta, margin):
    """Compute the cosine of an angle plus a margin; a line beyond π."""
    if theta + margin > math.pi:
        return math.cos(theta) - margin * math.sin(margin)
    return math.cos(theta + margin)


def narrower(theta, margin):
    """Compute the cosine of an angle minus a margin; a line below 0."""
    if theta < margin:
        return math.cos(theta) + margin * math.sin(margin)
    return math.cos(theta - margin)


def by_hand(thetas, label, class_margin, task_margin):
    """Compute the logits of one sample on the toy benchmark; class k belongs to task k // 2."""
    moved = []
    for k, theta in enumerate(thetas):
        if k == label:
            moved.append(wider(theta, class_margin))
        elif k // 2 == label // 2:
            moved.append(math.cos(theta))
        else:
            moved.append(narrower(theta, task_margin))
    return SCALE * torch.tensor(moved, dtype=torch.float64)


@cache
def started_once():
    return started(toy_benchmark())


def with_margins(logits, labels, class_margin, task_margin):
    strategy = started_once()
    strategy.class_margin, strategy.task_margin = class_margin, task_margin
    return strategy.with_margins(logits, labels)


@given(angles, st.integers(0, 5), small, small, st.sets(st.integers(0, 5), max_size=4))
@settings(max_examples=100)
def test_margins_of_own_class_same_task_and_other_tasks(thetas, label, own, others, out):
    for theta in thetas:  # where a line begins there is a jump, and rounding decides
        assume(others < 0.01 or abs(theta - others) > 1e-6)
        assume(own < 0.01 or abs(theta + own - math.pi) > 1e-6)
    allowed = torch.tensor([k == label or k not in out for k in range(6)])
    logits = SCALE * torch.tensor(thetas, dtype=torch.float64).cos()
    given_logits = mask_logits(logits[None], allowed)
    found = with_margins(given_logits, torch.tensor([label]), own, others)[0]
    expected = by_hand(thetas, label, own, others)
    # Near 0 and π the sine is held at √1e-7, and is multiplied by the sine of a margin.
    bound = SCALE * (1e-7**0.5 * math.sin(0.5) + 1e-9)
    torch.testing.assert_close(found[allowed], expected[allowed], rtol=0, atol=bound)
    assert torch.equal(found[~allowed], given_logits[0, ~allowed])
    assert torch.equal(is_masked(found), ~allowed)


@given(angles, st.integers(0, 5))
@settings(max_examples=30)
def test_zero_margins_leave_the_logits(thetas, label):
    logits = SCALE * torch.tensor([thetas], dtype=torch.float64).cos()
    found = with_margins(logits, torch.tensor([label]), 0.0, 0.0)
    torch.testing.assert_close(found, logits, rtol=1e-12, atol=0)


def test_each_sample_of_a_batch_has_its_own_margins():
    thetas = 0.6 + 1.8 * torch.rand(8, 6, dtype=torch.float64)
    labels = torch.arange(8) % 6
    found = with_margins(SCALE * thetas.cos(), labels, 0.3, 0.2)
    for row, angles_of_row, label in zip(found, thetas.tolist(), labels.tolist(), strict=True):
        torch.testing.assert_close(row, by_hand(angles_of_row, label, 0.3, 0.2))


def test_on_ordinary_benchmarks_only_the_class_margin_has_an_effect():
    strategy = started(ordinary_benchmark(), class_margin=0.3, task_margin=0.2)
    thetas = 0.6 + 1.8 * torch.rand(4, 6, dtype=torch.float64)
    found = strategy.with_margins(SCALE * thetas.cos(), torch.arange(4))
    expected = (SCALE * thetas.cos()).clone()
    for k in range(4):
        expected[k, k] = SCALE * math.cos(thetas[k, k] + 0.3)
    torch.testing.assert_close(found, expected)


@scenarios
def test_loss_is_cross_entropy_of_angles_with_margins(scenario):
    def expected(strategy, part, x, y, t):
        features = strategy.model.backbone(x).double()
        weight = strategy.model.classifier.weight.double()
        logits = []
        for f, label in zip(features, y.tolist(), strict=True):
            cosines = weight @ f / (weight.norm(dim=1) * f.norm())
            thetas = cosines.clamp(-1.0, 1.0).acos().tolist()
            logits.append(by_hand(thetas, label, 0.2, 0.1))
        classes = [competing(strategy.experience, task) for task in t.tolist()]
        return cross_entropies(torch.stack(logits), y, classes).mean()

    check = CheckLosses(expected)
    started(
        toy_benchmark(scenario=scenario),
        class_margin=0.2,
        task_margin=0.1,
        memory_size=12,
        plugins=[check],
    )
    assert check.checked["replayed"] >= 5
    assert check.checked["active"] >= 10


def test_predictions_have_no_margins():
    outputs = []
    strategy = started(
        toy_benchmark(scenario="class"),
        class_margin=1.0,
        task_margin=1.0,
        plugins=[Each("after_eval_forward", lambda s: outputs.append((s.mb_x, s.mb_output)))],
    )
    strategy.eval(toy_benchmark().test_stream)
    assert len(outputs) == 3
    weight = strategy.model.classifier.weight
    for x, logits in outputs:
        features = strategy.model.backbone(x)
        norms = features.norm(dim=1, keepdim=True) * weight.norm(dim=1)
        torch.testing.assert_close(logits, SCALE * features @ weight.T / norms)


def test_an_existing_optimizer_trains_the_new_classifier():
    model = toy_model()
    weight = model.classifier.weight
    start = weight.detach().clone()
    strategy = toy_strategy(MDMTRStrategy, model)
    assert isinstance(model.classifier, CosineClassifier)
    assert model.classifier.weight is weight
    strategy.train(toy_benchmark().train_stream)
    assert not torch.equal(weight, start)


def test_a_second_strategy_for_a_model_is_refused():
    model = toy_model()
    toy_strategy(MDMTRStrategy, model)
    with pytest.raises(ValueError, match="has a cosine classifier already"):
        MDMTRStrategy(model, optimizer=SGD(model.parameters(), lr=0.1))


@pytest.mark.parametrize("name", ["class_margin", "task_margin"])
@pytest.mark.parametrize("value", [-0.1, 1.6, math.nan])
def test_wrong_margins(name, value):
    model = toy_model()
    with pytest.raises(ValueError, match=rf"`{name}` must be in \[0, π/2\], found {value}"):
        toy_strategy(MDMTRStrategy, model, **{name: value})
    assert isinstance(model.classifier, torch.nn.Linear)


def test_a_loss_with_stored_outputs_sees_logits_without_margins():
    checked = []

    def rule(strategy, output, part):
        assert torch.equal(output, strategy.mb_output[part.start : part.stop])
        checked.append(part.objective)
        return strategy.label_loss(output, part)

    started(toy_benchmark(), memory_size=12, memory_loss=rule, competition=rule)
    assert {"memory", "task0"} <= set(checked)
