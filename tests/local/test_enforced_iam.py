"""`fsd local up --enforce-iam`: a policy that is too small fails here too."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.local.cli import HELLO, ROOT, Fsd
from tests.local.conftest import SPEED, commit
from tests.local.server.enforced import EVERYTHING, Account, Statement, all_but, opened
from tests.local.test_main_job import SEED, SEED_MANIFESTS

ACCOUNT = "000000000000"
CLOUDFORMATION = {"Service": "cloudformation.amazonaws.com"}
DEPLOY = ("deploy", "--env", "staging", "--format", "json")


@pytest.fixture
def fsd(tmp_path: Path, hello: Path, runtime: str) -> Iterator[Fsd]:
    """An embedded AWS that enforces IAM."""
    client = Fsd(state=tmp_path / "state", cwd=hello)
    client.ok("local", "up", "--runtime", runtime, "--speed", SPEED, "--enforce-iam")
    try:
        yield client
    finally:
        client.ok("local", "down")


@pytest.fixture
def root(fsd: Fsd) -> Iterator[Account]:
    with opened(fsd.status()["endpoint"], ACCOUNT, fsd.secret()) as found:
        yield found


@pytest.fixture
def _deployer(fsd: Fsd, hello: Path, root: Account) -> None:
    """A role that may do everything, and the environment `staging` that is deployed with it."""
    arn = root.role("deployer", EVERYTHING)
    (hello / ".fsd").mkdir()
    (hello / ".fsd" / "environments.yml").write_text(
        "apiVersion: fsd/v1\nkind: Environment\nmetadata:\n  name: staging\n"
        f"spec:\n  region: us-east-1\n  account: '{ACCOUNT}'\n  roleArn: {arn}\n"
    )
    commit(hello, "where it goes")
    fsd.extra = fsd.aws_environment()


@pytest.mark.usefixtures("_deployer")
@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_deploy__role_without_update_service__exits_5_and_changes_nothing(
    fsd: Fsd, root: Account
) -> None:
    first = fsd.ok(*DEPLOY, "--version", "v1").json()
    before = fsd.status()["services"]
    root.allow("deployer", all_but("ecs:UpdateService"))

    denied = fsd.run(*DEPLOY, "--version", "v2", "--override", "environment.GREETING=hi")

    assert denied.code == 5, denied.text
    assert "ecs:UpdateService" in denied.err
    assert "assumed-role/deployer/" in denied.err
    assert "service/staging/hello-staging" in denied.err
    assert fsd.status()["services"] == before
    root.allow("deployer", EVERYTHING)
    status = fsd.ok("status", "--service", "hello", "--env", "staging", "--format", "json")
    assert status.json()["running"]["revision"] == first["running"]["revision"]


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_up__enforcing__says_so(fsd: Fsd) -> None:
    again = fsd.ok("local", "up")
    refused = fsd.run("local", "up", "--port", "1")

    assert fsd.status()["enforce_iam"] is True
    assert "IAM is enforced" in fsd.ok("local", "status").out
    assert "iam       enforced" in again.out
    assert refused.code == 2


# boto3 is pure Python: the service borrows this environment's, to install nothing.
SAVES = (
    f"""
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.append({str(Path(boto3.__file__).parent.parent)!r})
"""
    """
import boto3
from botocore.exceptions import ClientError


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        status, text = 200, "ok"
        if self.path != "/health":
            try:
                boto3.client("s3").put_object(Bucket="reports", Key="a", Body=b"1")
            except ClientError as error:
                status, text = 500, str(error)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())


ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""
)
MAY_READ = """
dependencies:
  - type: aws_s3_bucket
    name: reports
    permissions: [s3:GetObject]
"""


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_task_role__permission_that_the_manifest_lacks__is_denied_until_it_has_it(
    fsd: Fsd, hello: Path, root: Account
) -> None:
    root.client("s3").create_bucket(Bucket="reports")
    (hello / "app.py").write_text(SAVES)
    manifest = hello / "service.yml"
    manifest.write_text(manifest.read_text() + MAY_READ)
    fsd.ok("deploy", "--env", "local")
    url = fsd.status()["services"][0]["urls"][-1]

    status, said = get(url)
    assert status == 500
    assert re.search(
        rf"AccessDenied.*User: arn:aws:sts::{ACCOUNT}:assumed-role/\S+/[0-9a-f]{{32}} is not "
        r"authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::reports/a\" because no "
        "identity-based policy allows the s3:PutObject action",
        said,
    )

    manifest.write_text(manifest.read_text().replace("[s3:GetObject]", "[s3:PutObject]"))
    fsd.ok("deploy", "--env", "local")
    assert get(url) == (200, "ok")


@pytest.mark.parametrize(
    ("lost", "code", "reason"),
    [
        (
            "ecr:GetAuthorizationToken",
            "image-pull-denied",
            "ResourceInitializationError: unable to pull secrets or registry auth: .*"
            "ecr:GetAuthorizationToken",
        ),
        ("ecr:BatchGetImage", "image-pull-denied", "CannotPullContainerError: .*403 Forbidden"),
        (
            "logs:CreateLogStream",
            "log-access-denied",
            "ResourceInitializationError: failed to validate logger args: .*logs:CreateLogStream",
        ),
    ],
)
def test_execution_role__permission_that_is_lost__fails_the_rollout_in_ecs_words(
    fsd: Fsd, root: Account, lost: str, code: str, reason: str
) -> None:
    first = fsd.ok("deploy", "--env", "local", "--version", "v1", "--format", "json").json()
    (role,) = [
        role["RoleName"]
        for role in root.client("iam").list_roles()["Roles"]
        if role["RoleName"].endswith("-execution")
    ]
    deny = {"Effect": "Deny", "Action": lost, "Resource": "*"}
    root.allow(role, deny)

    failed = fsd.run(
        "deploy", "--env", "local", "--format", "json", "--override", "environment.GREETING=hi"
    )

    assert failed.code == 6, failed.text
    result = failed.json()
    assert result["diagnosis"]["causes"][0]["code"] == code
    assert re.search(reason, failed.out)
    assert result["running"]["revision"] == first["running"]["revision"]


@pytest.mark.skipif(not SEED.is_dir(), reason="the five manifests are not beside this checkout")
@pytest.mark.parametrize("runtime", ["process"], indirect=True)
@pytest.mark.parametrize("manifest", SEED_MANIFESTS, ids=lambda path: path.stem)
def test_deploy__real_manifest__its_own_roles_suffice(fsd: Fsd, manifest: Path) -> None:
    deployed = fsd.ok(
        "deploy", "--env", "local", "--format", "json", "--file", str(manifest),
        "--context", str(HELLO),
    ).json()  # fmt: skip
    assert deployed["outcome"] == "succeeded"


@pytest.mark.usefixtures("_deployer")
@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_deploy__moved_health_check__needs_what_the_page_says_and_nothing_else(
    fsd: Fsd, hello: Path, root: Account
) -> None:
    with_cloud_formation_role(hello, root.role("cloudformation", EVERYTHING, trusts=CLOUDFORMATION))
    moved = (*DEPLOY, "--override", "healthCheck.path=/health?deep=1")
    typo = (*DEPLOY, "--override", "healthCheck.path=/helth")
    fsd.ok(*DEPLOY)
    others, documented = all_but("elasticloadbalancing:*"), documented_statements()

    for statement in documented:
        if statement["Sid"] == "TagItAsItIsMade":
            continue  # the embedded AWS does not ask for it where CreateRule brings tags
        root.allow("deployer", others, *(one for one in documented if one is not statement))
        denied = fsd.run(*moved)
        told = denied.code == 5 or "a later run removes it" in denied.err
        assert told, (statement, denied.text)
        root.allow("deployer", others, *documented)
        refused = fsd.run(*typo)
        assert refused.code == 4, (statement, refused.text)
        fsd.ok(*DEPLOY)

    fsd.ok(*moved)
    groups = root.client("elbv2").describe_target_groups()["TargetGroups"]
    probes = [group for group in groups if group["TargetGroupName"].startswith("fsd-probe-")]
    # That of the run which was not allowed to remove it: it could be in use, by its name's time.
    assert (len(groups), len(probes)) == (2, 1)


def documented_statements() -> list[Statement]:
    page = (ROOT / "docs" / "security.md").read_text()
    (policy,) = re.findall(r"^```json\n(\[.*?\])\n```$", page, re.MULTILINE | re.DOTALL)
    statements: list[Statement] = json.loads(policy)
    return statements


def with_cloud_formation_role(hello: Path, arn: str) -> None:
    """So that the deployer's own permissions are only for what it does itself."""
    environments = hello / ".fsd" / "environments.yml"
    environments.write_text(f"{environments.read_text()}  cloudFormationRoleArn: {arn}\n")
    commit(hello, "who changes stacks")
