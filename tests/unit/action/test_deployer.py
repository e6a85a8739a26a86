"""Which role a run assumes by its identity token, and that it says so where it may not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fsd.action.deployer import WorkflowDeployer
from fsd.app.account import Connection, WebIdentity
from fsd.app.deployment import DeployOptions
from fsd.errors import CallFailedError, RefusedError, UsageError
from fsd.github.oidc import IdTokens
from fsd.manifest.environments import Environment
from fsd.release.reporter import Silent
from tests.fakes.aws import FakeClock

MANIFEST = """\
apiVersion: fsd/v1
kind: Service
metadata: {name: hello, pack: pack-x}
service: {type: ecs, port: 8000, image: "hello:1"}
"""
ENVIRONMENTS = """\
apiVersion: fsd/v1
kind: Environment
metadata: {name: dev}
spec:
  region: us-east-1
  roleArn: arn:aws:iam::123456789012:role/deploys
  planRoleArn: arn:aws:iam::123456789012:role/plans
"""
GIVEN = "arn:aws:iam::123456789012:role/given"


class Refusing:
    """Refuses every account, and remembers by which role it was asked for."""

    def __init__(self) -> None:
        self.identities: list[WebIdentity | None] = []

    def __call__(
        self,
        environment: Environment,
        *,
        region: str | None = None,
        identity: WebIdentity | None = None,
        start: bool = True,
        service: str = "",
    ) -> Connection:
        del environment, region, start, service
        self.identities.append(identity)
        raise RefusedError("no account here", where="the test", fix="none")


def options_in(folder: Path) -> DeployOptions:
    (folder / "service.yml").write_text(MANIFEST)
    (folder / ".fsd").mkdir()
    (folder / ".fsd" / "environments.yml").write_text(ENVIRONMENTS)
    return DeployOptions(file=folder / "service.yml", environment="dev")


def make_deployer(
    connect: Refusing, clock: FakeClock, *, role: str = "", has_tokens: bool = True
) -> WorkflowDeployer:
    tokens = IdTokens(url="https://x", request_token="t", mask=lambda _: None, clock=clock)
    return WorkflowDeployer(
        connect=connect,
        environments_file=None,
        tokens=tokens if has_tokens else None,
        role_to_assume=role,
        session_name="fsd-7",
    )


@pytest.mark.parametrize(
    ("role", "action", "expected"),
    [
        ("", "deploy", "arn:aws:iam::123456789012:role/deploys"),
        ("", "plan", "arn:aws:iam::123456789012:role/plans"),
        ("", "roll_back", "arn:aws:iam::123456789012:role/deploys"),
        (GIVEN, "deploy", GIVEN),
        (GIVEN, "plan", GIVEN),
        (GIVEN, "roll_back", GIVEN),
    ],
)
def test_deployer__role__the_steps_else_the_environments(
    tmp_path: Path, role: str, action: str, expected: str
) -> None:
    connect = Refusing()
    deployer = make_deployer(connect, FakeClock(), role=role)
    arguments = ["previous"] if action == "roll_back" else []

    with pytest.raises(RefusedError):
        getattr(deployer, action)(options_in(tmp_path), *arguments, reporter=Silent())

    (identity,) = connect.identities
    assert identity is not None
    assert (identity.role_arn, identity.session_name) == (expected, "fsd-7")


def test_deployer__duration__of_every_session(tmp_path: Path) -> None:
    connect = Refusing()
    deployer = replace(make_deployer(connect, FakeClock(), role=GIVEN), duration=timedelta(hours=2))

    with pytest.raises(RefusedError):
        deployer.deploy(options_in(tmp_path), reporter=Silent())

    (identity,) = connect.identities
    assert identity is not None
    assert identity.duration == timedelta(hours=2)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"names_session": True}, "role-session-name"),
        ({"duration": timedelta(hours=2)}, "role-duration"),
    ],
)
def test_deployer__session_of_the_jobs_own_credentials__is_not_dropped_silently(
    tmp_path: Path, changes: dict[str, Any], name: str
) -> None:
    connect = Refusing()
    deployer = replace(make_deployer(connect, FakeClock(), has_tokens=False), **changes)

    with pytest.raises(UsageError) as raised:
        deployer.deploy(options_in(tmp_path), reporter=Silent())

    assert raised.value.where == f"input {name}"
    assert connect.identities == []


def test_deployer__role_is_given_and_the_job_has_no_token__says_which_permission(
    tmp_path: Path,
) -> None:
    connect = Refusing()
    deployer = make_deployer(connect, FakeClock(), role=GIVEN, has_tokens=False)

    with pytest.raises(CallFailedError, match="may not ask for an identity token") as raised:
        deployer.deploy(options_in(tmp_path), reporter=Silent())

    assert "id-token: write" in raised.value.fix
    assert connect.identities == []
