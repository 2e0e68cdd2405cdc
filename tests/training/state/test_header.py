"""The kind and the format of saved content."""

import pytest

from avalanche_emgd.training.state import StateError
from avalanche_emgd.training.state.header import check_format, check_header, make_header


def test_a_header_is_its_own():
    check_header(make_header("checkpoint", 3), "checkpoint", 3, "`checkpoint`")


@pytest.mark.parametrize("found", [{}, {"kind": None, "format": 3}, make_header("model", 3)])
def test_another_kind_is_refused(found):
    with pytest.raises(StateError, match=r"^`a` is no checkpoint of avalanche-emgd\.$"):
        check_header(found, "checkpoint", 3, "`a`")


@pytest.mark.parametrize("number", [2, 4, None])
def test_another_format_is_refused(number):
    words = f"^`a` has the format {number}, and this release reads 3: use the release that"
    with pytest.raises(StateError, match=words):
        check_header({**make_header("model", 3), "format": number}, "model", 3, "`a`")
    with pytest.raises(StateError, match=words):
        check_format({"format": number}, 3, "`a`")
