from __future__ import annotations

import re

import pytest

from fsd.compile.desired import Json
from fsd.plan.known_template import is_recorded, record_template

ONE: Json = {"Resources": {"A": {"Type": "T", "Properties": {"List": [1, 2]}}}}
SAME: Json = {"Resources": {"A": {"Properties": {"List": [2, 1]}, "Type": "T"}}}
OTHER: Json = {"Resources": {"A": {"Type": "T", "Properties": {"List": [1, 3]}}}}
CHANGE = "0123456789abcdef" * 2


def test_record_template__same_meaning__same_record() -> None:
    assert record_template(CHANGE, ONE) == record_template(CHANGE, SAME)
    assert record_template(CHANGE, ONE) != record_template(CHANGE, OTHER)
    assert record_template(CHANGE, ONE) != record_template("another", ONE)


def test_record_template__change_is_not_known__no_record() -> None:
    assert record_template("", ONE) == ""


def test_record_template__any__fits_into_a_tag() -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html"""
    assert re.fullmatch(r"[\w.:/=+@-]{1,256}", record_template(CHANGE, ONE))


@pytest.mark.parametrize(
    ("record", "change", "is_it"),
    [
        (record_template(CHANGE, ONE), CHANGE, True),
        (record_template(CHANGE, ONE), CHANGE[:-1], False),
        ("", CHANGE, False),
        (".x", "", False),
    ],
    ids=["its-own", "a-part", "no-record", "no-change"],
)
def test_is_recorded__only_of_its_own_change(record: str, change: str, *, is_it: bool) -> None:
    assert is_recorded(record, change) is is_it
