import re

from avalanche_emgd.experiments import RunConfig, StudyConfig
from avalanche_emgd.experiments.setting import declared
from tests.experiments.toy_settings import Toy


def test_help_texts_are_sentences():
    for config in (RunConfig, StudyConfig):
        for each in declared(config).values():
            assert re.fullmatch(r"[A-Z].*(\.|\.\.\.)", each.help), each.help
            sentences = re.split(r"(?<=[a-z0-9])\. ", each.help)
            assert max(len(sentence.split()) for sentence in sentences) <= 25, each.help


def test_values_in_range_are_of_the_declared_kind():
    toy = Toy(whole=5, above=3, half_open=0, choice="right", even=5, plain="as it is")
    assert (toy.whole, toy.above, toy.choice, toy.even, toy.plain) == (
        5,
        3.0,
        "right",
        4,
        "as it is",
    )
    assert type(toy.above) is type(toy.half_open) is float
    assert "plain" not in declared(Toy)
    assert next(iter(declared(Toy))) == "whole"
    assert ":param choice: side. Default: none.\n" in Toy.__doc__
    assert Toy.__doc__.index(":param whole:") < Toy.__doc__.index(":param benchmark:")
