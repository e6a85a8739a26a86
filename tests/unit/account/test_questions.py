from __future__ import annotations

from fsd.account.grant import AccountPlace, Grant, Reach
from fsd.account.policies import deploy_grants
from fsd.account.questions import MOST_ANSWERS, ask


def grant(actions: str, resource: str = "*", **keys: str) -> Grant:
    return Grant(
        sid="One",
        why=f"for {actions}",
        actions=tuple(actions.split()),
        resources=(resource,),
        conditions={"StringEquals": {key.replace("__", ":"): value for key, value in keys.items()}},
    )


def test_ask__keys_that_agree__one_question_of_all() -> None:
    (question,) = ask((grant("a:Read", "arn:one", k__a="1"), grant("b:Read b:List", k__b="2")))

    assert question.actions == ("a:Read", "b:List", "b:Read")
    assert question.resources == ("*", "arn:one")
    assert question.context == {"k:a": "1", "k:b": "2"}
    assert set(question.why) == {("a:Read", "arn:one"), ("b:Read", "*"), ("b:List", "*")}


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
