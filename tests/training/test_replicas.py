import re
from types import SimpleNamespace

import pytest
import torch

from avalanche_emgd.distributed import Processes
from avalanche_emgd.distributed.failure import ProcessError
from avalanche_emgd.training.replicas import (
    align,
    check_alike,
    check_experience,
    kept_alike,
    watched,
)
from tests.distributed.threads import in_threads
from tests.training.common import toy_model, weights_of


def test_all_processes_have_the_model_of_the_first():
    models = [toy_model(seed=seed) for seed in range(3)]
    models[1].add_module("norm", torch.nn.BatchNorm1d(4))
    with pytest.raises(ProcessError, match="processes 0 and 1 have different models"):
        in_threads(3, lambda processes: check(processes, models))
    models = [toy_model(seed=seed) for seed in range(3)]
    first = weights_of(models[0])
    in_threads(3, lambda processes: check(processes, models, copied=True))
    assert all(torch.equal(weights_of(model), first) for model in models)


def check(processes, models, copied=False):
    own = models[processes.rank]
    check_alike(processes, "models", {n: tuple(p.shape) for n, p in own.named_parameters()})
    if copied:
        for tensor in own.parameters():
            processes.broadcast(tensor.data)


def test_a_process_by_itself_is_left_alone():
    model = toy_model()
    before, state = weights_of(model), torch.get_rng_state()
    align(Processes(), model)
    for processes in (None, Processes()):
        check_experience(processes, None)
        strategy = SimpleNamespace(processes=processes, model=model)
        with kept_alike(strategy), watched(strategy):
            pass
    assert torch.equal(weights_of(model), before)
    assert torch.equal(torch.get_rng_state(), state)


def test_models_are_equal_at_the_start_of_a_training_and_compared_at_its_end():
    models = [toy_model(seed=seed) for seed in range(2)]
    first = weights_of(models[0])

    def train(processes, change):
        model = models[processes.rank]
        with kept_alike(SimpleNamespace(processes=processes, model=model)):
            assert change or torch.equal(weights_of(model), first)
            if change and not processes.is_first:
                next(model.parameters()).data += 1

    in_threads(2, lambda processes: train(processes, change=False))
    with pytest.raises(ProcessError, match="processes 0 and 1 have different parameters"):
        in_threads(2, lambda processes: train(processes, change=True))


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ({"a": 0, "b": (1, 2)}, {"a": 0, "b": (1, 3)}, "(b: (1, 2) and (1, 3))"),
        ({"a": "x"}, {"a": "y" * 100}, f"(a: x and {'y' * 80}…)"),
        ({"a": 100 * "x" + "1"}, {"a": 100 * "x" + "2"}, f"(a: …{79 * 'x'}1 and …{79 * 'x'}2)"),
        ({"a": 0}, {"a": 0, "b": 1.0}, "(b: absent and 1.0)"),
        ({"a": 0, "b": 1}, {"b": 1, "a": 0}, "(their order)"),
    ],
)
def test_descriptions_are_compared_by_their_words(one, other, words):
    in_threads(2, lambda processes: check_alike(processes, "settings", one))
    words = re.escape(f"processes 0 and 1 have different settings {words}: make")
    with pytest.raises(ProcessError, match=words):
        in_threads(2, lambda each: check_alike(each, "settings", one if each.is_first else other))


def test_addresses_and_numbers_of_gpus_are_no_differences():
    def case(processes):
        check_alike(processes, "settings", {"a": object(), "b": f"cuda:{processes.rank}"})

    in_threads(2, case)
