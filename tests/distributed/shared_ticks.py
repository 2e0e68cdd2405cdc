"""One tick that several threads share, and the same tick of one process."""

import copy

import torch
from torch.nn import functional

from avalanche_emgd.distributed import DistributedEngine
from avalanche_emgd.gradients import PlainEngine
from tests.distributed.threads import in_threads
from tests.training.common import toy_model

SIZES = (4, 3, 5)


def tick():
    """Model, batches and targets of three objectives."""
    model = toy_model().double()
    batches = [torch.randn(size, 5, dtype=torch.float64) for size in SIZES]
    return model, batches, [torch.randint(6, (size,)) for size in SIZES]


def separate(outputs, targets, parameters):
    return [functional.cross_entropy(x, y) for x, y in zip(outputs, targets, strict=True)]


def rows_of(engine, model, batches, targets, losses=separate):
    """Outputs and gradients of a tick."""
    made, parameters = engine.forward(model, batches), list(model.parameters())
    outputs = [each.detach().clone() for each in made.outputs]
    # Losses that are not separate share their graphs.
    is_shared = losses is not separate
    given = losses(made.outputs, targets, parameters)
    found = made.gradients(given, parameters, retain_graph=is_shared)
    return outputs, found.rows.clone(), list(found.used)


def in_one_process(model, batches, targets, losses=separate):
    return rows_of(PlainEngine(), copy.deepcopy(model), batches, targets, losses)


def in_several(size, placement, model, batches, targets, losses=separate):
    copies = [copy.deepcopy(model) for _ in range(size)]

    def case(processes):
        engine, own = DistributedEngine(PlainEngine(), processes, placement), copies[processes.rank]
        engine.attach(own)
        return rows_of(engine, own, batches, targets, losses)

    return in_threads(size, case)
