"""`fsd doctor`: each trouble planted in an account, found, put right, and then silent."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.plain_aws import plain_aws
from tests.local.cli import Fsd
from tests.local.conftest import SPEED, commit
from tests.local.server.enforced import Account, opened
from tests.local.test_bootstrap import BOOTSTRAP, write_entry
from tests.local.test_call_budget import Count, text

REGION = "us-east-1"
SECRET = "offers/db"
ACCOUNTS = itertools.count(222_222_222_222)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fsd]:
    """One embedded AWS for all, which enforces IAM."""
    folder = tmp_path_factory.mktemp("doctor")
    client = Fsd(state=folder / "state", cwd=folder)
    client.ok("local", "up", "--runtime", "process", "--speed", SPEED, "--enforce-iam")
    client.extra = client.aws_environment()
    try:
        yield client
    finally:
        client.extra = {}
        client.ok("local", "down")


@pytest.fixture
def root(cloud: Fsd) -> Iterator[Account]:
    """Of an account that no other test has."""
    environment = cloud.extra
    endpoint, secret = environment["AWS_ENDPOINT_URL"], environment["AWS_SECRET_ACCESS_KEY"]
    with opened(endpoint, str(next(ACCOUNTS)), secret) as found:
        yield found


@pytest.fixture
def fsd(cloud: Fsd, hello: Path, root: Account) -> Fsd:
    """A folder of its own, and the account set up."""
    environment = {**cloud.extra, "AWS_ACCESS_KEY_ID": root.id}
    client = Fsd(state=cloud.state, cwd=hello, extra=environment)
    write_entry(client, client.ok(*BOOTSTRAP, "--yes").out)
    return client


def findings(fsd: Fsd, *more: str) -> dict[str, Any]:
    ended = fsd.run("doctor", "--env", "dev", "--file", "service.yml", "--format", "json", *more)
    found = {one["id"]: one for one in json.loads(ended.out)["findings"]}
    has_errors = any(one["severity"] == "error" for one in found.values())
    assert ended.code == (4 if has_errors else 0), ended.text
    return found


def change(fsd: Fsd, section: str, value: object) -> None:
    """A key of the manifest below `service:`."""
    import yaml

    file = fsd.cwd / "service.yml"
    manifest = yaml.safe_load(file.read_text())
    service: dict[str, Any] = manifest["service"]
    service[section] = {**service[section], **value} if isinstance(value, dict) else value
    file.write_text(yaml.safe_dump(manifest, sort_keys=False))
    commit(fsd.cwd, section)


def test_doctor__account_that_was_set_up__has_nothing_to_say(fsd: Fsd, root: Account) -> None:
    before = findings(fsd)
    assert {*before} == {"doctor-no-way-out", "doctor-service-role"}
    for name in ("ecs.amazonaws.com", "elasticloadbalancing.amazonaws.com"):
        root.client("iam").create_service_linked_role(AWSServiceName=name)
    vpc = before["doctor-no-way-out"]["where"]
    make_endpoints(root, vpc)

    clean = fsd.ok("doctor", "--env", "dev", "--file", "service.yml")

    assert clean.out.endswith("nothing stands in the way of a deployment\n"), clean.text
    assert f"asked about arn:aws:iam::{root.id}:role/fsd-deploy-dev-org.offers" in clean.out
    alone = fsd.ok("doctor", "--env", "dev", "--format", "markdown")
    assert "nothing stands in the way" in alone.out


Plant = Callable[[Fsd, Account], Callable[[], object]]


def secret_is_absent(fsd: Fsd, root: Account) -> Callable[[], object]:
    arn = f"arn:aws:secretsmanager:{REGION}:{root.id}:secret:absent-AbCdEf"
    change(fsd, "secrets", [{"name": "DB", "valueFrom": arn}])
    return lambda: change(fsd, "secrets", [])


def parameter_is_absent(fsd: Fsd, root: Account) -> Callable[[], object]:
    change(fsd, "secrets", [{"name": "DB", "valueFrom": "/offers/absent"}])
    return lambda: root.client("ssm").put_parameter(
        Name="/offers/absent", Value="x", Type="SecureString"
    )


def quota_is_small(fsd: Fsd, root: Account) -> Callable[[], object]:
    change(fsd, "resources", {"cpu": 4096, "memory": 8192, "desiredCount": 2})
    return lambda: root.client("service-quotas").request_service_quota_increase(
        ServiceCode="fargate", QuotaCode="L-3032A538", DesiredValue=100
    )


def alarm_is_absent(fsd: Fsd, root: Account) -> Callable[[], object]:
    change(fsd, "deployment", {"alarms": ["offers-errors"]})
    return lambda: root.client("cloudwatch").put_metric_alarm(
        AlarmName="offers-errors",
        MetricName="Errors",
        Namespace="Offers",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )


def log_group_is_taken(_fsd: Fsd, root: Account) -> Callable[[], object]:
    logs = root.client("logs")
    logs.create_log_group(logGroupName="/ecs/hello-dev")
    return lambda: logs.delete_log_group(logGroupName="/ecs/hello-dev")


def permission_is_lost(_fsd: Fsd, root: Account) -> Callable[[], object]:
    iam, role = root.client("iam"), "fsd-deploy-dev-org.offers"
    deny = {"Effect": "Deny", "Action": "ecs:UpdateService", "Resource": "*"}
    iam.put_role_policy(
        RoleName=role,
        PolicyName="lost",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )
    return lambda: iam.delete_role_policy(RoleName=role, PolicyName="lost")


def cluster_is_gone(_fsd: Fsd, root: Account) -> Callable[[], object]:
    root.client("ecs").delete_cluster(cluster="dev")
    return lambda: root.client("ecs").create_cluster(clusterName="dev")


def certificate_is_absent(fsd: Fsd, root: Account) -> Callable[[], object]:
    arn = f"arn:aws:acm:{REGION}:{root.id}:certificate/12345678-1234-1234-1234-123456789012"
    change(fsd, "networking", {"loadBalancer": {"type": "application", "certificateArn": arn}})
    made = root.client("acm").request_certificate(DomainName="offers.example.org")
    given = {"type": "application", "certificateArn": made["CertificateArn"]}
    return lambda: change(fsd, "networking", {"loadBalancer": given})


def certificate_is_of_another_region(fsd: Fsd, root: Account) -> Callable[[], object]:
    arn = f"arn:aws:acm:eu-west-1:{root.id}:certificate/12345678-1234-1234-1234-123456789012"
    change(fsd, "networking", {"loadBalancer": {"type": "application", "certificateArn": arn}})
    return lambda: change(fsd, "networking", {"loadBalancer": {"type": "application"}})


def subnets_are_closed(_fsd: Fsd, root: Account) -> Callable[[], object]:
    """A VPC of the environment without NAT and without endpoints."""
    ec2 = root.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    tags = [{"Key": "fsd:environment", "Value": "dev"}]
    ec2.create_tags(Resources=[vpc], Tags=tags)
    for number, zone in enumerate("ab"):
        ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.7.{number}.0/24", AvailabilityZone=f"{REGION}{zone}"
        )

    return lambda: make_endpoints(root, vpc)


def make_endpoints(root: Account, vpc: str) -> None:
    for name in ("ecr.api", "ecr.dkr", "s3", "logs"):
        root.client("ec2").create_vpc_endpoint(
            VpcId=vpc,
            ServiceName=f"com.amazonaws.{REGION}.{name}",
            VpcEndpointType="Gateway" if name == "s3" else "Interface",
        )


def table_is_absent(fsd: Fsd, root: Account) -> Callable[[], object]:
    file = fsd.cwd / "service.yml"
    file.write_text(
        f"{file.read_text()}\ndependencies:\n  - type: aws_dynamodb_table\n"
        "    name: dev-offers\n    permissions: [dynamodb:GetItem]\n"
    )
    return lambda: root.client("dynamodb").create_table(
        TableName="dev-offers",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


@pytest.mark.parametrize(
    ("plant", "id_", "says"),
    [
        (secret_is_absent, "doctor-secret-missing", "the secret of DB does not exist"),
        (parameter_is_absent, "doctor-secret-missing", "the secret of DB does not exist"),
        (quota_is_small, "doctor-quota", "up to 16 vCPU, and 6 of Fargate's 6 are free"),
        (alarm_is_absent, "doctor-alarm-missing", "there is no alarm offers-errors"),
        (log_group_is_taken, "doctor-log-group-taken", "/ecs/hello-dev exists"),
        (permission_is_lost, "doctor-permission", "ecs:UpdateService is not allowed"),
        (cluster_is_gone, "doctor-cluster-missing", "the cluster dev does not exist"),
        (certificate_is_absent, "doctor-certificate", "there is no such certificate"),
        (
            certificate_is_of_another_region,
            "doctor-certificate-region",
            "of eu-west-1, and the load balancer of us-east-1",
        ),
        (table_is_absent, "doctor-dependency-missing", "dynamodb table dev-offers does not exist"),
        (subnets_are_closed, "doctor-no-way-out", "no endpoint for ecr.api, ecr.dkr, s3, logs"),
    ],
)
def test_doctor__planted__found_and_silent_when_it_is_put_right(
    fsd: Fsd, root: Account, plant: Plant, id_: str, says: str
) -> None:
    put_right = plant(fsd, root)

    found = findings(fsd)
    put_right()

    assert id_ in found, found
    assert says in found[id_]["message"]
    assert id_ not in findings(fsd)


def test_doctor__json_key__only_where_the_value_may_be_read(fsd: Fsd, root: Account) -> None:
    manager = root.client("secretsmanager")
    arn = manager.create_secret(Name=SECRET, SecretString='{"user": "hidden-value"}')["ARN"]
    change(fsd, "secrets", [{"name": "DB", "valueFrom": f"{arn}:password::"}])

    assert "doctor-secret-key" not in findings(fsd)
    found = findings(fsd, "--read-secrets")["doctor-secret-key"]
    assert found["message"] == "the secret of DB has no key `password`; it has user"
    assert "hidden-value" not in json.dumps(found)
    manager.put_secret_value(SecretId=SECRET, SecretString='{"password": "x"}')
    assert "doctor-secret-key" not in findings(fsd, "--read-secrets")


READS = ("BatchGet", "Describe", "Get", "Head", "List", "Simulate")
MOST_CALLS = 30


def test_doctor__ordinary_service__at_most_30_calls_and_none_that_writes(fsd: Fsd) -> None:
    gate = Count()
    with plain_aws(fsd.extra["AWS_ENDPOINT_URL"], gate=gate) as endpoint:
        client = Fsd(fsd.state, fsd.cwd, {**fsd.extra, "AWS_ENDPOINT_URL": endpoint})
        client.run("doctor", "--env", "dev", "--file", "service.yml")

    assert "SimulatePrincipalPolicy" in gate.calls
    assert [name for name in gate.calls if not name.startswith(READS)] == []
    assert gate.calls.total() <= MOST_CALLS, text(gate.calls)
