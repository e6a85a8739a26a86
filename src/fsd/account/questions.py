"""Grants → the questions that IAM's simulation answers, in few calls. Pure.

One question has several actions and several resources, and IAM answers each action for each
resource: what nobody wanted to know of that is left out.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fsd.account.grant import Grant

# Answers in one page, so that one question is one call: IAM's limit for MaxItems.
MOST_ANSWERS = 1_000

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


def ask(grants: Iterable[Grant]) -> tuple[Simulation, ...]:
    """Of each grant its first resource; the others have names of the same form.

    Two grants share a question unless they need different values of one key.
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
    """None where they contradict, or have too many answers."""
    if any(one.context.get(key, value) != value for key, value in two.context.items()):
        return None
    # A pair keeps the context that it was asked with: a grant of the same action on the same
    # resource without the key would be answered by the other's.
    if one.context != two.context and one.why.keys() & two.why.keys():
        return None
    both = Simulation(why={**two.why, **one.why}, context={**one.context, **two.context})
    return both if len(both.actions) * len(both.resources) <= MOST_ANSWERS else None
