import torch
from avalanche.evaluation.metrics import accuracy_metrics, loss_metrics
from avalanche.training.plugins import EvaluationPlugin

from tests.training.common import quiet, toy_strategy
from tests.training.state.common import Saved, from_file
from tests.training.state.interrupted import interrupted, train_stream


def test_metrics_of_avalanche():
    def make(plugins):
        metrics = [
            accuracy_metrics(minibatch=True, epoch=True, experience=True, stream=True),
            loss_metrics(minibatch=True, epoch=True, experience=True, stream=True),
        ]
        evaluator = EvaluationPlugin(*metrics, loggers=quiet().loggers or [_Silent()])
        return toy_strategy(memory_size=12, plugins=plugins, evaluator=evaluator)

    whole = interrupted(make, train_stream, ticks=[0, 2, 6, 9])
    saved = Saved()
    torch.manual_seed(0)
    first = make([saved])
    first.train(train_stream())
    rest = make([Saved([])])
    rest.load_state_dict(from_file(saved.files[5]))
    rest.train(train_stream())
    assert rest.evaluator.get_all_metrics() == whole.evaluator.get_all_metrics()


class _Silent:
    def log_metrics(self, values):
        pass
