"""The weights of a rule are those of now, whatever a template says."""

from __future__ import annotations

import pytest

from fsd.compile.desired import Json
from fsd.plan.rule_weights import (
    changed_rules,
    find_stray,
    pair_of,
    with_weights,
    with_weights_only,
    without_weights,
)
from fsd.plan.transition import is_same_template


def template(path: str, first: int, second: int, *, groups: tuple[str, str] = ("A", "B")) -> Json:
    divided: list[Json] = [
        {"TargetGroupArn": {"Ref": group}, "Weight": weight}
        for group, weight in zip(groups, (first, second), strict=True)
    ]
    rule: Json = {
        "Type": "AWS::ElasticLoadBalancingV2::ListenerRule",
        "Properties": {
            "Conditions": [{"Field": "path-pattern", "Values": [path]}],
            "Actions": [{"Type": "forward", "ForwardConfig": {"TargetGroups": [*divided]}}],
        },
    }
    return {"Resources": {"Rule": rule, "Logs": {"Type": "AWS::Logs::LogGroup"}}}


NOW = template("/a", 100, 0)


def test_with_weights__rule_stays__keeps_its_text() -> None:
    made = with_weights(template("/a", 0, 100), NOW, {"A": 32, "B": 68})

    assert made == NOW
    assert changed_rules(template("/a", 0, 100), NOW) == ()


def test_with_weights__rule_changes__weights_of_now() -> None:
    wanted = template("/b", 100, 0)

    assert changed_rules(wanted, NOW) == ("Rule",)
    assert with_weights(wanted, NOW, {"A": 32, "B": 68}) == template("/b", 32, 68)
    assert with_weights(wanted, NOW, {"B": 100}) == template("/b", 0, 100)


def test_with_weights__no_weights_known__those_of_the_stack() -> None:
    assert with_weights(template("/b", 100, 0), template("/a", 0, 100), {}) == template(
        "/b", 0, 100
    )


def test_with_weights__other_target_groups__as_the_template_says() -> None:
    other = template("/a", 100, 0, groups=("A", "C"))

    assert with_weights(other, template("/a", 0, 100), {"B": 100}) == other


def test_with_weights_only__stack_of_before__nothing_else_changes() -> None:
    assert with_weights_only(NOW, {"B": 100}, rules=("Rule",)) == template("/a", 0, 100)


def test_is_same_template__ecs_has_shifted__the_same() -> None:
    assert is_same_template(NOW, template("/a", 0, 100))
    assert not is_same_template(NOW, template("/b", 100, 0))
    assert without_weights({"Resources": {}}) == {"Resources": {}}


def test_pair_of__one_target_group__no_pair() -> None:
    rule: Json = {
        "Type": "AWS::ElasticLoadBalancingV2::ListenerRule",
        "Properties": {"Actions": [{"Type": "forward", "TargetGroupArn": {"Ref": "A"}}]},
    }

    assert pair_of(rule) == ()


@pytest.mark.parametrize(
    ("weights", "healthy", "stray"),
    [
        ({"A": 0, "B": 100}, {"A": 2, "B": 0}, "A"),
        ({"A": 100, "B": 0}, {"A": 0, "B": 1}, "B"),
        ({"A": 0, "B": 100}, {"A": 0, "B": 2}, ""),
        ({"A": 0, "B": 100}, {"A": 0, "B": 0}, ""),  # nothing to return to
        ({"A": 10, "B": 90}, {"A": 2, "B": 0}, ""),  # some are answered: a shift
        ({"A": 0, "B": 100}, {"A": 2}, ""),  # nobody knows of B's targets
        ({"A": 0, "C": 100}, {"A": 2, "B": 0}, ""),
        ({"A": 0, "B": 0}, {"A": 2, "B": 0}, ""),
        ({}, {"A": 2, "B": 0}, ""),
    ],
)
def test_find_stray(weights: dict[str, int], healthy: dict[str, int], stray: str) -> None:
    assert find_stray(weights, healthy) == stray
