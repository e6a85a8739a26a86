"""Whose a stack, a service or a repository is, by its tags."""

from __future__ import annotations

import pytest

from fsd.plan.ownership import OwnedResource, find_other_owner

RUN = "https://github.com/org/offers/actions/runs/42"
OURS = [
    {},
    {"Team": "other"},
    {"fsd:pack": "pricing"},
    {"fsd:pack": "pricing", "fsd:run": RUN},
    {"fsd:pack": "pricing", "fsd:run": "https://github.com/Org/Offers/actions/runs/7"},
    {"fsd:pack": "pricing", "fsd:run": "me@laptop"},
]
THEIRS = [
    ({"fsd:pack": "other"}, "the pack `other`"),
    ({"fsd:pack": "other", "fsd:owners": "@org/other"}, "the pack `other` (@org/other)"),
    (
        {"fsd:pack": "pricing", "fsd:run": "https://github.com/org/else/actions/runs/1"},
        "the repository github.com/org/else",
    ),
]


@pytest.mark.parametrize("tags", OURS)
def test_find_other_owner__ours_or_unknown__none(tags: dict[str, str]) -> None:
    assert find_other_owner([OwnedResource(what="x", tags=tags)], pack="pricing", run=RUN) is None


@pytest.mark.parametrize(("tags", "whose"), THEIRS)
def test_find_other_owner__another_pack_or_repository__whose(
    tags: dict[str, str], whose: str
) -> None:
    things = [
        OwnedResource(what="the stack", tags={}),
        OwnedResource(what="the service", tags=tags),
    ]

    found = find_other_owner(things, pack="pricing", run=RUN)

    assert found is not None
    assert (found.thing.what, found.whose) == ("the service", whose)


def test_find_other_owner__deployed_by_hand__compares_the_packs_alone() -> None:
    tags = {"fsd:pack": "pricing", "fsd:run": "https://github.com/org/else/actions/runs/1"}

    assert (
        find_other_owner([OwnedResource(what="x", tags=tags)], pack="pricing", run="me@laptop")
        is None
    )
