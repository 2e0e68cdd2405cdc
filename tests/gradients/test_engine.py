import torch
from torch import nn

from avalanche_emgd.gradients import PlainEngine, gramian_of
from tests.tolerance import tolerance


def rows_of(engine, model, batches, parameters):
    made = engine.forward(lambda batch: model(batch[0]), batches)
    losses = [
        nn.functional.cross_entropy(output, y)
        for output, (_, y) in zip(made.outputs, batches, strict=True)
    ]
    return made.gradients(losses, parameters).rows


def make_batches(sizes):
    return [(torch.randn(size, 6), torch.randint(0, 4, (size,))) for size in sizes]


def test_rows_are_the_gradients_of_the_losses():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 4))
    batches = make_batches([7, 3, 1])
    parameters = list(model.parameters())
    engine = PlainEngine()
    rows = rows_of(engine, model, batches, parameters).clone()
    for row, (x, y) in zip(rows, batches, strict=True):
        model.zero_grad()
        nn.functional.cross_entropy(model(x), y).backward()
        expected = torch.cat([p.grad.reshape(-1) for p in parameters])
        assert torch.equal(row, expected)  # the same operations one after the other


def test_batch_norm_sees_one_objective_at_a_time():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4))
    first, second = make_batches([8, 8])
    outputs = PlainEngine().forward(lambda batch: model(batch[0]), [first, second]).outputs
    bound = tolerance(torch.float32, 8, scale=10.0)  # deviations that inputs are from zero
    assert all(float(o.detach().mean(0).abs().max()) <= bound for o in outputs)


def test_unused_parameters_have_no_gradient():
    used, unused = nn.Linear(6, 4), nn.Linear(3, 2)
    parameters = [*used.parameters(), *unused.parameters()]
    engine = PlainEngine()
    rows = rows_of(engine, used, make_batches([5]), parameters)
    assert rows.shape == (1, 28 + 8)
    assert (rows[:, 28:] == 0).all()
    assert (rows[:, :28] != 0).any()


def test_number_of_objectives_may_change_from_call_to_call():
    model = nn.Linear(6, 4)
    engine = PlainEngine()
    for n in (2, 3, 1):
        rows = rows_of(engine, model, make_batches([4] * n), list(model.parameters()))
        assert rows.shape == (n, 28)


def test_gramian():
    J = torch.randn(3, 1000)
    expected = J.double() @ J.double().T
    assert torch.equal(gramian_of(J), expected)  # the same operation
