from typing import Annotated, TypedDict

import pytest

from avalanche_emgd._options import Default, with_defaults


class Options(TypedDict, total=False):
    seed: Annotated[int, Default(0)]
    names: Annotated[list | None, Default(None)]


def test_omitted_options_have_their_defaults():
    assert with_defaults(Options, {}, "f") == {"seed": 0, "names": None}
    assert with_defaults(Options, {"seed": 3}, "f") == {"seed": 3, "names": None}


def test_defaults_of_a_function_stand_between_both():
    assert with_defaults(Options, {}, "f", seed=5)["seed"] == 5
    assert with_defaults(Options, {"seed": 3}, "f", seed=5)["seed"] == 3


def test_unknown_options_are_named():
    with pytest.raises(TypeError, match=r"f\(\) got an unexpected .*'sed'. Did you mean 'seed'\?"):
        with_defaults(Options, {"sed": 1}, "f")
