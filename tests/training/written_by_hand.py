"""The method without Avalanche."""

import torch
from torch import nn

from avalanche_emgd.benchmarks import TickLoader
from avalanche_emgd.models import ClassMask
from tests.training.common import weights_of


def by_hand(benchmark, model, lr, weighting):
    """Train by the five lines of the method, without Avalanche and without memory."""
    mask, parameters = ClassMask(), list(model.parameters())
    for experience in benchmark.train_stream:
        mask.observe(experience)
        for x, y, t, parts in ((*batch, batch.parts) for batch in TickLoader(experience)):
            rows = []
            for part in parts:
                at = slice(part.start, part.stop)
                loss = nn.functional.cross_entropy(mask(model(x[at]), t[at]), y[at])
                grads = torch.autograd.grad(loss, parameters)
                rows.append(torch.cat([g.reshape(-1) for g in grads]))
            jacobian = torch.stack(rows)
            update = weighting(jacobian, [part.objective for part in parts]) @ jacobian
            with torch.no_grad():
                for p, piece in zip(
                    parameters, update.split([p.numel() for p in parameters]), strict=True
                ):
                    p -= lr * piece.view_as(p)
    return weights_of(model)
