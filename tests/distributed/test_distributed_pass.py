import copy

import pytest
import torch

from avalanche_emgd.distributed import DistributedEngine
from avalanche_emgd.gradients import PlainEngine
from tests.distributed.shared_ticks import SIZES, in_one_process, in_several, tick
from tests.distributed.threads import in_threads
from tests.tolerance import tolerance


def coupled(outputs, targets, parameters):
    """Each loss depends on the outputs of all objectives."""
    sums = [output.square().mean() for output in outputs]
    return [sums[k] * sums[k - 1] for k in range(len(sums))]


def penalised(outputs, targets, parameters):
    """Each loss depends on a parameter beside its own outputs."""
    return [
        output.square().mean() + (k + 1) * parameters[0].square().sum()
        for k, output in enumerate(outputs)
    ]


def of_parameters(outputs, targets, parameters):
    """One loss depends on a parameter alone, another one on nothing that is trained."""
    constant = outputs[1].detach().sum()
    return [outputs[0].mean(), parameters[1].sum(), constant]


@pytest.mark.parametrize("losses", [coupled, penalised, of_parameters])
@pytest.mark.parametrize(
    ("size", "placement"), [(2, "even"), (3, "by-sample"), (5, "by-objective")]
)
def test_losses_of_any_kind_have_the_gradients_of_one_process(losses, size, placement):
    model, batches, targets = tick()
    _, rows, used = in_one_process(model, batches, targets, losses)
    bound = tolerance(torch.float64, 200) * max(1.0, float(rows.abs().max()))
    for _, found, own_used in in_several(size, placement, model, batches, targets, losses):
        torch.testing.assert_close(found, rows, rtol=0.0, atol=bound)
        assert own_used == used


def test_outputs_may_be_modified_in_place():
    model, batches, targets = tick()

    def doubled(outputs, targets, parameters):
        return [output.mul_(2.0).mean() for output in outputs]

    _, rows, _ = in_one_process(
        model, batches, targets, lambda outputs, *_: [2.0 * output.mean() for output in outputs]
    )
    for outputs, found, _ in in_several(2, "by-objective", model, batches, targets, doubled):
        torch.testing.assert_close(found, rows, rtol=0.0, atol=tolerance(torch.float64, 100))
        assert [len(output) for output in outputs] == list(SIZES)


def of_outputs(outputs, parameters):
    return torch.cat(list(outputs)).square().mean()


def of_both(outputs, parameters):
    return of_outputs(outputs, parameters) + 0.1 * parameters[0].square().sum()


def of_a_parameter(outputs, parameters):
    return parameters[0].square().sum()


@pytest.mark.parametrize("loss", [of_outputs, of_both, of_a_parameter])
@pytest.mark.parametrize(
    ("size", "placement"), [(2, "even"), (3, "by-sample"), (5, "by-objective")]
)
def test_a_further_loss_adds_the_gradient_of_one_process(loss, size, placement):
    model, batches, _ = tick()

    def graded(engine, own):
        parameters = list(own.parameters())
        made = engine.forward(own, batches)
        parameters[1].grad = torch.ones_like(parameters[1])  # which is added to
        made.backward(loss(made.outputs, parameters), parameters)
        return [None if each.grad is None else each.grad.clone() for each in parameters]

    def case(processes):
        own = copies[processes.rank]
        engine = DistributedEngine(PlainEngine(), processes, placement)
        engine.attach(own)
        return graded(engine, own)

    copies = [copy.deepcopy(model) for _ in range(size)]
    expected = graded(PlainEngine(), model)
    for found in in_threads(size, case):
        torch.testing.assert_close(found, expected, rtol=0.0, atol=tolerance(torch.float64, 200))
