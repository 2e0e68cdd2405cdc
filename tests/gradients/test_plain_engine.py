import torch
from torch import nn
from torch.nn.functional import cross_entropy

from avalanche_emgd.gradients import Batches, PlainEngine
from avalanche_emgd.gradients.workspace import Workspace


def losses_of(outputs):
    return [cross_entropy(output, torch.zeros(len(output)).long()) for output in outputs]


def make():
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def test_each_objective_is_forwarded_alone():
    model, batches = make(), [torch.randn(4, 3), torch.randn(2, 3)]
    made = PlainEngine().forward(model, batches)
    expected = [model(batch) for batch in batches]
    for output, alone in zip(made.outputs, expected, strict=True):
        torch.testing.assert_close(output, alone)


def test_a_group_is_one_batch_with_a_gradient_for_each():
    model, x = make(), torch.randn(6, 3)
    made = PlainEngine().forward(model, Batches(x, [2, 4], [2]))
    torch.testing.assert_close(torch.cat(list(made.outputs)), model(x))
    rows = made.gradients(losses_of(made.outputs), list(model.parameters())).rows
    outputs = model(x).split([2, 4])
    for row, loss in zip(rows, losses_of(outputs), strict=True):
        grads = torch.autograd.grad(loss, list(model.parameters()), retain_graph=True)
        torch.testing.assert_close(row, torch.cat([g.flatten() for g in grads]))


def test_gradients_by_outputs_and_one_by_one_are_the_same():
    model, frozen = make(), nn.Linear(3, 2).requires_grad_(False)
    made = PlainEngine().forward(
        lambda x: model(x) if len(x) == 4 else frozen(x), [torch.randn(4, 3), torch.randn(2, 3)]
    )
    losses, parameters = losses_of(made.outputs), list(model.parameters())
    output_gradients = made.output_gradients(losses)
    rows = [torch.cat(made.row(loss, parameters)) for loss in losses]
    found, by_outputs = made.differentiate(losses, parameters, by_outputs=True)
    assert output_gradients[1] is by_outputs[1] is None
    assert torch.equal(output_gradients[0], by_outputs[0])
    assert torch.equal(found.rows, torch.stack(rows))
    assert not rows[1].any()
    assert all(found.used)


def test_rows_are_written_to_the_given_memory():
    model, workspace = make(), Workspace()
    made = PlainEngine().forward(model, [torch.randn(4, 3)], workspace=workspace)
    rows = made.gradients(losses_of(made.outputs), list(model.parameters())).rows
    assert rows.data_ptr() == workspace.take(1, rows).data_ptr()


def test_losses_may_be_stacked():
    model = make()
    made = PlainEngine().forward(model, [torch.randn(4, 3), torch.randn(2, 3)])
    stacked = torch.stack(losses_of(made.outputs))
    assert made.gradients(stacked, [model[0].weight]).rows.shape == (2, 12)
