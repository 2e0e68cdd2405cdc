import pytest
import torch

from avalanche_emgd.training.state import StateError
from avalanche_emgd.training.state.shared_files import load_shared, save_shared
from tests.distributed.threads import in_threads
from tests.toy import toy_benchmark
from tests.training.common import toy_model, toy_strategy, weights_of


def test_one_process_writes_and_reads_its_own_file(tmp_path):
    strategy = toy_strategy(memory_size=6)
    strategy.train(toy_benchmark().train_stream[:2])
    path = tmp_path / "checkpoint.pt"
    assert load_shared(path, None) is None
    save_shared(path, strategy, None)
    other = toy_strategy(memory_size=6, model=toy_model(seed=1))
    other.load_state_dict(load_shared(path, None))
    assert torch.equal(weights_of(other.model), weights_of(strategy.model))


def test_all_processes_read_the_file_of_the_first(tmp_path):
    strategy = toy_strategy(memory_size=6)
    path = tmp_path / "checkpoint.pt"
    save_shared(path, strategy, None)
    missing = tmp_path / "none" / "checkpoint.pt"

    def own(processes):
        return load_shared(path if processes.is_first else missing, processes)

    found = in_threads(3, own)
    for state in found:
        rest = toy_strategy(memory_size=6, model=toy_model(seed=1))
        rest.load_state_dict(state)
        assert torch.equal(weights_of(rest.model), weights_of(strategy.model))
    assert in_threads(2, lambda processes: load_shared(missing, processes)) == [None, None]


def test_all_processes_refuse_a_damaged_file(tmp_path):
    path = tmp_path / "checkpoint.pt"
    path.write_bytes(b"no checkpoint")

    def refused(processes):
        with pytest.raises(StateError) as caught:
            load_shared(path, processes)
        return str(caught.value)

    one, other = in_threads(2, refused)
    assert one == other
    assert "checkpoint.pt" in one
