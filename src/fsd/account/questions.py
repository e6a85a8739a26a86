"""Grants → the questions that IAM's simulation answers, in few calls. Pure.

One question has several actions and several resources, and IAM answers each action for each
resource: what nobody wanted to know of that is left out.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html

IAM refuses a question whose actions "require different authorization information", and names the
groups that it would answer. Which actions those are is not documented; by what people saw it is
those that its simulator knows no resource for, beside others, where ARNs are given.
https://github.com/aws-cloudformation/rain/blob/main/internal/aws/iam/iam.go
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from fsd.account.grant import Grant
from fsd.errors import CallFailedError
from fsd.manifest.dependencies import EVERYTHING

# Answers in one page, so that one question is one call: IAM's limit for MaxItems.
MOST_ANSWERS = 1_000

_MIXED = "require different authorization information"
_GROUP = re.compile(r"\[([^\]]*)\]")

Pair = tuple[str, str]  # (action, resource)


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """`context` are the keys that the requests will have."""

    why: Mapping[Pair, str]
    context: Mapping[str, str]

    @property
    def actions(self) -> tuple[str, ...]:
        return tuple(sorted({action for action, _ in self.why}))

    @property
    def resources(self) -> tuple[str, ...]:
        return tuple(sorted({resource for _, resource in self.why}))


class ActionsMixed(CallFailedError):
    """IAM answers a question only in parts: `groups` are those that it named."""

    def __init__(self, error: CallFailedError, *, groups: tuple[tuple[str, ...], ...]) -> None:
        super().__init__(error.what, where=error.where, fix=error.fix, code=error.code)
        self.groups = groups


def mixed_groups(message: str) -> tuple[tuple[str, ...], ...] | None:
    """The groups of actions that IAM's refusal names; None for a refusal of another kind."""
    if _MIXED not in message:
        return None
    named = (re.split(r"[\s,]+", one) for one in _GROUP.findall(message))
    return tuple(tuple(filter(None, one)) for one in named)


def split(question: Simulation, groups: Sequence[Sequence[str]]) -> tuple[Simulation, ...]:
    """The question in parts, by the groups that IAM named, else in halves: of its actions, and of
    the resources of a single one. () for one action on one resource."""
    of = {name.lower(): number for number, names in enumerate(groups) for name in names}
    if len({of.get(action.lower(), -1) for action in question.actions}) > 1:
        return _parts(question, lambda pair: of.get(pair[0].lower(), -1))
    place = 0 if len(question.actions) > 1 else 1
    names = (question.actions, question.resources)[place]
    second = {*names[len(names) // 2 :]}
    return _parts(question, lambda pair: pair[place] in second) if len(names) > 1 else ()


def _parts(question: Simulation, part_of: Callable[[Pair], int]) -> tuple[Simulation, ...]:
    numbers = sorted({part_of(pair) for pair in question.why})
    return tuple(
        replace(
            question,
            why={pair: why for pair, why in question.why.items() if part_of(pair) == number},
        )
        for number in numbers
    )


def ask(grants: Iterable[Grant]) -> tuple[Simulation, ...]:
    """Of each grant its first resource; the others have names of the same form.

    Two grants share a question unless they need different values of one key, or one of them stands
    on `*` and the other does not.
    """
    found: list[Simulation] = []
    for one in _single(grants):
        for place, known in enumerate(found):
            joined = _joined(known, one)
            if joined is not None:
                found[place] = joined
                break
        else:
            found.append(one)
    return tuple(found)


def _single(grants: Iterable[Grant]) -> Iterator[Simulation]:
    for grant in grants:
        if grant.resources:
            yield Simulation(
                why={(action, grant.resources[0]): grant.why for action in grant.actions},
                context={
                    key: value[0] if isinstance(value, tuple) else value
                    for operands in grant.conditions.values()
                    for key, value in operands.items()
                },
            )


def _joined(one: Simulation, two: Simulation) -> Simulation | None:
    """None where they contradict, have too many answers, or IAM would refuse them together."""
    if (EVERYTHING in one.resources) is not (EVERYTHING in two.resources):
        return None
    if any(one.context.get(key, value) != value for key, value in two.context.items()):
        return None
    # A pair keeps the context that it was asked with: a grant of the same action on the same
    # resource without the key would be answered by the other's.
    if one.context != two.context and one.why.keys() & two.why.keys():
        return None
    both = Simulation(why={**two.why, **one.why}, context={**one.context, **two.context})
    return both if len(both.actions) * len(both.resources) <= MOST_ANSWERS else None
