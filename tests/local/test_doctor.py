"""`fsd doctor`: each trouble planted in an account, found, put right, and then silent."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fsd.account.checks import Check
from fsd.image.registry_api import FoundManifest, RegistryApi
from tests.fakes.plain_aws import plain_aws
from tests.local.cli import Fsd
from tests.local.conftest import commit, own_aws
from tests.local.server.enforced import EVERYTHING, Account, all_but, opened
from tests.local.test_bootstrap import BOOTSTRAP, write_entry
from tests.local.test_call_budget import Count, text

REGION = "us-east-1"
SECRET = "offers/db"
ACCOUNTS = itertools.count(222_222_222_222)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fsd]:
    """One embedded AWS for all, which enforces IAM."""
    folder = tmp_path_factory.mktemp("doctor")
    with own_aws(Fsd(state=folder / "state", cwd=folder), "--enforce-iam") as client:
        yield client


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
    assert ended.code in (0, 4), ended.text
    found = {one["id"]: one for one in json.loads(ended.out)["findings"]}
    has_errors = any(one["severity"] == "error" for one in found.values())
    assert ended.code == (4 if has_errors else 0), ended.text
    return found


def change(fsd: Fsd, section: str, value: object) -> None:
    """A key of the manifest below `service:`."""
    file = fsd.cwd / "service.yml"
    manifest = yaml.safe_load(file.read_text())
    service: dict[str, Any] = manifest["service"]
    service[section] = {**service.get(section, {}), **value} if isinstance(value, dict) else value
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

    assert clean.out.endswith("nothing would stop a deployment\n"), clean.text
    assert f"for the role arn:aws:iam::{root.id}:role/fsd-deploy-dev-org.offers" in clean.out
    alone = fsd.ok("doctor", "--env", "dev", "--format", "markdown")
    assert "nothing would stop" in alone.out


Plant = Callable[[Fsd, Account], Callable[[], object]]
Planted = tuple[Plant, Check, str]


def secret_is_absent(fsd: Fsd, root: Account) -> Callable[[], object]:
    arn = f"arn:aws:secretsmanager:{REGION}:{root.id}:secret:absent-AbCdEf"
    change(fsd, "secrets", [{"name": "DB", "valueFrom": arn}])
    return lambda: change(fsd, "secrets", [])


def sidecars_secret_is_absent(fsd: Fsd, root: Account) -> Callable[[], object]:
    arn = f"arn:aws:secretsmanager:{REGION}:{root.id}:secret:absent-AbCdEf"
    agent = {"name": "agent", "image": "agent:1"}
    change(fsd, "sidecars", [{**agent, "secrets": [{"name": "KEY", "valueFrom": arn}]}])
    return lambda: change(fsd, "sidecars", [])


def registry_login_is_absent(fsd: Fsd, root: Account) -> Callable[[], object]:
    arn = f"arn:aws:secretsmanager:{REGION}:{root.id}:secret:login-AbCdEf"
    change(fsd, "sidecars", [{"name": "agent", "image": "agent:1", "repositoryCredentials": arn}])
    return lambda: change(fsd, "sidecars", [])


def bucket_of_files_is_absent(fsd: Fsd, root: Account) -> Callable[[], object]:
    change(fsd, "environmentFiles", ["arn:aws:s3:::offers-settings/app.env"])
    return lambda: root.client("s3").create_bucket(Bucket="offers-settings")


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


def vpc_is_gone(_fsd: Fsd, root: Account) -> Callable[[], object]:
    ec2 = root.client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for gateway in ec2.describe_internet_gateways()["InternetGateways"]:
        id_ = gateway["InternetGatewayId"]
        ec2.detach_internet_gateway(InternetGatewayId=id_, VpcId=vpc)
        ec2.delete_internet_gateway(InternetGatewayId=id_)
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=vpc)
    return lambda: make_vpc(root, "10.8", "ab")


def make_vpc(root: Account, network: str, zones: str, *, size: int = 24) -> str:
    ec2 = root.client("ec2")
    vpc = str(ec2.create_vpc(CidrBlock=f"{network}.0.0/16")["Vpc"]["VpcId"])
    tags = [{"Key": "fsd:environment", "Value": "dev"}]
    ec2.create_tags(Resources=[vpc], Tags=tags)
    for number, zone in enumerate(zones):
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"{network}.{number}.0/{size}",
            AvailabilityZone=f"{REGION}{zone}",
        )
    return vpc


def zone_is_alone(_fsd: Fsd, root: Account) -> Callable[[], object]:
    vpc = make_vpc(root, "10.9", "a")
    return lambda: root.client("ec2").create_subnet(
        VpcId=vpc, CidrBlock="10.9.7.0/24", AvailabilityZone=f"{REGION}b"
    )


def subnets_are_small(fsd: Fsd, root: Account) -> Callable[[], object]:
    """Two with 11 addresses each, and 20 tasks of which each has a successor."""
    make_vpc(root, "10.10", "ab", size=28)
    change(fsd, "resources", {"desiredCount": 20})
    return lambda: change(fsd, "resources", {"desiredCount": 1})


def subnets_are_closed(_fsd: Fsd, root: Account) -> Callable[[], object]:
    """A VPC of the environment without NAT and without endpoints."""
    vpc = make_vpc(root, "10.7", "ab")
    return lambda: make_endpoints(root, vpc)


def certificate_is_for_others(fsd: Fsd, root: Account) -> Callable[[], object]:
    acm = root.client("acm")
    one, two = (
        acm.request_certificate(DomainName=name)["CertificateArn"]
        for name in ("*.example.org", "*.api.example.org")
    )
    zone = root.client("route53").create_hosted_zone(Name="example.org", CallerReference="one")
    domain = {"name": "a.api.example.org", "hostedZone": zone["HostedZone"]["Id"].rsplit("/")[-1]}
    balancer = {"type": "application", "domain": domain}
    change(fsd, "networking", {"loadBalancer": {**balancer, "certificateArn": one}})
    return lambda: change(fsd, "networking", {"loadBalancer": {**balancer, "certificateArn": two}})


def json_key_is_absent(fsd: Fsd, root: Account) -> Callable[[], object]:
    manager = root.client("secretsmanager")
    arn = manager.create_secret(Name=SECRET, SecretString='{"user": "x"}')["ARN"]
    change(fsd, "secrets", [{"name": "DB", "valueFrom": f"{arn}:password::"}])
    return lambda: manager.put_secret_value(SecretId=SECRET, SecretString='{"password": "x"}')


def encrypted_secret(fsd: Fsd, root: Account, name: str) -> str:
    """The ID of its key, whose policy leaves everything to IAM; it is one secret more."""
    key = str(root.client("kms").create_key()["KeyMetadata"]["KeyId"])
    manager = root.client("secretsmanager")
    arn = manager.create_secret(Name=name, SecretString="x", KmsKeyId=key)["ARN"]
    known = yaml.safe_load((fsd.cwd / "service.yml").read_text())["service"].get("secrets", [])
    change(fsd, "secrets", [*known, {"name": name.upper(), "valueFrom": arn}])
    return key


def let_execution_role(root: Account, key: str) -> object:
    own = f"arn:aws:iam::{root.id}:role/fsd/hello-dev-execution"
    allow = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": {"ArnEquals": {"aws:PrincipalArn": own}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    return root.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=policy)


def key_is_not_allowed(fsd: Fsd, root: Account) -> Callable[[], object]:
    key = encrypted_secret(fsd, root, "one")
    return lambda: let_execution_role(root, key)


def key_is_disabled(fsd: Fsd, root: Account) -> Callable[[], object]:
    key, kms = encrypted_secret(fsd, root, "two"), root.client("kms")
    let_execution_role(root, key)
    kms.disable_key(KeyId=key)
    return lambda: kms.enable_key(KeyId=key)


def bucket_denies(fsd: Fsd, root: Account) -> Callable[[], object]:
    file, s3 = fsd.cwd / "service.yml", root.client("s3")
    bucket = f"offers-{root.id}"
    file.write_text(
        f"{file.read_text()}\ndependencies:\n  - type: aws_s3_bucket\n"
        f"    name: {bucket}\n    permissions: [s3:GetObject, s3:ListBucket]\n"
    )
    s3.create_bucket(Bucket=bucket)
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject*",
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{root.id}:role/admin"}},
    }
    s3.put_bucket_policy(
        Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    )
    return lambda: s3.delete_bucket_policy(Bucket=bucket)


def role_of_environment(fsd: Fsd, arn: str) -> None:
    file = fsd.cwd / ".fsd" / "environments.yml"
    kept = [line for line in file.read_text().splitlines() if "roleArn:" not in line.split("#")[0]]
    named = [f"{line}\n  roleArn: {arn}" if line == "spec:" else line for line in kept]
    file.write_text("\n".join(named) + "\n")


def role_is_absent(fsd: Fsd, root: Account) -> Callable[[], object]:
    role_of_environment(fsd, f"arn:aws:iam::{root.id}:role/gone")
    return lambda: role_of_environment(fsd, f"arn:aws:iam::{root.id}:role/{DEPLOY_ROLE}")


def role_trusts_others(_fsd: Fsd, root: Account) -> Callable[[], object]:
    iam = root.client("iam")
    trust = iam.get_role(RoleName=DEPLOY_ROLE)["Role"]["AssumeRolePolicyDocument"]
    other = json.dumps(trust).replace("environment:dev", "environment:prod")
    iam.update_assume_role_policy(RoleName=DEPLOY_ROLE, PolicyDocument=other)
    return lambda: iam.update_assume_role_policy(
        RoleName=DEPLOY_ROLE, PolicyDocument=json.dumps(trust)
    )


def balancers_are_many(_fsd: Fsd, root: Account) -> Callable[[], object]:
    ec2, elb = root.client("ec2"), root.client("elbv2")
    in_default = [{"Name": "default-for-az", "Values": ["true"]}]
    subnets = [one["SubnetId"] for one in ec2.describe_subnets(Filters=in_default)["Subnets"]]
    for number in range(50):
        elb.create_load_balancer(Name=f"other-{number}", Subnets=subnets)
    with pytest.raises(elb.exceptions.TooManyLoadBalancersException):
        elb.create_load_balancer(Name="other", Subnets=subnets)
    return lambda: root.client("service-quotas").request_service_quota_increase(
        ServiceCode="elasticloadbalancing", QuotaCode="L-53DA6B97", DesiredValue=60
    )


def repository_is_absent(_fsd: Fsd, root: Account) -> Callable[[], object]:
    ecr = root.client("ecr")
    ecr.delete_repository(repositoryName="hello", force=True)
    return lambda: ecr.create_repository(repositoryName="hello")


def push_image(root: Account, tag: str, architecture: str) -> str:
    """Its URI: an image of a configuration alone."""
    ecr = root.client("ecr")
    uri = str(
        ecr.describe_repositories(repositoryNames=["hello"])["repositories"][0]["repositoryUri"]
    )
    login = ecr.get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(login["authorizationToken"]).decode().partition(":")
    api = RegistryApi(
        endpoint=login["proxyEndpoint"],
        repository=uri.partition("/")[2],
        log_in=lambda: (user, password),
    )
    configuration = json.dumps({"os": "linux", "architecture": architecture}).encode()
    config = descriptor(configuration, "application/vnd.oci.image.config.v1+json")
    type_ = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps(
        {"schemaVersion": 2, "mediaType": type_, "config": config, "layers": []}
    ).encode()
    api.upload(
        api.begin_upload(), config["digest"], size=len(configuration), pieces=iter([configuration])
    )
    digest = descriptor(manifest, type_)["digest"]
    api.put_manifest(digest, FoundManifest(content=manifest, media_type=type_))
    ecr.put_image(repositoryName="hello", imageManifest=manifest.decode(), imageTag=tag)
    return f"{uri}:{tag}"


def descriptor(content: bytes, media_type: str) -> dict[str, Any]:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    return {"mediaType": media_type, "digest": digest, "size": len(content)}


def image_is_absent(fsd: Fsd, root: Account) -> Callable[[], object]:
    image = push_image(root, "v1", "amd64")
    change(fsd, "image", image.replace(":v1", ":v2"))
    return lambda: change(fsd, "image", image)


def image_is_of_another_platform(fsd: Fsd, root: Account) -> Callable[[], object]:
    change(fsd, "image", push_image(root, "arm", "arm64"))
    return lambda: change(fsd, "image", push_image(root, "intel", "amd64"))


def service_roles_are_absent(fsd: Fsd, root: Account) -> Callable[[], object]:
    change(fsd, "resources", {"minCapacity": 1, "maxCapacity": 2})
    change(fsd, "autoScaling", {"targetCPUUtilization": 50})
    iam = root.client("iam")
    names = ("ecs", "elasticloadbalancing", "ecs.application-autoscaling")
    return lambda: [
        iam.create_service_linked_role(AWSServiceName=f"{name}.amazonaws.com") for name in names
    ]


def caller_may_not_look(fsd: Fsd, root: Account) -> Callable[[], object]:
    before, arn = fsd.extra, root.role("looker", all_but("servicequotas:GetServiceQuota"))
    fsd.extra = before | session(root, arn)
    return lambda: setattr(fsd, "extra", before)


def session(root: Account, arn: str) -> dict[str, str]:
    """The variables of a session of the role."""
    answer = root.client("sts").assume_role(RoleArn=arn, RoleSessionName="looker")
    return {
        "AWS_ACCESS_KEY_ID": answer["Credentials"]["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": answer["Credentials"]["SecretAccessKey"],
        "AWS_SESSION_TOKEN": answer["Credentials"]["SessionToken"],
    }


DEPLOY_ROLE = "fsd-deploy-dev-org.offers"
# Each finding of `fsd doctor`, as an account has it: those of one row in the same account, at once.
PLANTED: tuple[tuple[Planted, ...], ...] = (
    (
        (secret_is_absent, Check.SECRET_MISSING, "the secret for DB does not exist"),
        (quota_is_small, Check.QUOTA, "up to 16 vCPU, and 6 of Fargate's 6 are free"),
        (alarm_is_absent, Check.ALARM_MISSING, "the alarm offers-errors does not exist"),
        (log_group_is_taken, Check.LOG_GROUP_TAKEN, "/ecs/hello-dev exists"),
        (cluster_is_gone, Check.CLUSTER_MISSING, "the cluster dev does not exist"),
        (permission_is_lost, Check.PERMISSION, "ecs:UpdateService is not allowed"),
        (certificate_is_absent, Check.CERTIFICATE, "the certificate does not exist"),
        (table_is_absent, Check.DEPENDENCY_MISSING, "dynamodb table dev-offers does not exist"),
        (subnets_are_closed, Check.NO_WAY_OUT, "no endpoint for ecr.api, ecr.dkr, s3, logs"),
        (
            role_trusts_others,
            Check.ROLE_TRUST,
            "has the sub `repo:org/offers:environment:dev` or "
            "`repo:org@*/offers@*:environment:dev`, and the role trusts "
            "`repo:org/offers:environment:prod` and `repo:org@*/offers@*:environment:prod`",
        ),
    ),
    (
        (parameter_is_absent, Check.SECRET_MISSING, "the secret for DB does not exist"),
        (balancers_are_many, Check.BALANCING_QUOTA, "50 of at most 50 application load balancers"),
        (
            certificate_is_of_another_region,
            Check.CERTIFICATE_REGION,
            "in eu-west-1, and the load balancer is in us-east-1",
        ),
        (repository_is_absent, Check.REPOSITORY_MISSING, "the repository hello does not exist"),
        (bucket_denies, Check.DEPENDENCY_POLICY, "denies `s3:GetObject` to the task role"),
        (zone_is_alone, Check.ZONES, "needs subnets in 2 zones"),
        (service_roles_are_absent, Check.SERVICE_ROLE, "has no service-linked role"),
    ),
    (
        (json_key_is_absent, Check.SECRET_KEY, "has no key `password`; it has user"),
        (
            sidecars_secret_is_absent,
            Check.SECRET_MISSING,
            "the secret for KEY of the sidecar agent does not exist",
        ),
        (bucket_of_files_is_absent, Check.DEPENDENCY_MISSING, "bucket offers-settings does not"),
        (
            certificate_is_for_others,
            Check.CERTIFICATE_HOST,
            "is not for `a.api.example.org`; it is for `*.example.org`",
        ),
        (image_is_absent, Check.IMAGE_MISSING, "the registry does not have the image"),
        (subnets_are_small, Check.ADDRESSES, "22 addresses are free, and a rollout runs up to 40"),
        (caller_may_not_look, Check.NOT_SEEN, "could not check quotas: AccessDenied"),
    ),
    (
        (key_is_not_allowed, Check.SECRET_ENCRYPTION, "does not allow the execution role"),
        (key_is_disabled, Check.KEY_UNUSABLE, "the KMS key of a secret is Disabled"),
        (
            registry_login_is_absent,
            Check.SECRET_MISSING,
            "the secret for repositoryCredentials of the sidecar agent does not exist",
        ),
        (
            image_is_of_another_platform,
            Check.IMAGE_PLATFORM,
            "the image is for `linux/arm64`, and the tasks run on linux/amd64",
        ),
        (vpc_is_gone, Check.VPC_MISSING, "no VPC has the tag fsd:environment=dev"),
        (role_is_absent, Check.ROLE_MISSING, "the role that a deployment assumes does not exist"),
    ),
)


def test_planted__every_finding__is_there() -> None:
    assert {check for row in PLANTED for _, check, _ in row} == {*Check}


@pytest.mark.parametrize("planted", PLANTED, ids=[row[0][0].__name__ for row in PLANTED])
def test_doctor__planted__each_found_and_silent_when_it_is_put_right(
    fsd: Fsd, root: Account, planted: tuple[Planted, ...]
) -> None:
    put_right = [plant(fsd, root) for plant, _, _ in planted]

    found = findings(fsd, "--read-secrets")
    for right in reversed(put_right):
        right()
    after = findings(fsd, "--read-secrets")

    for _, check, says in planted:
        assert says in found.get(check, {}).get("message", ""), (check, found)
    assert after.keys() & {check for _, check, _ in planted} == set()


def test_doctor__json_key__only_where_the_value_may_be_read(fsd: Fsd, root: Account) -> None:
    manager = root.client("secretsmanager")
    arn = manager.create_secret(Name=SECRET, SecretString='{"user": "hidden-value"}')["ARN"]
    change(fsd, "secrets", [{"name": "DB", "valueFrom": f"{arn}:password::"}])

    assert "doctor-secret-key" not in findings(fsd)
    found = findings(fsd, "--read-secrets")["doctor-secret-key"]
    assert found["message"] == "the secret for DB has no key `password`; it has user"
    assert "hidden-value" not in json.dumps(found)
    manager.put_secret_value(SecretId=SECRET, SecretString='{"password": "x"}')
    assert "doctor-secret-key" not in findings(fsd, "--read-secrets")


def test_doctor__role_that_lacks_everything__is_told_of_each(fsd: Fsd, root: Account) -> None:
    iam = root.client("iam")
    for policy in iam.list_role_policies(RoleName=DEPLOY_ROLE)["PolicyNames"]:
        iam.delete_role_policy(RoleName=DEPLOY_ROLE, PolicyName=policy)
    for one in iam.list_attached_role_policies(RoleName=DEPLOY_ROLE)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=DEPLOY_ROLE, PolicyArn=one["PolicyArn"])

    ended = fsd.run("doctor", "--env", "dev", "--file", "service.yml", "--format", "json")

    lacking = [one for one in ended.json()["findings"] if one["id"] == "doctor-permission"]
    named = {one["message"].partition(" ")[0] for one in lacking}
    assert ended.code == 4, ended.text
    assert {"ecr:GetAuthorizationToken", "ecs:UpdateService", "iam:PassRole"} <= named
    assert len(lacking) > 80, ended.text


def test_doctor__roles_that_no_token_assumes__are_nothing_to_report(
    fsd: Fsd, root: Account
) -> None:
    """One that only a principal of AWS may assume, and one that has let this run in."""
    github = f"arn:aws:iam::{root.id}:oidc-provider/token.actions.githubusercontent.com"
    both = {"AWS": f"arn:aws:iam::{root.id}:root", "Federated": github}
    runner = root.role("runner", EVERYTHING, trusts=both)
    other = root.role("chained", EVERYTHING, trusts={"AWS": runner})
    for role in (other, runner):
        role_of_environment(fsd, role)
        assert "doctor-role-trust" not in findings(fsd), role


def test_doctor__shared_load_balancer_whose_rules_are_many__is_found(
    fsd: Fsd, root: Account
) -> None:
    ec2, elb = root.client("ec2"), root.client("elbv2")
    in_default = [{"Name": "default-for-az", "Values": ["true"]}]
    subnets = [one["SubnetId"] for one in ec2.describe_subnets(Filters=in_default)["Subnets"]]
    made = elb.create_load_balancer(Name="shared-main-dev", Subnets=subnets, Scheme="internal")
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    listener = elb.create_listener(
        LoadBalancerArn=made["LoadBalancers"][0]["LoadBalancerArn"],
        Protocol="HTTP",
        Port=80,
        DefaultActions=[answer],
    )["Listeners"][0]["ListenerArn"]
    rules = [
        elb.create_rule(
            ListenerArn=listener,
            Priority=number,
            Conditions=[{"Field": "path-pattern", "Values": [f"/{number}"]}],
            Actions=[answer],
        )["Rules"][0]["RuleArn"]
        for number in range(1, 101)
    ]
    balancer = {"internal": True, "shared": "main", "hosts": ["a.example.com"]}
    change(fsd, "networking", {"loadBalancer": {"type": "application", **balancer}})

    full = findings(fsd)["doctor-balancing-quota"]["message"]
    elb.delete_rule(RuleArn=rules[0])

    assert full.startswith("100 of at most 100 rules of the shared load balancer exist")
    assert "doctor-balancing-quota" not in findings(fsd)


def test_doctor__policies_of_a_table_a_stream_a_topic_and_a_key__each_that_denies_is_found(
    fsd: Fsd, root: Account
) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}
    allow = {"Effect": "Allow", "Principal": {"AWS": root.id}, "Action": "kms:*", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    of_key = json.dumps(
        {"Version": "2012-10-17", "Statement": [allow, {**deny, "Action": "kms:Decrypt"}]}
    )
    dynamodb, kinesis = root.client("dynamodb"), root.client("kinesis")
    table = dynamodb.create_table(
        TableName="offers",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )["TableDescription"]["TableArn"]
    dynamodb.put_resource_policy(ResourceArn=table, Policy=text)
    kinesis.create_stream(StreamName="clicks", ShardCount=1)
    stream = kinesis.describe_stream_summary(StreamName="clicks")["StreamDescriptionSummary"]
    of_stream = {**deny, "Action": "kinesis:PutRecord", "Resource": stream["StreamARN"]}
    kinesis.put_resource_policy(
        ResourceARN=stream["StreamARN"],
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [of_stream]}),
    )
    of_topic = json.dumps(
        {"Version": "2012-10-17", "Statement": [{**deny, "Action": "sns:Publish"}]}
    )
    root.client("sns").create_topic(Name="news", Attributes={"Policy": of_topic})
    key = root.client("kms").create_key(Policy=of_key)["KeyMetadata"]["KeyId"]
    named = {
        "aws_dynamodb_table": ("offers", "dynamodb:GetItem"),
        "aws_kinesis_stream": ("clicks", "kinesis:PutRecord"),
        "aws_sns_topic": ("news", "sns:Publish"),
        "aws_kms_key": (key, "kms:Decrypt"),
    }
    file = fsd.cwd / "service.yml"
    manifest = yaml.safe_load(file.read_text())
    manifest["dependencies"] = [
        {"type": type_, "name": name, "permissions": [action]}
        for type_, (name, action) in named.items()
    ]
    file.write_text(yaml.safe_dump(manifest, sort_keys=False))
    commit(fsd.cwd, "dependencies")

    ended = fsd.run("doctor", "--env", "dev", "--file", "service.yml", "--format", "json")

    denied = {
        one["message"]
        for one in json.loads(ended.out)["findings"]
        if one["id"] == "doctor-dependency-policy"
    }
    for name, action in named.values():
        assert any(name in one and f"denies `{action}`" in one for one in denied), ended.text


def test_doctor__policy_of_a_dependency_may_not_be_read__says_that_alone(
    fsd: Fsd, root: Account
) -> None:
    bucket_denies(fsd, root)
    looker = root.role("looker", all_but("s3:GetBucketPolicy"))
    fsd.extra = fsd.extra | session(root, looker)

    message = findings(fsd)["doctor-not-seen"]["message"]

    assert message.startswith(
        f"FSD could not check the policy of aws_s3_bucket offers-{root.id}: AccessDenied"
    )


def test_doctor__releases_come_from_another_environment__asks_what_promotion_needs(
    fsd: Fsd,
) -> None:
    """The role was made for an environment that is only deployed to."""
    file = fsd.cwd / ".fsd" / "environments.yml"
    prod = yaml.safe_load(file.read_text())
    before = findings(fsd)
    qa = {**prod, "metadata": {"name": "qa"}, "spec": {"account": prod["spec"]["account"]}}
    prod["spec"]["promoteFrom"] = "qa"
    file.write_text(yaml.safe_dump_all([qa, prod]))

    after = findings(fsd)

    assert "doctor-permission" not in before
    assert "promotion: see what succeeded in qa" in after["doctor-permission"]["message"]


def test_simulation__actions_of_two_kinds_with_arns__refused_in_awss_words(root: Account) -> None:
    iam, arn = root.client("iam"), root.role("asker", all_but("ecs:UpdateService"))
    one, two = (f"arn:aws:ecs:{REGION}:{root.id}:service/dev/{name}" for name in ("one", "two"))
    actions = ["ecr:GetAuthorizationToken", "ecs:UpdateService", "sts:GetCallerIdentity"]

    with pytest.raises(iam.exceptions.InvalidInputException) as caught:
        iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=actions, ResourceArns=[one])
    of_all = iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=actions, ResourceArns=["*"]
    )
    of_two = iam.simulate_principal_policy(
        PolicySourceArn=arn, ActionNames=actions[1:2], ResourceArns=[one, two]
    )

    assert (
        "Invalid Input Actions: [ecs:UpdateService] and "
        "[ecr:GetAuthorizationToken,sts:GetCallerIdentity] require different authorization "
        "information." in str(caught.value)
    )
    assert [result["EvalDecision"] for result in of_all["EvaluationResults"]] == [
        "allowed",
        "implicitDeny",
        "allowed",
    ]
    (result,) = of_two["EvaluationResults"]
    assert result["EvalResourceName"] not in {one, two}
    assert {part["EvalResourceName"] for part in result["ResourceSpecificResults"]} == {one, two}


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
