"""IAM that answers only questions of one kind of actions, or only of one at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fsd.account.questions import ActionsMixed, Pair, Simulation
from fsd.app.permissions_asked import begin_asking
from fsd.aws.side_by_side import SideBySide
from fsd.errors import CallFailedError

WHY = {(f"{kind}:Do{number}", "arn:one"): "w" for kind in "ab" for number in range(4)}
QUESTION = Simulation(why=WHY, context={})
Iam = Callable[[Simulation], dict[Pair, bool]]


def mixed(*groups: tuple[str, ...]) -> ActionsMixed:
    error = CallFailedError("InvalidInput: mixed", where="iam", fix="none")
    return ActionsMixed(error, groups=groups)


def that_names_groups(question: Simulation) -> dict[Pair, bool]:
    kinds = sorted({action.partition(":")[0] for action in question.actions})
    if len(kinds) > 1:
        raise mixed(*(tuple(a for a in question.actions if a[0] == kind) for kind in kinds))
    return dict.fromkeys(question.why, False)


def that_says_little(question: Simulation) -> dict[Pair, bool]:
    if len(question.actions) > 1:
        raise mixed()
    return dict.fromkeys(question.why, False)


@pytest.mark.parametrize(
    ("iam", "calls"), [(that_names_groups, 3), (that_says_little, 15)], ids=["groups", "halves"]
)
def test_begin_asking__iam_answers_in_parts__every_action_is_answered(iam: Iam, calls: int) -> None:
    asked: list[Simulation] = []
    refusals: list[str] = []

    def denied(question: Simulation) -> dict[Pair, bool]:
        asked.append(question)
        return iam(question)

    found = begin_asking(SideBySide(), [QUESTION], denied=denied, on_refusal=refusals.append)()

    assert {(one.action, one.resource) for one in found} == {*WHY}
    assert len(found) == len(WHY)
    assert (len(asked), refusals) == (calls, [])


def test_begin_asking__refused_to_the_last_action__is_told() -> None:
    refusals: list[str] = []

    def denied(question: Simulation) -> dict[Pair, bool]:
        if "a:Do0" in question.actions:
            raise mixed()
        return dict.fromkeys(question.why, False)

    found = begin_asking(SideBySide(), [QUESTION], denied=denied, on_refusal=refusals.append)()

    assert {one.action for one in found} == {action for action, _ in WHY} - {"a:Do0"}
    assert refusals == ["InvalidInput: mixed"]


def test_begin_asking__denied__is_told_and_not_asked_in_parts() -> None:
    refusals: list[str] = []

    def denied(question: Simulation) -> dict[Pair, bool]:
        raise CallFailedError(f"AccessDenied: {len(question.why)}", where="iam", fix="none")

    assert begin_asking(SideBySide(), [QUESTION], denied=denied, on_refusal=refusals.append)() == ()
    assert refusals == ["AccessDenied: 8"]
