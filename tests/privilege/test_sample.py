"""A few permissions are taken away, of each role one at least: the rest on request.

`python -m tests.privilege` takes every one, and tests/privilege/needs.csv has what it found.
"""

from __future__ import annotations

from pathlib import Path

from tests.privilege.account import embedded_aws
from tests.privilege.mutation import Place, mutate
from tests.privilege.record import Permission
from tests.privilege.scenarios import SCENARIOS

SAMPLE = {
    "plan of a first deployment": (
        Permission(role="plan", sid="ReadServices", action="ecs:DescribeServices"),
        Permission(role="plan", sid="LookAround", action="ec2:DescribeVpcs"),
    ),
    "first deploy": (
        Permission(role="cloudformation", sid="LogGroup", action="logs:CreateLogGroup"),
        Permission(role="deploy", sid="Services", action="ecs:CreateService"),
    ),
    "run": (
        Permission(role="deploy", sid="RunTasks", action="ecs:RunTask"),
        Permission(role="execution", sid="", action="ecr:GetAuthorizationToken"),
        Permission(role="boundary", sid="", action="logs:*"),
    ),
}


def test_permission__taken_away__a_command_fails_and_names_it(tmp_path: Path) -> None:
    (service,) = (one for one in SCENARIOS if one.name == "service")
    wanted = {name: [(one, "") for one in every] for name, every in SAMPLE.items()}

    with embedded_aws(tmp_path) as cloud:
        place = Place(cloud=cloud, folder=tmp_path, account="666666666666")
        lost = list(mutate(service, place, wanted, only=SAMPLE))

    assert len(lost) == sum(map(len, SAMPLE.values()))
    assert [f"{one.permission}: {one.text}" for one in lost if not one.code] == []
    assert [f"{one.permission}: {one.text}" for one in lost if not one.is_named] == []
