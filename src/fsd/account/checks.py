"""Facts of an account → troubles: everything that would stop a deployment, before there is one.

Pure. A check says nothing about what was not seen; that is a finding of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    covers_whole,
    is_about,
    names_role,
    principal_condition,
    statements,
)
from fsd.account.troubles import (
    AddressesTooFew,
    AlarmAbsent,
    BalancingFull,
    CertificateElsewhere,
    CertificateNotIssued,
    CertificateOfOthers,
    ClusterAbsent,
    DependencyAbsent,
    FactUnseen,
    ImageAbsent,
    ImageOfOtherPlatform,
    KeyRefusesRole,
    KeyUnusable,
    LogGroupTaken,
    OrganizationDenies,
    PermissionAbsent,
    PolicyDenies,
    RepositoryAbsent,
    RoleMissing,
    RoleUntrusting,
    SecretAbsent,
    SecretKeyAbsent,
    ServiceRoleAbsent,
    TaskSubnetsAbsent,
    Trouble,
    VcpusTooFew,
    VpcAbsent,
    WayOutAbsent,
    ZonesTooFew,
)
from fsd.account.trusted import (
    denies_all,
    is_for_others,
    literal_stars,
    other_audiences,
    trusted_subs,
    trusts_any,
)
from fsd.compile.desired import Json

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


def check_account(wants: ManifestNeeds, facts: Facts) -> tuple[Trouble, ...]:
    """In the order of the checks."""
    return tuple(finding for check in _CHECKS for finding in check(wants, facts))


def _cluster(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    if facts.cluster_status is None or facts.cluster_status == "ACTIVE":
        return
    yield ClusterAbsent(cluster=wants.cluster, status=facts.cluster_status)


def _vpc(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    del wants
    if facts.network is not None and not facts.network.vpc_id:
        yield VpcAbsent()


def _zones(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    if facts.network is None or not facts.network.vpc_id:
        return
    vpc, zones = facts.network.vpc_id, len(facts.network.balancer_zones)
    if wants.has_balancer and zones < _ZONES:
        yield ZonesTooFew(vpc=vpc, zones=zones, needed=_ZONES)
    if not facts.network.task_subnets:
        yield TaskSubnetsAbsent(vpc=vpc, is_private=wants.is_private)


def _addresses(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    """Every task of Fargate takes an address of its own."""
    subnets = facts.network.task_subnets if facts.network else ()
    free = sum(subnet.free_addresses for subnet in subnets)
    if subnets and free < wants.tasks:
        ids = tuple(subnet.id for subnet in subnets)
        yield AddressesTooFew(subnets=ids, free=free, tasks=wants.tasks)


def _way_out(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    """A private subnet reaches ECR, logs and secrets by NAT, or by endpoints of the VPC."""
    if facts.network is None:
        return
    network = facts.network
    closed = tuple(subnet.id for subnet in network.task_subnets if subnet.way_out == "none")
    unaddressed = tuple(
        subnet.id
        for subnet in network.task_subnets
        if subnet.way_out == "internet" and wants.is_private
    )
    missing = tuple(name for name in _endpoints(wants) if name not in network.endpoints)
    for subnets in (closed, unaddressed):
        if subnets and missing:
            yield WayOutAbsent(
                subnets=subnets,
                vpc=network.vpc_id,
                endpoints=missing,
                has_gateway=subnets is unaddressed,
            )


def _endpoints(wants: ManifestNeeds) -> tuple[str, ...]:
    """What stands in for a way out."""
    needed = [*_IMAGE_ENDPOINTS]
    needed += ["logs"] if wants.log_group else []
    needed += ["secretsmanager"] if wants.secrets else []
    needed += ["ssm"] if wants.parameters else []
    return tuple(needed)


def _certificate(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    if not wants.certificate:
        return
    region = wants.certificate.split(":")[3]
    if region != wants.region:
        yield CertificateElsewhere(certificate=wants.certificate, region=region)
        return
    if facts.certificate is None:
        return
    if facts.certificate.status == "ISSUED":
        yield from _certificate_names(wants, facts.certificate)
        return
    yield CertificateNotIssued(certificate=wants.certificate, status=facts.certificate.status)


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


def _secrets(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    del wants
    for secret in facts.secrets or ():
        yield from _secret(secret)


def _secret(secret: SecretFact) -> Iterator[Trouble]:
    if not secret.exists or secret.is_deleted:
        yield SecretAbsent(
            variable=secret.variable, where=secret.where, is_deleted=secret.is_deleted
        )
    elif secret.json_key and secret.keys is not None and secret.json_key not in secret.keys:
        yield SecretKeyAbsent(
            variable=secret.variable,
            where=secret.where,
            key=secret.json_key,
            known=tuple(sorted(secret.keys)),
        )


def _keys(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    """Of secrets: the execution role that FSD makes may use a key that lets it, and no other."""
    for key in facts.keys:
        if key.state != "Enabled":
            yield KeyUnusable(key=key.id, state=key.state)
        elif key.policy and not _may_decrypt(key, wants.execution_role):
            yield KeyRefusesRole(key=key.id, role=wants.execution_role)


def _may_decrypt(key: KeyFact, role: str) -> bool:
    return any(
        one.get("Effect") == "Allow"
        and is_about(one, "kms:Decrypt")
        and names_role(one, role)
        and principal_condition(one, role) is not False
        for one in statements(key.policy)
    )


def _dependencies(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    for one in facts.dependencies or ():
        if one.exists is False:
            yield DependencyAbsent(type=one.type, name=one.name, key=one.key)
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
            and _covers(statement, one)
            for statement in statements(one.policy)
        )
        if role
        else False
    )


def _covers(statement: Json, one: DependencyFact) -> bool:
    """A policy may be about a part of the thing. Of the other types there is only the whole."""
    match one.type:
        case "aws_s3_bucket":
            return covers_bucket(statement, one.name)
        case "aws_dynamodb_table":
            return covers_whole(statement, f"table/{one.name}")
        case "aws_kinesis_stream":
            return covers_whole(statement, f"stream/{one.name}")
        case _:
            return True


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


def _permissions(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    del wants
    for one in facts.denied or ():
        kind = OrganizationDenies if one.by_organization else PermissionAbsent
        yield kind(action=one.action, resource=one.resource, why=one.why)


def _quota(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    if facts.quota is None:
        return
    needed = wants.tasks * wants.vcpu
    free = facts.quota.limit - facts.quota.used
    if needed > free:
        yield VcpusTooFew(needed=needed, free=free, limit=facts.quota.limit)


def _log_group(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    if facts.log_group_exists and wants.has_stack is False:
        yield LogGroupTaken(log_group=wants.log_group)


def _alarms(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    if facts.alarms is None:
        return
    for name in wants.alarms:
        if name not in facts.alarms:
            yield AlarmAbsent(alarm=name)


def _repository(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    if facts.has_repository is False:
        yield RepositoryAbsent(repository=wants.service)


def _service_roles(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    if facts.service_roles is None:
        return
    needed = [_ECS]
    needed += [_BALANCING] if wants.has_balancer else []
    needed += [_SCALING] if wants.is_scaled else []
    for service in needed:
        if service not in facts.service_roles:
            yield ServiceRoleAbsent(service=service)


def _not_seen(wants: ManifestNeeds, facts: Facts) -> Iterator[Trouble]:
    del wants
    for what, refusal in facts.unseen:
        yield FactUnseen(what=what, refusal=refusal, is_permissions=what == PERMISSIONS)


_CHECKS: tuple[Callable[[ManifestNeeds, Facts], Iterator[Trouble]], ...] = (
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
