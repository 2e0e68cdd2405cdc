import copy
import pickle

import pytest
import torch

from avalanche_emgd.gradients.workspace import Workspace

LIKE = torch.ones(1)


def test_memory_is_given_again_while_it_suffices():
    workspace = Workspace()
    first = workspace.take(10, LIKE)
    assert len(first) >= 10
    assert workspace.take(4, LIKE).data_ptr() == first.data_ptr()
    larger = workspace.take(20, LIKE)
    assert len(larger) >= 20
    assert workspace.take(10, LIKE).data_ptr() == larger.data_ptr()
    assert workspace.take(10, LIKE.double()).dtype == torch.float64


def test_shared_memory_is_given_first_and_larger_memory_is_ones_own():
    workspace = Workspace()
    first = workspace.take(10, LIKE)
    sharing = Workspace(workspace)
    assert sharing.take(10, LIKE).data_ptr() == first.data_ptr()
    own = sharing.take(30, LIKE)
    assert workspace.take(10, LIKE).data_ptr() == first.data_ptr() != own.data_ptr()


@pytest.mark.parametrize("way", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_copies_have_memory_of_their_own(way):
    workspace = Workspace()
    first = workspace.take(10, LIKE)
    assert way(workspace).take(10, LIKE).data_ptr() != first.data_ptr()
