from __future__ import annotations

import re

import pytest

from fsd.release.journal import decode_value, encode_value


@pytest.mark.parametrize(
    "sentence",
    [
        "the load balancer's health check failed (2 tasks): [500]",
        "a=b 100 %",
        "é \u2028 x",
        "",
        "x" * 300,
    ],
)
def test_encode_value__any_sentence__what_aws_takes_and_read_again(sentence: str) -> None:
    value = encode_value(sentence)

    assert re.fullmatch(r"[\w .:/=+@-]{0,256}", value, re.ASCII)
    assert sentence.startswith(decode_value(value).rstrip())
    assert len(value) == 256 or decode_value(value) == sentence.rstrip()


@pytest.mark.parametrize("cut", range(250, 257))
def test_encode_value__cut_in_the_middle_of_a_character__only_whole_ones(cut: int) -> None:
    sentence = "x" * cut + "é" * 9

    assert sentence.startswith(decode_value(encode_value(sentence)))
