"""Augmentation of replayed samples, and of no others."""

import pytest
import torch
from avalanche.core import SupervisedPlugin

from avalanche_emgd import EMGDStrategy, LiveStream
from avalanche_emgd.gradients import PlainEngine
from avalanche_emgd.training.ingredients import Augmentation, StoredLogits
from avalanche_emgd.training.peers import ICaRLStrategy, NaiveStrategy
from avalanche_emgd.training.plugins import AugmentationPlugin
from tests.training.common import assert_same_weights, scenarios, weights_of
from tests.training.ingredients.images import (
    EVERYTHING,
    SMALL,
    Look,
    bytes_of,
    data_of,
    images,
    of_images,
)
from tests.training.test_crops_and_flips import crops_of


@scenarios
@pytest.mark.parametrize("objectives", ["one", "per-task"])
def test_replayed_images_alone_change(scenario, objectives):
    benchmark, look = images(scenario), Look()
    strategy = of_images(
        memory_objectives=objectives, memory_augmentation=Augmentation(2), plugins=[look]
    )
    strategy.train(benchmark.train_stream)
    strategy.eval(benchmark.test_stream)
    known = bytes_of(x for each in data_of() for x in each.tensors[0])
    assert bytes_of(look.incoming) == bytes_of(look.tested) == known
    assert bytes_of(strategy.memory.inputs) <= known
    assert len(look.replayed) == len(look.stored) > 20
    kinds = []
    for found, stored in zip(look.replayed, look.stored, strict=True):
        (kind,) = [kind for kind, crop in crops_of(stored, 2) if torch.equal(crop, found)]
        kinds.append(kind)
    # Equal choices for the images of a tick, or for the ticks of an image, would leave few kinds.
    assert len(set(kinds)) > 15


def test_none_is_the_default():
    found = []
    for options in ({}, {"memory_augmentation": "none"}):
        strategy = of_images(**options)
        assert strategy.memory_augmentation is None
        strategy.train(images().train_stream)
        found.append(weights_of(strategy.model))
    assert torch.equal(*found)


@scenarios
@pytest.mark.parametrize("options", [{"memory_augmentation": SMALL}, EVERYTHING])
def test_all_objectives_still_take_one_pass(scenario, options):
    found = []
    for engine in (None, PlainEngine()):
        strategy = of_images(engine=engine, **options)
        strategy.train(images(scenario).train_stream)
        found.append(weights_of(strategy.model))
        if engine is None:
            assert strategy.engine.reason is None
    assert_same_weights(*found)


def test_stored_outputs_are_of_the_stored_image_and_compared_with_the_augmented_one():
    found = []

    class Compare(SupervisedPlugin):
        def before_backward(self, strategy, **kwargs):
            for row, part in enumerate(strategy.mbatch.parts):
                if part.replayed:
                    stored = strategy.memory.annotation("logits")[strategy.replay.drawn["memory"]]
                    competed = stored > -1e3
                    output = strategy.model(torch.zeros(len(stored), 1, 8, 8))
                    expected = (output - stored)[competed].square().mean()
                    found.append((strategy.objective_losses[row], expected.detach()))

    strategy = of_images(
        memory_augmentation=torch.zeros_like,
        memory_loss=StoredLogits(1.0, beta=0.0),
        plugins=[Compare()],
    )
    strategy.train(images("task").train_stream)
    assert found
    torch.testing.assert_close(*map(torch.stack, zip(*found, strict=True)))
    assert len(bytes_of(strategy.memory.annotation("logits"))) > 1


class First(SupervisedPlugin):
    """Keeps what is replayed first."""

    def __init__(self):
        super().__init__()
        self.drawn = []

    def before_forward(self, strategy, **kwargs):
        self.drawn += [each.tolist() for each in strategy.replay.drawn.values()]


def test_retrieval_compares_stored_images():
    found = []
    for spec in ("none", torch.zeros_like):
        first = First()
        strategy = of_images(
            memory_augmentation=spec, memory_retrieval="mir", train_mb_size=2, plugins=[first]
        )
        strategy.train(images().train_stream)
        found.append((first.drawn[0], weights_of(strategy.model)))
    assert found[0][0] == found[1][0]
    assert not torch.equal(found[0][1], found[1][1])


def test_stored_images_are_edited_as_they_are():
    look = Look()
    strategy = of_images(
        memory_augmentation=SMALL, memory_editing={"step": 0.05, "radius": 0.1}, plugins=[look]
    )
    strategy.train(images().train_stream)
    editing = strategy.memory_editing
    known = bytes_of(x for each in data_of() for x in each.tensors[0])
    assert bytes_of(editing.originals) <= known
    # An edit of an augmented image in the place of the stored one would leave the ball.
    assert 0.0 < float(editing.drift().max()) <= 0.1 + 1e-6
    assert not bytes_of(look.replayed) & bytes_of(look.stored)


def far(inputs):
    return inputs + 100.0


def test_beside_the_plugin_for_all_images_each_is_augmented_once():
    look = Look()
    plugins = [AugmentationPlugin(0), look]
    strategy = of_images(memory_augmentation=far, plugins=plugins)
    strategy.train(images().train_stream)
    for found, stored in zip(look.replayed, look.stored, strict=True):
        assert torch.equal(found, stored + 100.0)
    known = torch.cat([each.tensors[0] for each in data_of()])
    incoming = bytes_of(look.incoming)
    assert incoming <= bytes_of(known) | bytes_of(known.flip(3).contiguous())
    assert 0 < len(incoming & bytes_of(known)) < len(incoming)


def test_without_a_memory_it_has_no_effect():
    for kind, options in ((NaiveStrategy, {}), (EMGDStrategy, {"memory_size": 0})):
        strategy = of_images(kind, memory_augmentation="crops-flips", **options)
        assert strategy.memory_augmentation is None
        strategy.train(images().train_stream)


def test_exemplars_of_icarl_are_not_augmented():
    strategy = of_images(ICaRLStrategy, memory_augmentation=SMALL)
    strategy.train(images().train_stream)
    known = bytes_of(x for each in data_of() for x in each.tensors[0])
    assert bytes_of(strategy._exemplars()[0]) <= known


def test_live_streams():
    look = Look()
    strategy = of_images(memory_augmentation=SMALL, plugins=[look])
    stream = LiveStream(batch_size=4, max_wait=60.0)
    for task, data in enumerate(data_of()[:2]):
        stream.add_task(data, name=f"task{task}")
    for data in data_of()[2:]:

        class Later(SupervisedPlugin):
            def after_training_iteration(self, strategy, data=data, **kwargs):
                if strategy.tick == 4:
                    stream.add_task(data, name="later")
                    stream.close()

    strategy.plugins.append(Later())
    strategy.train(stream)
    known = bytes_of(x for each in data_of() for x in each.tensors[0])
    assert look.replayed
    assert bytes_of(look.incoming) == known
    assert bytes_of(strategy.memory.inputs) <= known
    assert not bytes_of(look.replayed) <= known
