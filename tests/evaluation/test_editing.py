import pytest
import torch
from avalanche.evaluation.metric_results import TensorImage
from avalanche.logging import TensorboardLogger
from avalanche.training.plugins import EvaluationPlugin
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from avalanche_emgd import MLP, EMGDStrategy, ps_digits
from avalanche_emgd.evaluation import EditingDiagnostics, editing_diagnostics, editing_grid
from tests.toy import toy_benchmark
from tests.training.common import quiet, toy_strategy


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    directory = tmp_path_factory.mktemp("tensorboard")
    logger = TensorboardLogger(str(directory))
    benchmark = ps_digits(num_tasks=2, batch_size=16)
    model = MLP(10, in_features=64)
    strategy = EMGDStrategy(
        model,
        optimizer=torch.optim.SGD(model.parameters(), lr=0.05),
        memory_size=20,
        memory_editing={"measure_every": 2, "step": 0.1},
        evaluator=EvaluationPlugin(
            editing_diagnostics(images_every=5), loggers=[logger], collect_all=False
        ),
    )
    strategy.train(benchmark.train_stream)
    logger.writer.flush()
    accumulator = EventAccumulator(str(directory), size_guidance={"scalars": 0, "images": 0})
    accumulator.Reload()
    return strategy, accumulator


def test_tensorboard_has_the_measurements(events):
    strategy, accumulator = events
    history = strategy.memory_editing.history
    assert len(history) > 3
    for name, field in (
        ("Cosine_Before", "before"),
        ("Cosine_After", "after"),
        ("Mean_Drift", "mean_drift"),
        ("Max_Drift", "max_drift"),
        ("Edited", "edited"),
    ):
        found = accumulator.Scalars(f"Editing/{name}")
        assert [event.step for event in found] == [measure.tick for measure in history]
        assert [event.value for event in found] == pytest.approx(
            [getattr(measure, field) for measure in history],
            rel=torch.finfo(torch.float32).eps,  # what TensorBoard keeps
        )


def test_tensorboard_has_images_every_so_often(events):
    strategy, accumulator = events
    images = accumulator.Images("Editing/Images")
    first = strategy.memory_editing.history[0].tick
    last = strategy.clock.train_iterations
    assert [i.step for i in images] == [t for t in range(0, last, 5) if t >= first]
    assert images[0].width == 1 + 10 * (8 + 1)
    assert images[0].height == 1 + 3 * (8 + 1)


def test_silent_without_editing_and_without_images():
    metric = EditingDiagnostics(images_every=1)
    toy_strategy(memory_size=6, evaluator=quiet(metric)).train(toy_benchmark().train_stream)
    assert metric.result() == {}
    strategy = toy_strategy(memory_size=6, evaluator=quiet(metric), memory_editing="distance")
    strategy.train(toy_benchmark().train_stream)  # of vectors
    assert set(metric.result()) == {
        f"Editing/{name}"
        for name in ("Cosine_Before", "Cosine_After", "Mean_Drift", "Max_Drift", "Edited")
    }
    assert not any(isinstance(value, TensorImage) for value in metric.result().values())


def test_grid_shows_originals_edits_and_differences():
    originals = torch.zeros(3, 1, 2, 2)
    originals[:, 0, 0, 0] = 4.0  # so that one unit is a quarter of grey
    edited = originals.clone()
    edited[0, 0, 1, 1] = 0.1
    grid = editing_grid(originals, edited)
    assert grid.shape == (3, 1 + 3 * 3, 1 + 3 * 3)
    first = [grid[0, 1 + 3 * row : 3 + 3 * row, 1:3] for row in range(3)]
    torch.testing.assert_close(first[0], torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    torch.testing.assert_close(first[1], torch.tensor([[1.0, 0.0], [0.0, 0.025]]))
    torch.testing.assert_close(first[2], torch.tensor([[0.5, 0.5], [0.5, 0.75]]))


@pytest.mark.parametrize("shape", [(4, 5), (0, 1, 2, 2), (2, 2, 3, 3)])
def test_grid_needs_images(shape):
    with pytest.raises(ValueError, match="`originals` and `edited` must be images"):
        editing_grid(torch.zeros(shape), torch.zeros(shape))


def test_wrong_frequency():
    with pytest.raises(
        ValueError, match="`images_every` must be a whole number, at least 1, found 0"
    ):
        EditingDiagnostics(0)
