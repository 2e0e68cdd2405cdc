import math

import pytest
import torch

from avalanche_emgd.optim import GMC, EMGDWeighting
from avalanche_emgd.optim.elastic import CustomFactor, make_elastic_factor
from avalanche_emgd.optim.factors import EGDA, GS, Constant

GRAMIAN = torch.diag(torch.tensor([1.0, 4.0], dtype=torch.float64))


@pytest.mark.parametrize(
    ("name", "kind"), [("gmc", GMC), ("gs", GS), ("mgda", Constant), ("egda", EGDA)]
)
def test_names_of_rules(name, kind):
    rule = make_elastic_factor(name)
    assert type(rule) is kind
    assert make_elastic_factor(rule) is rule


def test_a_rule_of_ones_own_is_that_of_its_factors():
    own = make_elastic_factor(lambda gramian, objectives: torch.tensor([2.0, 2.0]))
    assert isinstance(own, CustomFactor)
    found, expected = EMGDWeighting(elastic=own)(GRAMIAN), EMGDWeighting(elastic="mgda")(GRAMIAN)
    torch.testing.assert_close(found, expected)
    assert "CustomFactor(" in repr(own)


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_the_scale_of_the_factors_does_not_matter(scale):
    own = make_elastic_factor(lambda g, o: scale * torch.tensor([1.0, 3.0], dtype=torch.float64))
    one = make_elastic_factor(lambda g, o: torch.tensor([1.0, 3.0], dtype=torch.float64))
    torch.testing.assert_close(
        EMGDWeighting(elastic=own)(GRAMIAN), EMGDWeighting(elastic=one)(GRAMIAN)
    )


def test_the_sum_of_inverse_factors_may_be_beyond_float64():
    factors = torch.tensor([1e-308, 2e-308, 1e-308], dtype=torch.float64)
    own = make_elastic_factor(lambda g, o: factors)
    expected = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64) * 2.5 / 3
    torch.testing.assert_close(own(torch.eye(3), ["a", "b", "c"]), expected)


def test_one_factor_may_be_infinite():
    own = make_elastic_factor(lambda g, o: torch.tensor([1.0, math.inf]))
    assert EMGDWeighting(elastic=own)(GRAMIAN).isfinite().all()


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([1.0], "must return 2 positive factors"),
        ([1.0, 0.0], "must return 2 positive factors"),
        ([1.0, math.nan], "must return 2 positive factors"),
        ([math.inf, math.inf], "at least one finite factor"),
    ],
)
def test_wrong_factors(factors, message):
    own = make_elastic_factor(lambda g, o: torch.tensor(factors))
    with pytest.raises(ValueError, match=message):
        EMGDWeighting(elastic=own)(GRAMIAN)


def test_what_is_no_rule():
    with pytest.raises(ValueError, match=r"`elastic` must be one of .* found 'gcm'"):
        make_elastic_factor("gcm")
    with pytest.raises(TypeError, match=r"found the class GMC: call it, as in elastic=GMC\(\)"):
        make_elastic_factor(GMC)
    with pytest.raises(TypeError, match="`elastic` must be a name"):
        make_elastic_factor(3)
