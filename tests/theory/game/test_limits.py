"""Limits as they are written."""

import pytest

from antidistill.errors import BadOption
from antidistill.theory.game.limits import Limit, parse_limit


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("visibility<=0.6", Limit("visibility", 0.6)),
        (" teacher accuracy >= 60 ", Limit("teacher accuracy", 60, at_least=True)),
        ("kl<=1e-3", Limit("kl", 0.001)),
    ],
)
def test_a_limit_is_read_and_written(text, limit):
    assert parse_limit(text) == limit
    assert parse_limit(str(limit)) == limit


@pytest.mark.parametrize("text", ["visibility", "visibility<0.6", "visibility<=much", "<=3", ""])
def test_what_is_no_limit_is_refused(text):
    with pytest.raises(BadOption, match="for instance kl<=2.0"):
        parse_limit(text)
