"""Facts of an account → findings: everything that would stop a deployment, before there is one.

Pure. A check says nothing about what was not seen; that is a finding of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from fsd.account.facts import (
    PERMISSIONS,
    CertificateFact,
    DependencyFact,
    Facts,
    KeyFact,
    ManifestNeeds,
    SecretFact,
)
from fsd.account.statements import (
    covers_bucket,
    is_about,
    names_role,
    principal_condition,
    statements,
)
from fsd.account.troubles import (
    BalancingFull,
    CertificateOfOthers,
    ImageAbsent,
    ImageOfOtherPlatform,
    KeyUnusable,
    OrganizationDenies,
    PolicyDenies,
    RoleMissing,
    RoleUntrusting,
    Trouble,
)
from fsd.account.trusted import (
    denies_all,
    is_for_others,
    literal_stars,
    other_audiences,
    trusted_subs,
    trusts_any,
)
from fsd.manifest.finding import Severity

# An Application Load Balancer stands in two zones at least.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
_ZONES = 2
# What a task on Fargate calls before it runs; each is an endpoint where there is no way out.
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
_IMAGE_ENDPOINTS = ("ecr.api", "ecr.dkr", "s3")
_ECS, _BALANCING = "ecs.amazonaws.com", "elasticloadbalancing.amazonaws.com"
# https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-service-linked-roles.html
_SCALING = "ecs.application-autoscaling.amazonaws.com"


class Check(StrEnum):
    """Ids of the findings of `fsd doctor`."""

    CLUSTER_MISSING = "doctor-cluster-missing"
    VPC_MISSING = "doctor-vpc-missing"
    ZONES = "doctor-zones"
    ADDRESSES = "doctor-addresses"
    NO_WAY_OUT = "doctor-no-way-out"
    CERTIFICATE = "doctor-certificate"
    CERTIFICATE_REGION = "doctor-certificate-region"
    CERTIFICATE_HOST = "doctor-certificate-host"
    SECRET_MISSING = "doctor-secret-missing"
    SECRET_KEY = "doctor-secret-key"
    SECRET_ENCRYPTION = "doctor-secret-encryption"
    KEY_UNUSABLE = "doctor-key-unusable"
    DEPENDENCY_MISSING = "doctor-dependency-missing"
    DEPENDENCY_POLICY = "doctor-dependency-policy"
    ROLE_MISSING = "doctor-role-missing"
    ROLE_TRUST = "doctor-role-trust"
    PERMISSION = "doctor-permission"
    QUOTA = "doctor-quota"
    BALANCING_QUOTA = "doctor-balancing-quota"
    LOG_GROUP_TAKEN = "doctor-log-group-taken"
    ALARM_MISSING = "doctor-alarm-missing"
    REPOSITORY_MISSING = "doctor-repository-missing"
    IMAGE_MISSING = "doctor-image-missing"
    IMAGE_PLATFORM = "doctor-image-platform"
    SERVICE_ROLE = "doctor-service-role"
    NOT_SEEN = "doctor-not-seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorFinding:
    check: Check
    severity: Severity
    what: str
    where: str
    fix: str


def check_account(wants: ManifestNeeds, facts: Facts) -> tuple[DoctorFinding | Trouble, ...]:
    """In the order of the checks."""
    return tuple(finding for check in _CHECKS for finding in check(wants, facts))


def by_severity(findings: Iterable[DoctorFinding]) -> tuple[DoctorFinding, ...]:
    """Errors first; within a severity as they are."""
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    return tuple(sorted(findings, key=lambda one: order.index(one.severity)))


def _error(check: Check, what: str, *, where: str, fix: str) -> DoctorFinding:
    return DoctorFinding(check=check, severity=Severity.ERROR, what=what, where=where, fix=fix)


def _warning(check: Check, what: str, *, where: str, fix: str) -> DoctorFinding:
    return DoctorFinding(check=check, severity=Severity.WARNING, what=what, where=where, fix=fix)


def _cluster(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding]:
    if facts.cluster_status is None or facts.cluster_status == "ACTIVE":
        return
    state = f"is {facts.cluster_status}" if facts.cluster_status else "does not exist"
    yield _warning(
        Check.CLUSTER_MISSING,
        f"the cluster {wants.cluster} {state}; a deployment makes it where its role may",
        where=f"--env {wants.environment}",
        fix=f"fsd bootstrap --env {wants.environment} --repo ORG/REPO",
    )


def _vpc(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding]:
    if facts.network is None or facts.network.vpc_id:
        return
    yield _error(
        Check.VPC_MISSING,
        f"no VPC is tagged fsd:environment={wants.environment}, and there is no default VPC",
        where=wants.region,
        fix=f"tag a VPC fsd:environment={wants.environment}, or name it in "
        ".fsd/environments.yml: vpc.id",
    )


def _zones(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding]:
    if facts.network is None or not facts.network.vpc_id:
        return
    zones = facts.network.balancer_zones
    if wants.has_balancer and len(zones) < _ZONES:
        yield _error(
            Check.ZONES,
            f"a load balancer needs subnets in {_ZONES} zones, and {facts.network.vpc_id} has "
            f"them in {len(zones)}",
            where=facts.network.vpc_id,
            fix="add a subnet in another zone, or name two in .fsd/environments.yml: "
            "vpc.privateSubnets",
        )
    if not facts.network.task_subnets:
        kind = "private" if wants.is_private else "public"
        yield _error(
            Check.ZONES,
            f"{facts.network.vpc_id} has no {kind} subnet for the tasks",
            where=facts.network.vpc_id,
            fix=f"add one, or name it in .fsd/environments.yml: vpc.{kind}Subnets",
        )


def _addresses(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding]:
    """Every task of Fargate takes an address of its own."""
    subnets = facts.network.task_subnets if facts.network else ()
    free = sum(subnet.free_addresses for subnet in subnets)
    if subnets and free < wants.tasks:
        yield _error(
            Check.ADDRESSES,
            f"{free} addresses are free, and a rollout has up to {wants.tasks} tasks at once",
            where=", ".join(subnet.id for subnet in subnets),
            fix="use wider subnets, or lower deployment.maximumPercent",
        )


def _way_out(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding]:
    """A private subnet reaches ECR, logs and secrets by NAT, or by endpoints of the VPC."""
    if facts.network is None:
        return
    network = facts.network
    closed = [subnet.id for subnet in network.task_subnets if subnet.way_out == "none"]
    unaddressed = [
        subnet.id
        for subnet in network.task_subnets
        if subnet.way_out == "internet" and wants.is_private
    ]
    needed = [*_IMAGE_ENDPOINTS]
    needed += ["logs"] if wants.log_group else []
    needed += ["secretsmanager"] if wants.secrets else []
    needed += ["ssm"] if wants.parameters else []
    missing = [name for name in needed if name not in network.endpoints]
    for subnets, why in (
        (closed, "has no route out"),
        (unaddressed, "has an internet gateway, which tasks without a public IP cannot use"),
    ):
        if subnets and missing:
            yield _error(
                Check.NO_WAY_OUT,
                f"{', '.join(subnets)} {why}, and {network.vpc_id} has no endpoint for "
                f"{', '.join(missing)}: no task could start",
                where=network.vpc_id,
                fix="route 0.0.0.0/0 to a NAT gateway, or make the endpoints "
                + ", ".join(f"com.amazonaws.{wants.region}.{name}" for name in missing),
            )


def _certificate(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding | Trouble]:
    if not wants.certificate:
        return
    region = wants.certificate.split(":")[3]
    if region != wants.region:
        yield _error(
            Check.CERTIFICATE_REGION,
            f"the certificate is of {region}, and the load balancer of {wants.region}",
            where=wants.certificate,
            fix=f"request one in {wants.region}: aws acm request-certificate",
        )
        return
    if facts.certificate is None:
        return
    if facts.certificate.status == "ISSUED":
        yield from _certificate_names(wants, facts.certificate)
        return
    status = facts.certificate.status
    yield _error(
        Check.CERTIFICATE,
        f"the certificate is {status}" if status else "there is no such certificate",
        where=wants.certificate,
        fix="add the DNS record that ACM asks for"
        if status == "PENDING_VALIDATION"
        else "name one that is issued: aws acm list-certificates",
    )


def _certificate_names(wants: ManifestNeeds, fact: CertificateFact) -> Iterator[Trouble]:
    others = tuple(
        host for host in wants.hosts if not any(_is_for(name, host) for name in fact.names)
    )
    if others:
        yield CertificateOfOthers(certificate=fact.arn, hosts=others, names=fact.names)


def _is_for(name: str, host: str) -> bool:
    """A star stands for one label. https://www.rfc-editor.org/rfc/rfc6125#section-6.4.3"""
    if name.startswith("*."):
        return host.lower().partition(".")[2] == name[2:].lower()
    return host.lower() == name.lower()


def _secrets(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding]:
    del wants
    for secret in facts.secrets or ():
        yield from _secret(secret)


def _secret(secret: SecretFact) -> Iterator[DoctorFinding]:
    if not secret.exists or secret.is_deleted:
        state = "is scheduled for deletion" if secret.is_deleted else "does not exist"
        yield _error(
            Check.SECRET_MISSING,
            f"the secret of {secret.variable} {state}",
            where=secret.where,
            fix="aws secretsmanager restore-secret"
            if secret.is_deleted
            else "create it, or correct valueFrom",
        )
        return
    if secret.json_key and secret.keys is not None and secret.json_key not in secret.keys:
        known = ", ".join(sorted(secret.keys)) or "none, it is no JSON object"
        yield _error(
            Check.SECRET_KEY,
            f"the secret of {secret.variable} has no key `{secret.json_key}`; it has {known}",
            where=secret.where,
            fix="add the key to the secret, or correct valueFrom",
        )


def _keys(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding | Trouble]:
    """Of secrets: the execution role that FSD makes may use a key that lets it, and no other."""
    for key in facts.keys:
        if key.state != "Enabled":
            yield KeyUnusable(key=key.id, state=key.state)
        elif key.policy and not _may_decrypt(key, wants.execution_role):
            yield _warning(
                Check.SECRET_ENCRYPTION,
                "a secret is encrypted with a key of yours, whose policy does not allow the "
                "execution role to use it",
                where=key.id,
                fix=f"allow kms:Decrypt to {wants.execution_role} in the key's policy",
            )


def _may_decrypt(key: KeyFact, role: str) -> bool:
    return any(
        one.get("Effect") == "Allow"
        and is_about(one, "kms:Decrypt")
        and names_role(one, role)
        and principal_condition(one, role) is not False
        for one in statements(key.policy)
    )


def _dependencies(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding | Trouble]:
    for one in facts.dependencies or ():
        if one.exists is False:
            yield _warning(
                Check.DEPENDENCY_MISSING,
                f"the {one.type.removeprefix('aws_').replace('_', ' ')} {one.name} does not exist",
                where=f"dependencies of {wants.service}",
                fix="create it, or correct its name",
            )
        denied = tuple(action for action in one.actions if _denies(one, action, wants.task_role))
        if denied:
            yield PolicyDenies(type=one.type, name=one.name, role=wants.task_role, actions=denied)


def _denies(one: DependencyFact, action: str, role: str) -> bool:
    """Only what is certain: no condition, or one on the caller's ARN. Most Deny statements are
    about connections without TLS, or from elsewhere than an endpoint."""
    return (
        any(
            statement.get("Effect") == "Deny"
            and is_about(statement, action)
            and names_role(statement, role, or_account=True)
            and principal_condition(statement, role) is True
            and (one.type != "aws_s3_bucket" or covers_bucket(statement, one.name))
            for statement in statements(one.policy)
        )
        if role
        else False
    )


def _role(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    del wants
    trust = facts.trust
    if trust is None:
        return
    if not trust.exists:
        yield RoleMissing(role=trust.role)
    elif (
        trust.subs
        and not is_for_others(trust.policy)
        and not trusts_any(trust.policy, trust.subs, repository=trust.repository)
    ):
        yield RoleUntrusting(
            role=trust.role,
            subs=trust.subs,
            trusted=trusted_subs(trust.policy),
            audiences=other_audiences(trust.policy),
            literal=literal_stars(trust.policy),
            is_denied=denies_all(trust.policy, trust.subs, repository=trust.repository),
        )


def _image(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    found = facts.image
    if found is None:
        return
    if not found.exists:
        yield ImageAbsent(image=found.image)
    elif found.platforms and wants.platform not in found.platforms:
        yield ImageOfOtherPlatform(
            image=found.image, platform=wants.platform, platforms=found.platforms
        )


def _balancing_quota(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    del wants
    for one in facts.balancing or ():
        if one.used >= one.limit:
            yield BalancingFull(quota=one.name, limit=one.limit, used=one.used)


def _permissions(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding | Trouble]:
    for one in facts.denied or ():
        if one.by_organization:
            yield OrganizationDenies(action=one.action, resource=one.resource, why=one.why)
            continue
        yield _error(
            Check.PERMISSION,
            f"{one.action} is not allowed: {one.why}",
            where=one.resource,
            fix=f"fsd iam --env {wants.environment} --role deploy  prints what the role needs",
        )


def _quota(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding]:
    if facts.quota is None:
        return
    needed = wants.tasks * wants.vcpu
    free = facts.quota.limit - facts.quota.used
    if needed > free:
        yield _error(
            Check.QUOTA,
            f"a rollout needs up to {needed:g} vCPU, and {free:g} of Fargate's "
            f"{facts.quota.limit:g} are free",
            where="Service Quotas: Fargate On-Demand vCPU resource count",
            fix="ask for more: aws service-quotas request-service-quota-increase "
            "--service-code fargate --quota-code L-3032A538 --desired-value N",
        )


def _log_group(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding]:
    if facts.log_group_exists and wants.has_stack is False:
        yield _error(
            Check.LOG_GROUP_TAKEN,
            f"the log group {wants.log_group} exists, and is not of the service's stack: "
            "CloudFormation would refuse to make it",
            where=wants.log_group,
            fix=f"aws logs delete-log-group --log-group-name {wants.log_group}",
        )


def _alarms(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding]:
    if facts.alarms is None:
        return
    for name in wants.alarms:
        if name not in facts.alarms:
            yield _error(
                Check.ALARM_MISSING,
                f"there is no alarm {name}: ECS would refuse the deployment",
                where="deployment.alarms",
                fix="create the alarm, or correct its name",
            )


def _repository(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding]:
    if facts.has_repository is False:
        yield _warning(
            Check.REPOSITORY_MISSING,
            f"there is no repository {wants.service}; a deployment makes it where its role may",
            where="ECR",
            fix=f"fsd bootstrap --env {wants.environment} --repo ORG/REPO",
        )


def _service_roles(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding]:
    if facts.service_roles is None:
        return
    needed = [_ECS]
    needed += [_BALANCING] if wants.has_balancer else []
    needed += [_SCALING] if wants.is_scaled else []
    for service in needed:
        if service not in facts.service_roles:
            yield _warning(
                Check.SERVICE_ROLE,
                f"{service} has no service-linked role; AWS makes it at the first use, where the "
                "caller may",
                where="IAM",
                fix=f"aws iam create-service-linked-role --aws-service-name {service}",
            )


def _not_seen(wants: ManifestNeeds, facts: Facts) -> Iterator[DoctorFinding]:
    for what, refusal in facts.unseen:
        # A role that lacks everything would look like one that lacks nothing.
        is_important = what == PERMISSIONS
        yield DoctorFinding(
            check=Check.NOT_SEEN,
            severity=Severity.WARNING if is_important else Severity.INFO,
            what=f"{what} could not be looked at: {refusal}",
            where=f"--env {wants.environment}",
            fix="run it with credentials that may look",
        )


_CHECKS: tuple[Callable[[ManifestNeeds, Facts], Iterator[DoctorFinding | Trouble]], ...] = (
    _role,
    _permissions,
    _cluster,
    _vpc,
    _zones,
    _addresses,
    _way_out,
    _certificate,
    _secrets,
    _keys,
    _dependencies,
    _quota,
    _balancing_quota,
    _log_group,
    _alarms,
    _repository,
    _image,
    _service_roles,
    _not_seen,
)
