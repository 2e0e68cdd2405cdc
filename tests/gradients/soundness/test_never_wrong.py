"""The fused engine on any network: equal to separate passes, or refused with a reason.

``EMGD_NETWORKS=2000 python -m pytest tests/optim/soundness -s`` tries more networks, and counts.
"""

import os
import re
from collections import Counter

import pytest
import torch
from torch import nn
from torch.nn import functional

from avalanche_emgd.gradients import Batches, FusedEngine, PlainEngine

from .blocks import BLOCKS, ORDINARY
from .changes import CHANGES, Switch
from .compiled_blocks import COMPILED
from .parts import WIDTH

NETWORKS = int(os.environ.get("EMGD_NETWORKS", "60"))
EPSILON = torch.finfo(torch.float64).eps
TICKS, CLASSES = 10, 5
FEW = 6  # ticks 1, 2 and 4 are compared, 3, 5 and 6 are fused


def network(blocks):
    layers = [(BLOCKS | COMPILED)[name]() for name in blocks]
    return nn.Sequential(Switch(), *layers, nn.Linear(WIDTH, CLASSES)).double()


def losses_apart(outputs, targets, model):
    return [functional.cross_entropy(o, y) for o, y in zip(outputs, targets, strict=True)]


def losses_stacked(outputs, targets, model):
    return torch.stack(losses_apart(outputs, targets, model))


def losses_with_penalty(outputs, targets, model):
    penalty = sum(p.square().sum() for p in model.parameters())
    return [loss + 0.1 * penalty for loss in losses_apart(outputs, targets, model)]


def losses_of_others(outputs, targets, model):
    first, *rest = losses_apart(outputs, targets, model)
    return [first, *(loss + 0.5 * first for loss in rest)]


LOSSES = {
    "apart": losses_apart,
    "stacked": losses_stacked,
    "penalty": losses_with_penalty,
    "of others": losses_of_others,
}


def tick(engine, model, batches, targets, losses, seed):
    torch.manual_seed(seed)
    parameters = [p for p in model.parameters() if p.requires_grad]
    made = engine.forward(model, batches)
    found = losses(made.outputs, targets, model)
    keeps = losses is not losses_apart
    gradients = made.gradients(found, parameters, retain_graph=keeps)
    values = torch.stack([loss.detach() for loss in found])
    buffers = [b.detach().clone().double() for b in model.buffers()]
    return gradients.rows.clone(), values, list(gradients.used), buffers, torch.get_rng_state()


def close(found, expected, scale):
    """Of rounding: some thousand terms in a row, each of which may be as large as the scale."""
    return float((found - expected).abs().max()) <= 2**14 * EPSILON * max(scale, 1.0)


def grouped(batches, share):
    """Batches of which the last ``share`` are a group, in one piece."""
    share = min(share, len(batches))
    groups = [1] * (len(batches) - share) + [share]
    return Batches(torch.cat(batches), list(map(len, batches)), groups)


def run(blocks, change, at, sizes, losses="apart", later=None, share=0, lean=False, ticks=TICKS):
    """Train with both engines; return whether ticks were fused, and why not in the end.

    :param share: number of objectives that share a batch; 0 for batches of their own.
    :param lean: whether the fused engine compares without holding all gradients.
    """
    torch.manual_seed(0)
    model = network(blocks)
    torch.manual_seed(0)
    twin = network(blocks)  # copies of hooks would belong to the first
    fused, plain = FusedEngine(model, lean=lean), PlainEngine()
    was_fused = 0
    for k in range(ticks):
        if k == at:
            for each in (model, twin):
                torch.manual_seed(k)
                CHANGES[change](each)
        many = sizes[k % len(sizes)]
        torch.manual_seed(100 + k)
        batches = [torch.randn(b, WIDTH, dtype=torch.float64) for b in many]
        targets = [torch.randint(0, CLASSES, (b,)) for b in many]
        if share:
            batches = grouped(batches, share)
        rule = LOSSES[later if later is not None and k >= at else losses]
        forward = fused.forward

        def noted(*args, forward=forward):
            nonlocal was_fused
            made = forward(*args)
            was_fused += made.joined is not None
            return made

        fused.forward = noted
        try:
            found = tick(fused, model, batches, targets, rule, k)
        except Exception as error:  # the model fails with separate passes, too
            with pytest.raises(type(error), match=re.escape(str(error)[:40])):
                tick(plain, twin, batches, targets, rule, k)
            break
        fused.forward = forward
        expected = tick(plain, twin, batches, targets, rule, k)
        scale = float(expected[0].abs().max()) if expected[0].numel() else 0.0
        assert close(found[0], expected[0], scale), (k, fused.reason)
        assert close(found[1], expected[1], float(expected[1].abs().max()))
        assert found[2] == expected[2]
        for ours, theirs in zip(found[3], expected[3], strict=True):
            assert close(ours, theirs, float(theirs.abs().max()))
        assert torch.equal(found[4], expected[4])  # as many random numbers
        step = 0.05 * expected[0].mean(0)
        for each in (model, twin):
            trained = [p for p in each.parameters() if p.requires_grad]
            pieces = step.split([p.numel() for p in trained])
            with torch.no_grad():
                for parameter, piece in zip(trained, pieces, strict=True):
                    parameter -= piece.view_as(parameter).clamp(-1.0, 1.0)
    return was_fused, fused.reason


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize(
    ("n", "lean"), [(1, False), (3, False), pytest.param(3, True, marks=pytest.mark.slow)]
)
def test_every_block(block, n, lean):
    ticks = 2 if n == 1 else FEW  # a single objective takes separate passes
    fused, reason = run([block], "nothing", 0, [[4] * n], lean=lean, ticks=ticks)
    if n > 1 and block in ORDINARY:
        assert (fused, reason) == (3, None)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize(("share", "lean"), [(2, True), (4, False)])
def test_every_block_with_a_group(block, share, lean):
    sizes = [[4, 3, 2, 3]]
    fused, reason = run([block], "nothing", 0, sizes, share=share, lean=lean, ticks=FEW)
    if share == 2 and block in ORDINARY:
        assert (fused, reason) == (3, None)


@pytest.mark.filterwarnings("ignore:`torch.jit.trace", "ignore::torch.jit.TracerWarning")
@pytest.mark.parametrize("block", COMPILED)
@pytest.mark.parametrize("n", [1, 3])
def test_compiled_blocks(block, n):
    torch._dynamo.reset()
    run([block], "nothing", 0, [[4] * n])


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("n", "lean"), [(1, False), (3, False), (3, True)])
def test_every_change(change, n, lean):
    run(["mlp"], change, 4, [[4] * n], lean=lean)


@pytest.mark.parametrize("before", LOSSES)
@pytest.mark.parametrize("after", LOSSES)
@pytest.mark.parametrize("lean", [False, True])
def test_every_loss(before, after, lean):
    run(["mlp"], "nothing", 4, [[4, 4, 4]], before, after, lean=lean)


def test_random_networks_are_never_wrong():
    draw = torch.Generator().manual_seed(0)

    def number(low, high):
        return int(torch.randint(low, high, (), generator=draw))

    def one_of(names):
        return list(names)[number(0, len(names))]

    counts = Counter()
    for _ in range(NETWORKS):
        # Most networks are fit but for one thing, or fit.
        blocks = [one_of(ORDINARY) for _ in range(number(1, 3))]
        if number(0, 2):
            blocks.insert(number(0, len(blocks) + 1), one_of(BLOCKS))
        change, at = one_of(CHANGES) if number(0, 3) else "nothing", number(0, TICKS)
        sizes = [[number(2, 6) for _ in range(number(1, 5))] for _ in range(number(1, 4))]
        losses = one_of(LOSSES) if not number(0, 4) else "apart"
        share, lean = number(0, 4), not number(0, 3)
        try:
            fused, reason = run(blocks, change, at, sizes, losses, share=share, lean=lean)
        except AssertionError as error:
            raise AssertionError(
                f"{blocks}, {change} at {at}, {losses}, {share}, {lean}: {error}"
            ) from error
        counts["networks"] += 1
        counts["ticks"] += TICKS
        counts["fused ticks"] += fused
        counts["refused"] += reason is not None
    print(dict(counts))
    assert counts["fused ticks"] > 0
