"""The first hour: an empty account that enforces IAM, set up, deployed to with nothing else."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from tests.local.cli import Fsd
from tests.local.conftest import commit, own_aws
from tests.local.server.enforced import Account, opened

ACCOUNT = "111111111111"
ISSUER = "token.actions.githubusercontent.com"
REPO = "org/offers"
BOOTSTRAP = ("bootstrap", "--env", "dev", "--repo", REPO)
DEPLOY = ("deploy", "--env", "dev", "--format", "json")


@pytest.fixture
def fsd(tmp_path: Path, hello: Path) -> Iterator[Fsd]:
    """An empty account of an embedded AWS that enforces IAM; the caller is its root."""
    with own_aws(Fsd(state=tmp_path / "state", cwd=hello), "--enforce-iam") as client:
        client.extra["AWS_ACCESS_KEY_ID"] = ACCOUNT
        yield client


@pytest.fixture
def root(fsd: Fsd) -> Iterator[Account]:
    environment = fsd.extra
    endpoint, secret = environment["AWS_ENDPOINT_URL"], environment["AWS_SECRET_ACCESS_KEY"]
    with opened(endpoint, ACCOUNT, secret) as found:
        yield found


def token(sub: str, **claims: str) -> str:
    """As GitHub's; the embedded AWS reads the claims and does not ask for the signature."""
    payload = {
        "iss": f"https://{ISSUER}",
        "aud": "sts.amazonaws.com",
        "sub": sub,
        "repository": REPO,
        **claims,
    }
    parts = ({"alg": "RS256"}, payload, {"sig": ""})
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )


def as_workflow(fsd: Fsd, root: Account, role: str, sub: str, **claims: str) -> Fsd:
    """The same folder, with nothing but what the role gives to this token."""
    answer = root.client("sts").assume_role_with_web_identity(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{role}",
        RoleSessionName="workflow",
        WebIdentityToken=token(sub, **claims),
    )
    keys = answer["Credentials"]
    environment = {
        **fsd.extra,
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    return Fsd(state=fsd.state, cwd=fsd.cwd, extra=environment)


def write_entry(fsd: Fsd, printed: str) -> None:
    """What bootstrap printed for the environments file, as it stands there."""
    entry = printed.partition("# .fsd/environments.yml\n---\n")[2].partition("\n# .github")[0]
    (fsd.cwd / ".fsd").mkdir(exist_ok=True)
    (fsd.cwd / ".fsd" / "environments.yml").write_text(entry)
    commit(fsd.cwd, "where it goes")


DEPLOYS = "repo:org/offers:environment:dev"
PLANS = "repo:org@12/offers@34:pull_request"


def test_bootstrap__empty_account__deploys_with_its_roles_alone_and_goes_again(
    fsd: Fsd, root: Account
) -> None:
    printed = fsd.ok(*BOOTSTRAP, "--yes")
    write_entry(fsd, printed.out)
    again = fsd.ok(*BOOTSTRAP)
    deployer = as_workflow(fsd, root, "fsd-deploy-dev-org.offers", DEPLOYS)
    planner = as_workflow(fsd, root, "fsd-plan-dev-org.offers", PLANS)

    assert "nothing to change" in again.err
    assert planner.ok("plan", "--env", "dev", "--file", "service.yml").code == 0
    first = deployer.ok(*DEPLOY, "--version", "v1").json()
    assert first["outcome"] == "succeeded"
    second = deployer.ok(*DEPLOY, "--version", "v2", "--override", "environment.GREETING=hi")
    assert second.json()["outcome"] == "succeeded"
    service = ("--service", "hello", "--env", "dev")
    for done in (
        ("rollback", *service),
        ("scale", *service, "--count", "2"),
        ("restart", *service),
        ("status", *service),
        ("history", *service),
        ("logs", *service),
        ("diagnose", *service),
        ("plan", "--env", "dev", "--file", "service.yml", "--drift"),
    ):
        deployer.ok(*done)
    in_use = fsd.run("bootstrap", "--env", "dev", "--delete", "--yes")
    assert in_use.code == 4, in_use.text
    assert "hello-dev" in in_use.err
    deployer.ok("delete", *service, "--yes")
    root.client("ecr").delete_repository(repositoryName="hello", force=True)
    fsd.ok("bootstrap", "--env", "dev", "--delete", "--yes")
    assert root.client("iam").list_roles()["Roles"] == []
    assert root.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_bootstrap__second_repository__joins_and_neither_reaches_the_other(
    fsd: Fsd, root: Account
) -> None:
    fsd.ok(*BOOTSTRAP, "--yes")
    joined = fsd.ok(
        "bootstrap", "--env", "dev", "--repo", "org/billing", "--service", "bill", "--yes"
    )
    clean = fsd.run("bootstrap", "--env", "dev", "--check")

    assert "1 to change" not in joined.err
    assert "+ repository          bill" in joined.err
    assert "- " not in joined.err.partition("org/billing may")[0]
    assert clean.code == 0, clean.text
    with pytest.raises(ClientError, match="Not authorized to perform sts:Assume"):
        as_workflow(fsd, root, "fsd-deploy-dev-org.billing", DEPLOYS)
    deployer = as_workflow(fsd, root, "fsd-deploy-dev-org.offers", DEPLOYS)
    for foreign in (
        ("delete", "--service", "bill", "--env", "dev", "--yes"),
        ("bootstrap", "--env", "dev", "--delete", "--yes"),
    ):
        denied = deployer.run(*foreign)
        assert denied.code == 5, denied.text
        assert "AccessDenied" in denied.err


def test_bootstrap__account_with_a_provider_and_a_cluster__uses_them(
    fsd: Fsd, root: Account
) -> None:
    root.client("iam").create_open_id_connect_provider(
        Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"]
    )
    root.client("ecs").create_cluster(clusterName="dev")

    planned = fsd.run(*BOOTSTRAP)
    fsd.ok(*BOOTSTRAP, "--yes")
    fsd.ok("bootstrap", "--env", "dev", "--delete", "--yes")

    assert planned.code == 4, planned.text
    assert "confirmation-needed" in planned.err
    assert "uses GitHub's identity provider that the account has already" in planned.err
    assert "uses the cluster that the account has already" in planned.err
    providers = root.client("iam").list_open_id_connect_providers()
    assert len(providers["OpenIDConnectProviderList"]) == 1
    assert len(root.client("ecs").list_clusters()["clusterArns"]) == 1


@pytest.mark.parametrize("kind", ["nat", "endpoints"])
def test_bootstrap__network__is_the_one_that_is_deployed_to(
    fsd: Fsd, root: Account, kind: str
) -> None:
    made = fsd.ok(*BOOTSTRAP, f"--network={kind}", "--yes")
    write_entry(fsd, made.out)
    healthy = fsd.run("doctor", "--env", "dev", "--file", "service.yml", "--format", "json")
    again = fsd.ok(*BOOTSTRAP)
    second = fsd.run(*BOOTSTRAP, "--network=endpoints" if kind == "nat" else "--network")
    deployer = as_workflow(fsd, root, "fsd-deploy-dev-org.offers", DEPLOYS)
    planned = deployer.ok("plan", "--env", "dev", "--file", "service.yml")

    assert "a month and $0.0" in made.err
    assert [one["id"] for one in healthy.json()["findings"]] == ["doctor-service-role"] * 2
    assert "nothing to change" in again.err
    assert second.code == 4, second.text
    assert "default VPC" not in planned.text
    fsd.ok("bootstrap", "--env", "dev", "--delete", "--yes")
    vpcs = root.client("ec2").describe_vpcs()["Vpcs"]
    assert [vpc["IsDefault"] for vpc in vpcs] == [True]


def test_bootstrap__manifest_with_a_domain__its_roles_request_the_certificate(
    fsd: Fsd, root: Account
) -> None:
    zone = root.client("route53").create_hosted_zone(Name="example.com", CallerReference="one")
    id_ = zone["HostedZone"]["Id"].rpartition("/")[2]
    manifest = fsd.cwd / "service.yml"
    domain = f"      internal: true\n      domain: {{name: a.example.com, hostedZone: {id_}}}\n"
    manifest.write_text(manifest.read_text().replace("      internal: true\n", domain))
    write_entry(fsd, fsd.ok(*BOOTSTRAP, "--yes").out)
    commit(fsd.cwd, "domain")
    deployer = as_workflow(fsd, root, "fsd-deploy-dev-org.offers", DEPLOYS)

    first = deployer.ok(*DEPLOY).json()
    made = root.client("acm").list_certificates()["CertificateSummaryList"]
    deployer.ok("delete", "--service", "hello", "--env", "dev", "--yes")

    assert first["outcome"] == "succeeded"
    assert [one["DomainName"] for one in made] == ["a.example.com"]


def test_bootstrap__manifest_with_a_shared_load_balancer_and_a_domain__its_roles_deploy_it(
    fsd: Fsd, root: Account
) -> None:
    zone = root.client("route53").create_hosted_zone(Name="example.com", CallerReference="one")
    id_ = zone["HostedZone"]["Id"].rpartition("/")[2]
    manifest = fsd.cwd / "service.yml"
    shared = (
        "      internal: true\n      shared: main\n      hosts: [a.example.com]\n"
        f"      domain: {{name: a.example.com, hostedZone: {id_}}}\n"
    )
    text = manifest.read_text()
    write_entry(fsd, fsd.ok(*BOOTSTRAP, "--yes").out)
    manifest.write_text(text.replace("      internal: true\n", shared))
    commit(fsd.cwd, "shared")
    deployer = as_workflow(fsd, root, "fsd-deploy-dev-org.offers", DEPLOYS)

    denied = deployer.run(*DEPLOY)
    fsd.ok(*BOOTSTRAP, "--yes")
    again = fsd.ok(*BOOTSTRAP)
    first = deployer.ok(*DEPLOY).json()
    deployer.ok("delete", "--service", "hello", "--env", "dev", "--yes")

    assert denied.code == 5, denied.text
    assert "stack/fsd-shared-main-dev" in denied.err
    assert "nothing to change" in again.err
    assert first["outcome"] == "succeeded"
    assert root.client("elbv2").describe_load_balancers()["LoadBalancers"] == []


def test_bootstrap__manifest_with_a_network_load_balancer__its_roles_deploy_it(
    fsd: Fsd, root: Account
) -> None:
    write_entry(fsd, fsd.ok(*BOOTSTRAP, "--yes").out)
    manifest = fsd.cwd / "service.yml"
    manifest.write_text(manifest.read_text().replace("type: application", "type: network"))
    commit(fsd.cwd, "network")
    deployer = as_workflow(fsd, root, "fsd-deploy-dev-org.offers", DEPLOYS)

    denied = deployer.run(*DEPLOY)
    fsd.ok(*BOOTSTRAP, "--yes")
    first = deployer.ok(*DEPLOY).json()
    deployer.ok("delete", "--service", "hello", "--env", "dev", "--yes")

    assert denied.code != 0, denied.text
    assert "loadbalancer/net/hello-dev-tcp/" in denied.text
    assert first["outcome"] == "succeeded"
    assert root.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
