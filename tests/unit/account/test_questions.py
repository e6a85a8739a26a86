from __future__ import annotations

import pytest

from fsd.account.grant import AccountPlace, Grant, Reach
from fsd.account.policies import deploy_grants
from fsd.account.questions import MOST_ANSWERS, Simulation, ask, mixed_groups, split


def grant(actions: str, resource: str = "*", **keys: str) -> Grant:
    return Grant(
        sid="One",
        why=f"for {actions}",
        actions=tuple(actions.split()),
        resources=(resource,),
        conditions={"StringEquals": {key.replace("__", ":"): value for key, value in keys.items()}},
    )


def test_ask__keys_that_agree__one_question_of_all() -> None:
    (question,) = ask(
        (grant("a:Read", "arn:one", k__a="1"), grant("b:Read b:List", "arn:two", k__b="2"))
    )

    assert question.actions == ("a:Read", "b:List", "b:Read")
    assert question.resources == ("arn:one", "arn:two")
    assert question.context == {"k:a": "1", "k:b": "2"}
    assert set(question.why) == {
        ("a:Read", "arn:one"),
        ("b:Read", "arn:two"),
        ("b:List", "arn:two"),
    }


def test_ask__all_resources_and_named_ones__a_question_each() -> None:
    """IAM refuses actions that have no resource beside ARNs."""
    questions = ask((grant("a:Read", "arn:one"), grant("b:List"), grant("c:List")))

    assert [question.resources for question in questions] == [("arn:one",), ("*",)]


# As IAM wrote it: https://github.com/aws-cloudformation/rain/blob/main/internal/aws/iam/iam.go
REFUSAL = (
    "Invalid Input Actions: [s3:CreateBucket,iam:PassRole]\n and [s3:PutObjectLockConfiguration, "
    "s3:PutBucketReplication] require different authorization information. Please refer to the "
    "documentation"
)


def simulation(actions: str, *resources: str) -> Simulation:
    why = {(one, resource): "w" for one in actions.split() for resource in resources}
    return Simulation(why=why, context={"k": "v"})


@pytest.mark.parametrize(
    ("message", "groups"),
    [
        (
            REFUSAL,
            (
                ("s3:CreateBucket", "iam:PassRole"),
                ("s3:PutObjectLockConfiguration", "s3:PutBucketReplication"),
            ),
        ),
        ("Some actions require different authorization information.", ()),
        ("Invalid Entity Arn: arn:x does not clearly define entity type and name.", None),
    ],
)
def test_mixed_groups__refusal__what_iam_would_answer(message: str, groups: object) -> None:
    assert mixed_groups(message) == groups


@pytest.mark.parametrize(
    ("question", "groups", "parts"),
    [
        (simulation("a:A a:B b:C", "*"), [["a:A", "B:c"], ["a:B"]], ["a:A b:C", "a:B"]),
        (simulation("a:A a:B b:C", "*"), [["a:A"], ["a:B"]], ["b:C", "a:A", "a:B"]),
        (simulation("a:A a:B b:C", "*"), [], ["a:A", "a:B b:C"]),
        (simulation("a:A a:B", "*"), [["a:A", "a:B"]], ["a:A", "a:B"]),
        (simulation("a:A", "*"), [["a:A"], ["a:B"]], []),
    ],
)
def test_split__question__by_the_groups_else_in_halves(
    question: Simulation, groups: list[list[str]], parts: list[str]
) -> None:
    found = split(question, groups)

    assert [" ".join(one.actions) for one in found] == parts
    assert all(one.context == question.context for one in found)


def test_split__one_action__in_halves_of_its_resources() -> None:
    found = split(simulation("a:A", "one", "two", "three"), [])

    assert [one.resources for one in found] == [("one",), ("three", "two")]


def test_ask__keys_that_contradict__a_question_each() -> None:
    one, two = ask(
        (grant("iam:PassRole", "r1", k__to="ecs"), grant("iam:PassRole", "r2", k__to="x"))
    )

    assert [one.context, two.context] == [{"k:to": "ecs"}, {"k:to": "x"}]


def test_ask__same_action_with_a_key_and_without__is_asked_both_ways() -> None:
    questions = ask((grant("ecs:RunTask", k__cluster="c"), grant("ecs:RunTask")))

    assert [question.context for question in questions] == [{"k:cluster": "c"}, {}]


def test_ask__too_many_answers_for_a_page__one_question_more() -> None:
    half = tuple(f"a:Do{number}" for number in range(MOST_ANSWERS // 2 + 1))

    assert len(ask((grant(" ".join(half), "arn:one"), grant("b:Do", "arn:two")))) == 2


def test_ask__everything_that_a_deployment_needs__asks_for_all_of_it_in_few() -> None:
    reach = Reach(
        place=AccountPlace(partition="aws", account="1", region="r"),
        environment="dev",
        cluster="dev",
        services=("hello",),
        boundary="arn:boundary",
        cloudformation_role="arn:role",
    )
    grants = deploy_grants(reach)
    questions = ask(grants)

    asked = {pair for question in questions for pair in question.why}
    assert asked == {(action, one.resources[0]) for one in grants for action in one.actions}
    assert len(questions) <= 4
    assert all(("*" in one.resources) is (one.resources == ("*",)) for one in questions)
