from types import SimpleNamespace

import pytest
import torch
from avalanche.benchmarks.utils import AvalancheDataset
from avalanche.core import SupervisedPlugin

from avalanche_emgd import MultiGradientTemplate
from avalanche_emgd.benchmarks.datasets import with_labels
from avalanche_emgd.gradients import PlainEngine
from avalanche_emgd.models import mask_logits
from avalanche_emgd.optim.peers import ERWeighting
from avalanche_emgd.training.ingredients import Asymmetric
from avalanche_emgd.training.ingredients.competition import CurrentClasses
from tests.toy import toy_benchmark, toy_datasets
from tests.training.common import replay_strategy, scenarios, toy_strategy, weights_of
from tests.training.peers.by_hand import (
    CheckLosses,
    Each,
    competing,
    cross_entropies,
    ordinary_benchmark,
)


def labels_of_active(strategy):
    labels = set()
    for part in strategy.mbatch.parts:
        if not part.replayed:
            labels |= set(strategy.mbatch[1][part.start : part.stop].tolist())
    return labels


def classes_of_active(strategy):
    benchmark, tasks = strategy.experience.benchmark, set()
    for part in strategy.mbatch.parts:
        if not part.replayed:
            tasks |= set(strategy.mbatch[2][part.start : part.stop].tolist())
    return {label for task in tasks for label in benchmark.label_sets[task]}


def test_the_current_classes_are_masked_once_a_tick(monkeypatch):
    made, compute = [], Asymmetric._current

    def counted(rule, strategy, output):
        made.append(strategy.tick)
        return compute(rule, strategy, output)

    monkeypatch.setattr(Asymmetric, "_current", counted)
    strategy = toy_strategy(competition=0.5)
    strategy.train(toy_benchmark((20, 13, 17)).train_stream)
    assert len(made) == len(set(made)) == strategy.clock.train_iterations
    assert strategy.now.class_masks == {}


def test_a_mask_is_made_anew_for_other_targets():
    class Relabel(SupervisedPlugin):
        def after_forward(self, strategy, **kwargs):
            part = strategy.now.parts[0]
            before = strategy.objective_loss(strategy.now.outputs[0], part)
            strategy.mbatch[1].fill_(int(strategy.mb_y.min()))
            after = strategy.objective_loss(strategy.now.outputs[0], part)
            current = Asymmetric(1.0, "incoming")._current(strategy, strategy.mb_output)
            assert int(current.sum()) == 1
            assert float(after.detach()) == 0.0  # a single class competes with none
            found.append(float(before.detach()))

    found = []
    competition = Asymmetric(1.0, "incoming")
    strategy = toy_strategy(competition=competition, plugins=[Relabel()])
    strategy.train(toy_benchmark().train_stream)
    assert max(found) > 0.0


@scenarios
@pytest.mark.parametrize("memory_objectives", ["one", "per-task"])
@pytest.mark.parametrize("share", [1.0, 0.3])
@pytest.mark.parametrize(
    ("among", "current_of"), [("incoming", labels_of_active), ("active", classes_of_active)]
)
def test_current_samples_compete_among_current_classes_and_replayed_ones_among_all(
    scenario, memory_objectives, share, among, current_of
):
    narrower = set()

    def expected(strategy, part, x, y, t):
        classes = [competing(strategy.experience, task) for task in t.tolist()]
        logits = strategy.model(x)
        everywhere = cross_entropies(logits, y, classes).mean()
        if part.replayed:
            return everywhere
        current = current_of(strategy)
        narrower.update(len(current & set(c)) < len(c) for c in classes)
        classes = [sorted(current & set(c)) for c in classes]
        return (1 - share) * everywhere + share * cross_entropies(logits, y, classes).mean()

    check = CheckLosses(expected)
    strategy = replay_strategy(
        memory_size=12,
        memory_objectives=memory_objectives,
        competition=Asymmetric(share, among),
        plugins=[check],
    )
    strategy.train(toy_benchmark((20, 13, 17), scenario=scenario).train_stream)
    assert check.checked["replayed"] >= 5
    assert narrower == ({False} if (scenario, among) == ("task", "active") else {True, False})


@pytest.mark.parametrize("among", ["active", "incoming"])
def test_without_share_all_compete(among):
    found = []
    for competition in (0.0, Asymmetric(0.0, among), {"share": 0, "among": among}):
        strategy = replay_strategy(memory_size=12, engine=PlainEngine(), competition=competition)
        strategy.train(toy_benchmark().train_stream)
        found.append(weights_of(strategy.model))
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_experiences_of_ordinary_benchmarks_compete_among_their_classes(share):
    losses = []

    def expected(strategy, part, x, y, t):
        # Experience 0 has the classes 0 and 1, experience 1 the classes 2 and 3, of six outputs.
        first = 2 * strategy.experience.current_experience
        logits = strategy.model(x)
        everywhere = cross_entropies(logits, y, [list(range(6))] * len(y)).mean()
        if part.replayed:
            return everywhere
        few = cross_entropies(logits, y, [[first, first + 1]] * len(y)).mean()
        losses.append(float(everywhere - few))
        return (1 - share) * everywhere + share * few

    check = CheckLosses(expected)
    strategy = replay_strategy(memory_size=12, competition=share, plugins=[check], train_mb_size=4)
    strategy.train(ordinary_benchmark().train_stream)
    assert check.checked["replayed"] >= 3
    assert min(losses) > 0.0


def test_classes_of_one_task_among_several_of_an_ordinary_experience():
    data = AvalancheDataset(
        [
            with_labels(each, each.tensors[1].tolist(), task)
            for task, each in enumerate(toy_datasets((12, 12)))
        ]
    )
    experience = SimpleNamespace(dataset=data, task_labels=[0, 1], current_experience=0)
    classes = CurrentClasses()
    for _ in range(2):  # the second time as kept
        assert classes.of([experience], ["task1"]) == [2, 3]
        assert classes.of([experience], ["task0", "task1"]) == [0, 1, 2, 3]
        assert classes.of([experience], ["another"]) == [0, 1, 2, 3]


def test_samples_of_plugins_compete_for_their_own_class():
    """Their classes are not those of an active task."""

    def add(strategy):
        x, y = torch.zeros(2, 5), torch.tensor([4, 5])
        strategy.mbatch.append_objective("mine", [x, y, torch.full((2,), 2)])

    def check(strategy):
        assert strategy.objective_losses.max() < 100.0
        assert strategy.objectives[-1] == "mine"

    each = [Each("before_training_iteration", add), Each("before_backward", check)]
    strategy = replay_strategy(competition=1.0, plugins=each)
    strategy.train(toy_benchmark().train_stream[0])
    assert each[1].calls > 0


def test_active_samples_do_not_change_finished_classes():
    """Without memory, the classifier's rows of classes that are not in the tick do not change."""
    strategy = replay_strategy(competition=Asymmetric(1.0, "incoming"))
    *first, last = toy_benchmark().train_stream
    strategy.train(first)
    before = strategy.model.classifier.weight.detach().clone()
    strategy.train(last)
    after = strategy.model.classifier.weight.detach()
    assert torch.equal(after[:4], before[:4])
    assert not torch.equal(after[4:], before[4:])


def test_former_implementation_is_the_same_bit_for_bit():
    """ER-ACE as a strategy with a loss of its own, on whose results records rest."""

    class Former(MultiGradientTemplate):
        def objective_loss(self, output, part):
            if not part.replayed:
                incoming = [
                    self.mb_y[p.start : p.stop] for p in self.mbatch.parts if not p.replayed
                ]
                present = torch.zeros(output.shape[1], dtype=torch.bool)
                present[torch.cat(incoming)] = True
                output = mask_logits(output, present)
            return self._criterion(output, self.mb_y[part.start : part.stop])

    for scenario in ("class", "task"):
        options = {"memory_size": 12, "engine": PlainEngine()}
        former = toy_strategy(Former, weighting=ERWeighting(), **options)
        ours = replay_strategy(competition=Asymmetric(1.0, "incoming"), **options)
        for strategy in (former, ours):
            strategy.train(toy_benchmark(scenario=scenario).train_stream)
        assert torch.equal(weights_of(former.model), weights_of(ours.model))


def test_a_rule_of_ones_own():
    seen = []

    def rule(strategy, output, part):
        seen.append(part.objective)
        return 2.0 * strategy.label_loss(output, part)

    found = []
    for options in ({"competition": rule, "memory_loss": rule}, {"criterion": Doubled()}):
        strategy = replay_strategy(memory_size=12, engine=PlainEngine(), **options)
        strategy.train(toy_benchmark().train_stream)
        found.append(weights_of(strategy.model))
    assert set(seen) == {"task0", "task1", "task2", "memory"}
    assert torch.equal(*found)


class Doubled(torch.nn.CrossEntropyLoss):
    def forward(self, output, target):
        return 2.0 * super().forward(output, target)


@pytest.mark.parametrize("option", ["competition", "memory_loss"])
@pytest.mark.parametrize(
    ("value", "words"), [(3.0, "found 3.0"), (torch.ones(2), r"found shape \(2,\)")]
)
def test_a_rule_must_give_a_scalar(option, value, words):
    strategy = replay_strategy(memory_size=12, **{option: lambda *arguments: value})
    with pytest.raises(ValueError, match=f"`{option}` must return a scalar tensor, {words}"):
        strategy.train(toy_benchmark().train_stream)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"share": 1.5}, r"`share` of `competition` must be in \[0, 1\], found 1.5"),
        ({"share": float("nan")}, "`share` of `competition`"),
        ({"share": "half"}, "`share` of `competition`"),
        ({"among": "actve"}, "`among` must be .* found 'actve'. Did you mean 'active'"),
    ],
)
def test_wrong_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        Asymmetric(**settings)
