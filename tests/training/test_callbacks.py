from avalanche.core import SupervisedPlugin
from avalanche.evaluation.metrics import accuracy_metrics

from avalanche_emgd import gradient_diagnostics
from avalanche_emgd.evaluation import quiet_evaluator
from avalanche_emgd.training._callbacks import has_callback
from tests.toy import toy_benchmark
from tests.training.common import toy_strategy

EVENT = "after_training_iteration"


class Silent(SupervisedPlugin):
    pass


class Counting(SupervisedPlugin):
    def __init__(self):
        super().__init__()
        self.calls = 0

    def after_training_iteration(self, strategy, **kwargs):
        self.calls += 1


def test_overridden_and_patched_callbacks_count():
    assert has_callback(Counting(), EVENT)
    assert not has_callback(Silent(), EVENT)
    assert not has_callback(Counting(), "before_forward")
    patched = Silent()
    patched.before_forward = lambda strategy: None
    assert has_callback(patched, "before_forward")


def test_callbacks_from_getattr_count():
    class Dynamic:
        def __getattr__(self, name):
            if name == EVENT:
                return lambda strategy: None
            raise AttributeError(name)

    assert has_callback(Dynamic(), EVENT)
    assert not has_callback(Dynamic(), "before_forward")


def test_an_evaluator_has_the_callbacks_of_its_metrics():
    evaluator = quiet_evaluator(accuracy_metrics(epoch=True), gradient_diagnostics())
    assert has_callback(evaluator, EVENT)
    assert not has_callback(evaluator, "before_backward")
    assert not has_callback(quiet_evaluator(), EVENT)


def test_an_evaluator_without_metrics_stays_among_the_plugins():
    evaluator = quiet_evaluator()
    strategy = toy_strategy(evaluator=evaluator)
    strategy.train(toy_benchmark().train_stream)
    assert evaluator in strategy.plugins


def test_plugins_added_and_removed_during_training():
    late = Counting()

    class Adds(SupervisedPlugin):
        def before_update(self, strategy, **kwargs):
            if strategy.tick == 3:
                strategy.plugins.append(late)
            if strategy.tick == 6:
                strategy.plugins.remove(late)

    toy_strategy(plugins=[Adds()]).train(toy_benchmark().train_stream)
    assert late.calls == 3
