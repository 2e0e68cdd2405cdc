import pytest
import torch
from torch import nn
from torch.utils.data import TensorDataset
from torchjd.aggregation import MeanWeighting

from avalanche_emgd import MultiGradientTemplate, ReplayMemory, Timeline, parallel_benchmark
from avalanche_emgd.training.ingredients import GSS, GSSMemory, GSSPlugin
from tests.tolerance import assert_near
from tests.toy import ids_of, toy_benchmark
from tests.training.common import TERMS, replay_strategy, scenarios, toy_strategy
from tests.training.peers.by_hand import Each, dropping_model, frozen, scenario_losses


def cosines(model, first, second, experience):
    """Compute the cosines ``[n, m]`` with one backward pass per sample through the last layer."""
    model = frozen(model)
    last = list(model[-1].requires_grad_(True).parameters())

    def gradients(samples):
        rows = []
        for loss in scenario_losses(model, samples, experience):
            found = torch.autograd.grad(loss, last, retain_graph=True)
            rows.append(torch.cat([gradient.reshape(-1) for gradient in found]))
        return rows

    rows, others = gradients(first), gradients(second)
    return torch.tensor([[float(g @ h / (g.norm() * h.norm())) for h in others] for g in rows])


class WatchedMemory(GSSMemory):
    """Memory that records compared and offered samples."""

    watcher = None
    last = None

    def compared(self, task, number):
        self.last = super().compared(task, number)
        assert self.last is None or len(self.last[1]) <= number
        return self.last

    def offer(self, task, samples, similarity):
        if self.watcher is not None:
            self.watcher(samples, self.last, similarity)
        super().offer(task, samples, similarity)


class WatchedGSS(GSS):
    def make_memory(self, max_size, seed):
        return WatchedMemory(max_size, seed)


def plugin_of(strategy):
    (plugin,) = [each for each in strategy.plugins if isinstance(each, GSSPlugin)]
    return plugin


@scenarios
@pytest.mark.parametrize("bias", [True, False])
def test_similarity_is_the_cosine_of_the_gradients_of_the_last_layer(scenario, bias):
    strategy = replay_strategy(dropping_model(bias), memory_size=12, memory_selection="gss")
    for experience in toy_benchmark(scenario=scenario).train_stream:
        strategy.train(experience)
        data = experience.dataset.eval()
        x = torch.stack([data[i][0] for i in range(len(data))])
        y, t = (torch.tensor([data[i][k] for i in range(len(data))]) for k in (1, 2))
        first, second = [x[:4], y[:4], t[:4]], [x[2:], y[2:], t[2:]]
        found = plugin_of(strategy).similarity(strategy, first, second)
        expected = cosines(strategy.model, first, second, experience)
        assert_near(found, expected, TERMS, least=1.0)
        assert not found.requires_grad
        assert all(module.training for module in strategy.model.modules())


def test_new_samples_are_compared_after_the_update_with_a_few_kept():
    compared = []

    def watch(samples, kept, similarity):
        assert updates.calls == strategy.tick + 1
        compared.append(0 if kept is None else len(kept[1]))
        expected = torch.zeros(len(samples[1]))
        if kept is not None:
            expected = cosines(strategy.model, samples, kept, strategy.experience).amax(1)
        assert_near(similarity, expected, TERMS, least=1.0)

    updates = Each("after_update", lambda strategy: None)
    strategy = replay_strategy(
        dropping_model(),
        memory_size=12,
        memory_selection=WatchedGSS(3),
        lr=0.2,
        plugins=[updates],
    )
    strategy.memory.watcher = watch
    strategy.train(toy_benchmark().train_stream)
    assert compared.count(0) == 3
    assert set(compared) == {0, 3}
    assert len(compared) == 5 + 4 + 4


@scenarios
def test_memory_has_samples_of_finished_tasks_within_its_capacity(scenario):
    sizes = []

    def check(strategy):
        replayed = [part for part in strategy.mbatch.parts if part.replayed]
        sizes.append(sum(part.stop - part.start for part in replayed))

    each = Each("after_forward", check)
    strategy = replay_strategy(memory_size=7, memory_selection="gss", plugins=[each])
    finished = set()
    for experience in toy_benchmark(scenario=scenario).train_stream:
        strategy.train(experience)
        finished |= set(experience.finishing_tasks)
        if finished:
            x, y, t = strategy.memory.take(torch.arange(len(strategy.memory)))
            assert len(y) == 7
            assert set(t.tolist()) == finished
            assert [i // 1000 for i in ids_of(x)] == t.tolist() == (y // 2).tolist()
            assert len(set(ids_of(x))) == 7
    assert sizes == [0] * 5 + [4] * 5


def test_gradients_of_one_direction_are_never_swapped_in():
    """Two tasks of one class each, so all gradients of a task lie in the same half space."""
    torch.manual_seed(0)
    x = 1.0 + torch.rand(2, 20, 5)
    x[..., -1] = torch.arange(40).view(2, 20) / 1e5
    data = [TensorDataset(x[task], torch.full((20,), task)) for task in range(2)]
    benchmark = parallel_benchmark(data, data, Timeline.joint([5, 5]), batch_size=4)
    strategy = replay_strategy(memory_size=6, memory_selection="gss")
    (experience,) = benchmark.train_stream
    strategy.train(experience)
    arrived = experience.dataset
    first = {task: [] for task in range(2)}
    for index in range(len(arrived)):
        sample, _, task = arrived[index]
        first[int(task)] += ids_of(sample[None])
    inputs, _, tasks = strategy.memory.take(torch.arange(6))
    assert tasks.tolist().count(0) == 3
    for identity, task in zip(ids_of(inputs), tasks.tolist(), strict=True):
        assert identity in first[task][:6]


def test_wrong_arguments():
    for number in (0, -1, 2.5, "few", True):
        with pytest.raises(ValueError, match="`num_compared` must be a whole number, at least 1"):
            GSS(number)
    with pytest.raises(ValueError, match=r"contains no torch\.nn\.Linear"):
        replay_strategy(nn.Sequential(nn.Conv1d(1, 2, 3)), memory_size=12, memory_selection="gss")


def test_a_strategy_that_makes_another_memory_is_refused():
    class Own(MultiGradientTemplate):
        def make_memory(self, memory_size, seed):
            return ReplayMemory(memory_size, seed)

    with pytest.raises(ValueError, match=r"`memory_selection` GSS\(num_compared=10\) needs a GSSM"):
        toy_strategy(Own, weighting=MeanWeighting(), memory_size=12, memory_selection="gss")
