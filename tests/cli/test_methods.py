import re

from avalanche_emgd.training.methods import METHODS
from tests.command_line import call


def test_methods():
    result = call("methods", COLUMNS="200")
    assert result.exit_code == 0
    for method in METHODS.values():
        assert re.search(
            rf"\b{re.escape(method.name)} +│ {method.family} +│ {re.escape(method.about)}",
            result.output,
        )
