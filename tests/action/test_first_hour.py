"""The first hour, start to end: two empty accounts that enforce IAM, and then empty ones again.

What `fsd bootstrap` prints is used as it stands there: the environments file, the workflow, and the
role that the GitHub environment's variable names. Nobody has any other permission.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from fsd.account.issuer import ISSUER_URL
from tests.action.act import Act, Ran
from tests.action.conftest import SPEED
from tests.action.workflow import commit, git, make_repository
from tests.fakes.github_api import GithubApi
from tests.fakes.oidc import REQUEST_TOKEN, Issuer
from tests.local.cli import Fsd
from tests.local.server.enforced import Account, opened
from tests.local.test_bootstrap import token

DEV, PROD = ("111111111111", "us-east-1"), ("222222222222", "eu-west-1")
PLACES = {"dev": DEV, "prod": PROD}
MAIN = {"ref": "refs/heads/main"}


@dataclass(frozen=True, kw_only=True)
class Company:
    """Two accounts, their root users, and GitHub."""

    fsd: Fsd
    github: GithubApi
    issuer: Issuer
    action: Path
    home: Path
    roots: dict[str, Account]  # by the environment's name

    def owner(self, environment: str, repository: Path) -> Fsd:
        """The account's root user, with a terminal in a checkout."""
        account, region = PLACES[environment]
        keys = {**self.fsd.aws_environment(), "AWS_ACCESS_KEY_ID": account}
        extra = {**keys, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        return Fsd(state=self.fsd.state, cwd=repository, extra=extra)

    def push(self, repository: Path, workflow: str, environment: str) -> Ran:
        """A push to main, as the job of that GitHub environment meets it."""
        name = f"org/{repository.name}"
        self.issuer.claims = {
            "sub": f"repo:{name}:environment:{environment}",
            "repository": name,
            "ref": "refs/heads/main",
        }
        act = Act(
            repository=repository,
            action=self.action,
            home=self.home,
            environ={
                "AWS_ENDPOINT_URL": self.fsd.status()["endpoint"],
                "AWS_EC2_METADATA_DISABLED": "true",
                "GITHUB_API_URL": self.github.url,
                "ACTIONS_ID_TOKEN_REQUEST_URL": self.issuer.request_url,
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
            },
            role=role_of(repository, environment),
        )
        ran = act.run(workflow, "push", MAIN)
        assert ran.code == 0, ran.log
        assert ran.outputs["outcome"] == "succeeded", ran.log
        return ran

    def deployer(self, repository: Path, environment: str) -> Fsd:
        """A command in a job of that GitHub environment."""
        name = f"org/{repository.name}"
        answer = (
            self.roots[environment]
            .client("sts")
            .assume_role_with_web_identity(
                RoleArn=role_of(repository, environment),
                RoleSessionName="workflow",
                WebIdentityToken=token(f"repo:{name}:environment:{environment}", repository=name),
            )
        )
        keys = answer["Credentials"]
        owner = self.owner(environment, repository)
        environ = {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }
        return replace(owner, extra={**owner.extra, **environ})


def role_of(repository: Path, environment: str) -> str:
    account, _ = PLACES[environment]
    return f"arn:aws:iam::{account}:role/fsd-deploy-{environment}-org.{repository.name}"


@pytest.fixture
def company(
    tmp_path: Path, runtime: str, github_api: GithubApi, issuer: Issuer, action: Path
) -> Iterator[Company]:
    fsd = Fsd(state=tmp_path / "state", cwd=tmp_path)
    fsd.ok("local", "up", "--runtime", runtime, "--speed", SPEED, "--enforce-iam")
    issuer.name = ISSUER_URL
    try:
        with ExitStack() as stack:
            endpoint, secret = fsd.status()["endpoint"], fsd.secret()
            roots = {
                name: stack.enter_context(opened(endpoint, account, secret))
                for name, (account, _) in PLACES.items()
            }
            yield Company(
                fsd=fsd,
                github=github_api,
                issuer=issuer,
                action=action,
                home=tmp_path / "act",
                roots=roots,
            )
    finally:
        fsd.ok("local", "down")


def make_checkout(folder: Path, service: str) -> Path:
    """A repository of its own, with the example service and without a workflow."""
    made = make_repository(folder, branch="main")
    git(made, "remote", "set-url", "origin", f"https://github.com/org/{folder.name}.git")
    manifest = made / "service.yml"
    text = manifest.read_text()
    assert "  name: hello\n" in text
    manifest.write_text(text.replace("  name: hello\n", f"  name: {service}\n"))
    shutil.rmtree(made / ".github")
    commit(made, "Begin")
    return made


def write_printed(repository: Path, printed: str, workflow: str, *, more: str = "") -> None:
    """What bootstrap printed, into the files that it names."""
    _, _, rest = printed.partition("# .fsd/environments.yml\n---\n")
    entry, _, rest = rest.partition("\n# .github/workflows/deploy.yml\n")
    text, found, _ = rest.partition("\n# on GitHub\n")
    assert entry, printed
    assert found, printed
    environments = repository / ".fsd" / "environments.yml"
    environments.parent.mkdir(exist_ok=True)
    before = f"{environments.read_text().rstrip()}\n---\n" if environments.exists() else ""
    environments.write_text(f"{before}{entry.rstrip()}\n{more}")
    (repository / ".github" / "workflows").mkdir(parents=True, exist_ok=True)
    (repository / ".github" / "workflows" / workflow).write_text(text)
    commit(repository, f"Deploy by {workflow}")


def test_first_hour__two_empty_accounts__deployed_promoted_rolled_back_and_empty_again(
    company: Company, tmp_path: Path
) -> None:
    before = {name: inventory(company, name) for name in PLACES}
    hello = make_checkout(tmp_path / "hello", "hello")

    # An account, and the workflow that is printed.
    admin = company.owner("dev", hello)
    bootstrap = ("bootstrap", "--env", "dev", "--repo", "org/hello", "--yes")
    write_printed(hello, admin.ok(*bootstrap, "--network").out, "deploy.yml")
    healthy = admin.run("doctor", "--env", "dev", "--file", "service.yml", "--format", "json")
    assert {one["id"] for one in healthy.json()["findings"]} <= {"doctor-service-role"}
    first = company.push(hello, "deploy.yml", "dev")

    # A second repository.
    bye = make_checkout(tmp_path / "bye", "bye")
    joined = company.owner("dev", bye).ok("bootstrap", "--env", "dev", "--repo", "org/bye", "--yes")
    write_printed(bye, joined.out, "deploy.yml")
    company.push(bye, "deploy.yml", "dev")

    # A second account in another Region, which takes what succeeded in the first.
    far = company.owner("prod", hello)
    setup = ("bootstrap", "--env", "prod", "--repo", "org/hello", "--yes")
    write_printed(hello, far.ok(*setup, "--network").out, "prod.yml", more="  promoteFrom: dev\n")
    said = admin.ok(*bootstrap)
    assert "`prod` may do the same: prod promotes from here" in said.err
    promoted = company.push(hello, "prod.yml", "prod")
    assert promoted.outputs["image-digest"] == first.outputs["image-digest"]
    assert f"/{PROD[0]}/{PROD[1]}/hello@sha256:" in promoted.outputs["image"]
    assert "reused" in promoted.log
    assert_path(company.deployer(hello, "prod"))

    # Back.
    app = hello / "app.py"
    app.write_text(f"{app.read_text()}\n# another image\n")
    commit(hello, "Another image")
    company.push(hello, "deploy.yml", "dev")
    deployer = company.deployer(hello, "dev")
    back = deployer.ok("rollback", "--service", "hello", "--env", "dev", "--format", "json").json()
    assert back["running"]["digest"] == first.outputs["image-digest"]
    assert back["running"]["revision"] == "hello-dev:1"

    # And nothing is left.
    deployer.ok("delete", "--service", "hello", "--env", "dev", "--yes")
    company.deployer(bye, "dev").ok("delete", "--service", "bye", "--env", "dev", "--yes")
    company.deployer(hello, "prod").ok("delete", "--service", "hello", "--env", "prod", "--yes")
    for name, services in {"dev": ("hello", "bye"), "prod": ("hello",)}.items():
        ecr = company.roots[name].client("ecr", region=PLACES[name][1])
        for service in services:
            ecr.delete_repository(repositoryName=service, force=True)
        company.owner(name, hello).ok("bootstrap", "--env", name, "--delete", "--yes")
    assert {name: inventory(company, name) for name in PLACES} == before


def assert_path(deployer: Fsd) -> None:
    (release,) = deployer.ok(
        "history", "--service", "hello", "--env", "prod", "--format", "json"
    ).json()
    assert [stage["environment"] for stage in release["promotedFrom"]] == ["dev"]


# Each kind of resource that FSD makes, or that comes with one → what lists it.
LISTS: dict[str, Callable[[Callable[[str], Any]], list[Any]]] = {
    "alarm": lambda c: c("cloudwatch").describe_alarms()["MetricAlarms"],
    "certificate": lambda c: c("acm").list_certificates()["CertificateSummaryList"],
    "cluster": lambda c: c("ecs").list_clusters()["clusterArns"],
    "identity provider": lambda c: c("iam").list_open_id_connect_providers()[
        "OpenIDConnectProviderList"
    ],
    "load balancer": lambda c: c("elbv2").describe_load_balancers()["LoadBalancers"],
    "log group": lambda c: c("logs").describe_log_groups()["logGroups"],
    "namespace": lambda c: c("servicediscovery").list_namespaces()["Namespaces"],
    "NAT gateway": lambda c: [
        one for one in c("ec2").describe_nat_gateways()["NatGateways"] if one["State"] != "deleted"
    ],
    "address": lambda c: c("ec2").describe_addresses()["Addresses"],
    "endpoint": lambda c: c("ec2").describe_vpc_endpoints()["VpcEndpoints"],
    "policy": lambda c: c("iam").list_policies(Scope="Local")["Policies"],
    "repository": lambda c: c("ecr").describe_repositories()["repositories"],
    "role": lambda c: c("iam").list_roles()["Roles"],
    "scalable target": lambda c: c("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="ecs"
    )["ScalableTargets"],
    "schedule": lambda c: c("scheduler").list_schedules()["Schedules"],
    "security group": lambda c: [
        one["GroupId"] for one in c("ec2").describe_security_groups()["SecurityGroups"]
    ],
    "stack": lambda c: c("cloudformation").describe_stacks()["Stacks"],
    "subnet": lambda c: [one["SubnetId"] for one in c("ec2").describe_subnets()["Subnets"]],
    "target group": lambda c: c("elbv2").describe_target_groups()["TargetGroups"],
    "task definition": lambda c: c("ecs").list_task_definitions()["taskDefinitionArns"],
    "VPC": lambda c: [one["VpcId"] for one in c("ec2").describe_vpcs()["Vpcs"]],
}


def inventory(company: Company, environment: str) -> dict[str, Any]:
    """Everything that an account has in an environment's Region, by kind."""
    root, (_, region) = company.roots[environment], PLACES[environment]
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = root.client(service, region=region)
        return clients[service]

    return {
        kind: json.loads(json.dumps(listed(client), default=str)) for kind, listed in LISTS.items()
    }
