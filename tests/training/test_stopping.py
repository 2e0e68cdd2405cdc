import pickle
from pathlib import Path

from avalanche_emgd.training import TrainingStopped


def test_a_stop_names_its_checkpoint_in_other_processes_too():
    stop = TrainingStopped(Path("run/checkpoint.pt"), 15)
    for each in (stop, pickle.loads(pickle.dumps(stop))):
        assert str(each) == "Training has stopped. Checkpoint: run/checkpoint.pt"
        assert (each.path, each.number) == (Path("run/checkpoint.pt"), 15)
