import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from avalanche_emgd.distributed.digests import digest_of, sums_of

KINDS = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool]


@given(st.sampled_from(KINDS), st.integers(1, 5), st.integers(0, 4))
def test_a_digest_is_of_values_shapes_and_types(kind, rows, columns):
    tensor = torch.arange(rows * (columns + 1)).view(rows, columns + 1).to(kind)
    digest = digest_of([tensor])
    assert digest.shape == (1,)
    assert torch.equal(digest, digest_of([tensor.clone()]))
    assert torch.equal(digest, digest_of([tensor.T.contiguous().T]))  # other strides
    changed = tensor.clone()
    changed[-1, -1] = not changed[-1, -1]
    others = [changed, tensor[None], tensor.to(torch.float16)]
    for other in others:
        assert not torch.equal(digest, digest_of([other]))
    assert not torch.equal(digest, digest_of([tensor, tensor]))


def test_sums_find_a_parameter_that_has_moved():
    model = nn.Linear(3, 2)
    before = sums_of(model)
    assert before.shape == (4,)
    with torch.no_grad():
        model.weight[0, 0] += 1e-6
    assert not torch.equal(sums_of(model), before)
