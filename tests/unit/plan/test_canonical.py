from __future__ import annotations

import json
import os
import random

import pytest

from fsd.compile.desired import Json, JsonValue
from fsd.plan.canonical import canonical_text
from fsd.plan.diff import diff_templates
from fsd.plan.transition import is_same_template, transition_template
from tests.unit.plan.manifests import make_desired_by_chance, shuffled

PAIRS = int(os.environ.get("FSD_TEST_PAIRS", "300"))


def as_stored(template: Json) -> Json:
    """As CloudFormation gives it back: FSD sends the keys sorted."""
    stored: Json = json.loads(json.dumps(template, sort_keys=True))
    return stored


def in_another_order(template: Json, chance: random.Random) -> Json:
    other = shuffled(template, chance)
    assert isinstance(other, dict)
    return other


def rule(cidr: str) -> Json:
    return {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": cidr}


def group(*rules: Json) -> Json:
    properties: Json = {"SecurityGroupIngress": [*rules]}
    return {"Resources": {"Clients": {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}}}


def test_transition_template__as_cloudformation_gives_it_back__is_the_same() -> None:
    both = transition_template(group(rule("10.0.0.0/16")), group(rule("0.0.0.0/0")))

    assert is_same_template(as_stored(both), both)
    assert is_same_template(
        transition_template(as_stored(both), group(rule("0.0.0.0/0"))), as_stored(both)
    )


def test_transition_template__generated_pairs__idempotent_in_any_order() -> None:
    for number in range(PAIRS):
        chance = random.Random(number)
        before = make_desired_by_chance(chance).template
        after = make_desired_by_chance(chance).template
        both = transition_template(as_stored(before), after)
        for seen in (as_stored(both), in_another_order(both, chance)):
            again = transition_template(seen, in_another_order(after, chance))
            assert is_same_template(again, both), number
            assert diff_templates(seen, again) == (), number
            assert diff_templates(before, seen) == diff_templates(before, both), number


def test_is_same_template__one_value_differs__another_template() -> None:
    for number in range(PAIRS):
        chance = random.Random(number)
        template = make_desired_by_chance(chance).template
        changed = as_stored(template)
        _change_one(changed, chance)

        assert not is_same_template(template, in_another_order(changed, chance)), number


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"Fn::Join": ["", ["http://", "name"]]}, {"Fn::Join": ["", ["name", "http://"]]}),
        ({"Fn::GetAtt": ["Group", "Id"]}, {"Fn::GetAtt": ["Id", "Group"]}),
        ([1, 2], [1, 2, 2]),
        ([1], ["1"]),
        ([True], [1]),
    ],
)
def test_canonical_text__another_meaning__differs(one: JsonValue, other: JsonValue) -> None:
    assert canonical_text(one) != canonical_text(other)


def _change_one(value: JsonValue, chance: random.Random) -> None:
    """Walk to a leaf and change it."""
    while isinstance(value, dict | list) and value:
        key: object = (
            chance.choice([*value]) if isinstance(value, dict) else chance.randrange(len(value))
        )
        item = value[key]  # type: ignore[index, call-overload] # a key of a dict, an index of a list
        if not isinstance(item, dict | list):
            value[key] = f"{item}, changed"  # type: ignore[index, call-overload] # a key of a dict, an index of a list
            return
        value = item
