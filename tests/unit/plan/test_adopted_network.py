"""The security groups of a service that another tool made: which of them its tasks keep."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.plan.adoption import adoption_changes, adoption_notes
from fsd.plan.notes import SecurityGroupsLeft
from fsd.plan.observed import Observed
from fsd.report.changes import remark_text
from tests.unit.floor.test_floor import as_deployed, compiled

THEIRS = ("sg-0a1b2c01", "sg-0a1b2c02")


def observed() -> Observed:
    """A service of another tool, whose tasks have two groups."""
    found = as_deployed(compiled(""))
    assert found.service is not None
    assert found.running is not None
    arn = found.running.arn.replace("offer-api-dev", "shop-api")
    return replace(
        found,
        service=replace(found.service, security_groups=THEIRS, tags=()),
        running=replace(found.running, arn=arn),
        stack=None,
    )


@pytest.mark.parametrize(
    ("groups", "left", "kept"),
    [
        ("[]", THEIRS, "keeps"),
        ("[sg-0a1b2c01]", ("sg-0a1b2c02",), "its security group sg-0a1b2c01"),
        ("{ids: [sg-0a1b2c02, sg-0a1b2c01], only: true}", (), "its security group sg-0a1b2c02"),
    ],
)
def test_adoption__groups_that_the_manifest_names__stay(
    groups: str, left: tuple[str, ...], kept: str
) -> None:
    service = f"{{networking: {{securityGroups: {groups}}}}}" if groups != "[]" else ""
    desired, found = compiled(service), observed()

    notes = [
        each for each in adoption_notes(desired, found) if isinstance(each, SecurityGroupsLeft)
    ]
    (change,) = adoption_changes(desired, found)

    assert notes == ([SecurityGroupsLeft(groups=left)] if left else [])
    assert kept in remark_text(change.remark)
