"""Memory editing in the training loop."""

import itertools
import warnings

import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset

from avalanche_emgd import MLP, EMGDStrategy, MultiGradientTemplate, Timeline, parallel_benchmark
from avalanche_emgd.training.editing import EDITING_RULES, EditingRule, MemoryEditing
from avalanche_emgd.training.methods import make_method
from avalanche_emgd.training.plugins import MultiGradientPlugin
from tests.tolerance import tolerance
from tests.toy import toy_benchmark
from tests.training.common import TERMS, quiet, toy_model, toy_strategy, weights_of

SMALL = {"step": 1e-3, "radius": 1.0, "pixel_range": (-50.0, 50.0), "measure_every": 1}


def edited(rule="distance", benchmark=None, kind=EMGDStrategy, plugins=(), **settings):
    strategy = toy_strategy(
        kind,
        memory_size=12,
        plugins=list(plugins),
        memory_editing=MemoryEditing(rule, **{**SMALL, **settings}),
    )
    strategy.train((benchmark or toy_benchmark()).train_stream)
    return strategy


class Watch(MultiGradientPlugin):
    """Plugin that checks the edits of a rule at each tick."""

    def __init__(self):
        super().__init__()
        self.ticks = []

    def before_weighting(self, strategy, *args, **kwargs):
        self._before = strategy.memory.inputs.clone()
        self._state = [t.clone() for t in strategy.model.state_dict().values()]
        self._kept = [t.clone() for t in (strategy.memory._labels, strategy.memory._task_labels)]

    def after_weighting(self, strategy, *args, **kwargs):
        drawn = strategy.replay.drawn.get("memory")
        if drawn is None:
            return
        memory = strategy.memory
        untouched = torch.ones(len(memory), dtype=torch.bool)
        untouched[drawn] = False
        assert torch.equal(memory.inputs[untouched], self._before[untouched])
        assert all(map(torch.equal, self._state, strategy.model.state_dict().values()))
        assert all(p.grad is None for p in strategy.space.parameters)
        assert all(map(torch.equal, self._kept, (memory._labels, memory._task_labels)))
        part = strategy.mbatch.parts[-1]
        u = strategy.objective_gradients.combine(strategy.weights, strategy.space.num_shared)
        with torch.enable_grad():
            measured = [
                self._measure(strategy, x[drawn], part, u) for x in (self._before, memory.inputs)
            ]
        self.ticks.append((strategy.tick, *measured))

    def _measure(self, strategy, x, part, u):
        loss = strategy.loss_of(x, part)
        gradient = torch.cat(
            [g.reshape(-1) for g in torch.autograd.grad(loss, strategy.space.parameters)]
        )
        ahead = strategy.gradients[: len(strategy.gradients) - 1].mean(dim=0)
        with torch.no_grad():
            start = nn.utils.parameters_to_vector(strategy.space.parameters)
            nn.utils.vector_to_parameters(start - 0.05 * ahead, strategy.space.parameters)
            after = strategy.loss_of(x, part)
            nn.utils.vector_to_parameters(start, strategy.space.parameters)
        return {
            "distance": float((gradient - u).norm()),
            "cosine": -float(nn.functional.cosine_similarity(gradient, u, dim=0)),
            "agreement": -float(gradient @ u),
            "gmed": float(1.01 * loss - after),
        }


@pytest.mark.parametrize("scenario", ["class", "task"])
@pytest.mark.parametrize("rule", EDITING_RULES)
def test_a_small_edit_decreases_the_function_of_its_rule_and_changes_only_images(rule, scenario):
    watch = Watch()
    # Long enough to be seen: losses change by forty ε.
    strategy = edited(rule, toy_benchmark(scenario=scenario), plugins=[watch], step=0.01)
    assert len(watch.ticks) == 5
    for _, before, after in watch.ticks:
        assert after[rule] < before[rule]
    assert [m.tick for m in strategy.memory_editing.history] == [tick for tick, *_ in watch.ticks]
    if rule != "gmed":
        for measure, (_, before, after) in zip(
            strategy.memory_editing.history, watch.ticks, strict=True
        ):
            bound = tolerance(torch.float32, TERMS)
            assert measure.before == pytest.approx(-before["cosine"], abs=bound)
            assert measure.after == pytest.approx(-after["cosine"], abs=bound)


def test_edited_images_are_replayed_next_and_stay_in_the_ball():
    strategy = edited(step=0.1, radius=0.15, pixel_range=None)
    drift = strategy.memory_editing.drift()
    assert 0.1 < drift.max() <= 0.15 * (1 + tolerance(torch.float32, 5))
    originals = strategy.memory_editing.originals
    inputs = strategy.memory.inputs
    assert (inputs >= originals.amin(1, keepdim=True)).all()
    assert (inputs <= originals.amax(1, keepdim=True)).all()
    x, _, _ = strategy.memory.draw(12)
    assert sorted(x.sum(1).tolist()) == pytest.approx(sorted(inputs.sum(1).tolist()))


def test_edits_survive_the_entry_of_further_tasks():
    """When a class shrinks, its first samples stay, edits included."""

    class Snapshots(MultiGradientPlugin):
        def __init__(self):
            super().__init__()
            self.seen = []

        def after_training_exp(self, strategy, *args, **kwargs):
            memory = strategy.memory
            if len(memory):
                table = torch.cat([strategy.memory_editing.originals, memory.inputs], dim=1)
                self.seen.append({tuple(row[:5].tolist()): row[5:] for row in table})

    snapshots = Snapshots()
    edited(step=0.2, radius=5.0, plugins=[snapshots], start=0)
    for before, after in itertools.pairwise(snapshots.seen):
        # Edited at most as often as there are ticks in between: never back at the original.
        for original in before.keys() & after.keys():
            moved = torch.tensor(original) - before[original]
            if moved.norm() > 0.0:
                assert not torch.equal(after[original], torch.tensor(original))
    assert len(snapshots.seen) >= 3


def test_the_users_data_do_not_change():
    x = torch.randn(16, 5)
    data = [
        TensorDataset(x[:8], torch.arange(8) % 2),
        TensorDataset(x[8:], 2 + torch.arange(8) % 2),
    ]
    before = x.clone()
    benchmark = parallel_benchmark(data, data, Timeline.serial([2, 2]), batch_size=4)
    strategy = toy_strategy(
        model=MLP(4, in_features=5, hidden=(8,)), memory_size=8, memory_editing="distance"
    )
    strategy.train(benchmark.train_stream)
    assert strategy.memory_editing.drift().max() > 0.0
    assert torch.equal(x, before)


def test_every_start_and_measurements():
    watched = edited(every=2, start=7, measure_every=2)
    assert [m.tick for m in watched.memory_editing.history] == [8]
    assert [m.tick for m in edited(measure_every=0).memory_editing.history] == []


def test_only_conflicting_images_are_edited():
    """The loss of these images increases along −u; checked sample by sample."""

    class Conflicts(MultiGradientPlugin):
        def __init__(self):
            super().__init__()
            self.found = []

        def before_weighting(self, strategy, *args, **kwargs):
            self._before = strategy.memory.inputs.clone()

        def after_weighting(self, strategy, *args, **kwargs):
            drawn = strategy.replay.drawn.get("memory")
            if drawn is None:
                return
            u = strategy.objective_gradients.combine(strategy.weights, strategy.space.num_shared)
            _, y, t = strategy.memory.take(drawn)
            for position, label, task in zip(drawn.tolist(), y, t, strict=True):
                inputs = self._before[position][None]
                output = strategy._class_mask(strategy.model(inputs), task[None])
                loss = nn.functional.cross_entropy(output, label[None])
                gradient = torch.cat(
                    [g.reshape(-1) for g in torch.autograd.grad(loss, strategy.space.parameters)]
                )
                moved = not torch.equal(strategy.memory.inputs[position], self._before[position])
                self.found.append((float(gradient @ u) < 0.0, moved))

    def current_only(gramian):
        return torch.tensor([1.0] * (len(gramian) - 1) + [0.0], dtype=torch.float64)

    def careless(model, **arguments):
        return MultiGradientTemplate(model, weighting=current_only, **arguments)

    conflicts = Conflicts()
    edited(kind=careless, plugins=[conflicts], only_conflicting=True)
    assert {conflict for conflict, _ in conflicts.found} == {True, False}
    assert all(conflict == moved for conflict, moved in conflicts.found)


@pytest.mark.parametrize("rule", EDITING_RULES)
def test_repeats_itself(rule):
    runs = [edited(rule, step=0.1) for _ in range(2)]
    assert torch.equal(runs[0].memory.inputs, runs[1].memory.inputs)
    assert torch.equal(weights_of(runs[0].model), weights_of(runs[1].model))
    assert runs[0].memory_editing.history == runs[1].memory_editing.history


def test_each_finished_task_as_an_objective():
    strategy = toy_strategy(memory_size=12, memory_objectives="per-task", memory_editing=SMALL)
    strategy.train(toy_benchmark().train_stream)
    assert {m.objective for m in strategy.memory_editing.history} >= {"memory-task0"}


def test_gmed_is_replay_with_its_rule():
    found = []
    for memory_size in (12, 0):
        model = toy_model()
        strategy = make_method(
            "gmed",
            model,
            {"step": 0.2, "beta": 0.1},
            optimizer=torch.optim.SGD(model.parameters(), lr=0.05),
            memory_size=memory_size,
            seed=0,
            device="cpu",
            plugins=[],
            evaluator=quiet(),
        )
        strategy.train(toy_benchmark().train_stream)
        found.append(strategy.memory_editing)
    edited, without = found
    assert edited.editing == MemoryEditing("gmed", step=0.2, radius=1.0, settings={"beta": 0.1})
    assert edited.drift().max() > 0.0
    assert without is None


def test_a_user_defined_rule():
    class Upwards(EditingRule):
        def gradient(self, replayed):
            return -torch.ones_like(replayed.x)

    strategy = edited(Upwards(), step=0.1, radius=100.0)
    moved = strategy.memory.inputs - strategy.memory_editing.originals
    assert (moved >= 0.0).all()
    assert moved.max() > 0.0


def test_a_convolutional_model_in_training_mode():
    shape = (1, 6, 6)
    data = [
        TensorDataset(torch.randn(12, *shape), 2 * task + torch.arange(12) % 2) for task in range(2)
    ]
    benchmark = parallel_benchmark(data, data, Timeline(((0, 2), (1, 3))), batch_size=4)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 4)
    )
    counts = []

    class Statistics(MultiGradientPlugin):
        def before_weighting(self, strategy, *args, **kwargs):
            self._before = [b.clone() for b in model.buffers()]

        def after_weighting(self, strategy, *args, **kwargs):
            assert all(map(torch.equal, self._before, model.buffers()))
            counts.append(strategy.memory_editing.drift().sum())

    strategy = EMGDStrategy(
        model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.01),
        memory_size=8,
        memory_editing={"settings": {"product": "forward"}, "only_conflicting": True},
        plugins=[Statistics()],
        evaluator=quiet(),
    )
    strategy.train(benchmark.train_stream)
    assert len(counts) == 4
    assert int(model[1].num_batches_tracked) == sum(len(o) for o in ("a", "ab", "ab", "bm"))


def test_needs_a_memory():
    with pytest.raises(ValueError, match="`memory_editing` needs a replay memory"):
        toy_strategy(memory_editing="distance")


@pytest.mark.parametrize("norm", ["l2", "sign"])
@pytest.mark.parametrize(("radius", "warns"), [(0.01, False), (500.0, True)])
def test_a_radius_that_reaches_other_classes_gives_one_warning(norm, radius, warns):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        edited(norm=norm, radius=radius)
    said = [str(each.message) for each in found if "`radius`" in str(each.message)]
    assert len(said) == (1 if warns else 0)
    assert all(
        f"`radius` {radius:g} of memory editing is more than the median" in each for each in said
    )
