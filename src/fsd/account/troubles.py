"""What `fsd doctor` found, as values; `fsd.report.doctor_words` makes the sentences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleMissing:
    """The role that a deployment assumes does not exist."""

    role: str  # ARN


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleUntrusting:
    """It does not let this repository's workflows in."""

    role: str
    subs: tuple[str, ...]  # of the workflow's token: one of these
    trusted: tuple[str, ...]  # patterns, in the trust policy
    audiences: tuple[str, ...] = ()  # that it asks for, in place of AWS's
    literal: tuple[str, ...] = ()  # of those trusted: a star that is no wildcard, so that none fits
    is_denied: bool = False  # it would be trusted, but for a Deny statement


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateOfOthers:
    """It names none of these hosts."""

    certificate: str  # ARN
    hosts: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUnusable:
    """No secret that it encrypts can be read."""

    key: str
    state: str  # Disabled, PendingDeletion …; "" where there is no such key


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageAbsent:
    image: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageOfOtherPlatform:
    image: str
    platform: str  # linux/arm64
    platforms: tuple[str, ...]  # that it has


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancingFull:
    """A quota of Elastic Load Balancing that the first deployment would exceed."""

    quota: str  # AWS's name: target-groups
    limit: int
    used: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDenies:
    """The policy of a dependency denies what the manifest lists."""

    type: str
    name: str
    role: str  # ARN of the task role
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationDenies:
    """A service control policy, by IAM's simulation, which does not know its conditions."""

    action: str
    resource: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAbsent:
    cluster: str
    status: str  # INACTIVE …; "" where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcAbsent:
    """None is tagged for the environment, and there is no default one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZonesTooFew:
    """For a load balancer."""

    vpc: str
    zones: int
    needed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSubnetsAbsent:
    vpc: str
    is_private: bool  # which kind the tasks need


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressesTooFew:
    subnets: tuple[str, ...]
    free: int
    tasks: int  # at the peak of a rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class WayOutAbsent:
    """No task in these subnets could pull its image or read its secrets."""

    subnets: tuple[str, ...]
    vpc: str
    endpoints: tuple[str, ...]  # that are missing: ecr.api …
    has_gateway: bool  # an internet gateway, which tasks without a public address cannot use


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateElsewhere:
    """In another Region than the load balancer."""

    certificate: str  # ARN
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateNotIssued:
    certificate: str  # ARN
    status: str  # PENDING_VALIDATION …; "" where there is none


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretAbsent:
    variable: str  # of the container
    where: str  # ARN or name
    is_deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretKeyAbsent:
    variable: str
    where: str
    key: str
    known: tuple[str, ...]  # () for a secret that is no JSON object


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRefusesRole:
    """Its policy does not let the execution role decrypt."""

    key: str
    role: str  # ARN


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyAbsent:
    type: str
    name: str
    key: str = "dependencies"  # of the manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionAbsent:
    action: str
    resource: str
    why: str  # what it is for


@dataclass(frozen=True, slots=True, kw_only=True)
class VcpusTooFew:
    """Of Fargate, for a rollout at its peak."""

    needed: float
    free: float
    limit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroupTaken:
    """It exists, and not as a resource of the service's stack."""

    log_group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmAbsent:
    alarm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryAbsent:
    repository: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRoleAbsent:
    """A service-linked role."""

    service: str  # ecs.amazonaws.com


@dataclass(frozen=True, slots=True, kw_only=True)
class FactUnseen:
    """AWS refused the look, or did not answer."""

    what: str
    refusal: str
    is_permissions: bool  # a role that lacks everything would look like one that lacks nothing


NetworkTrouble: TypeAlias = (
    ClusterAbsent | VpcAbsent | ZonesTooFew | TaskSubnetsAbsent | AddressesTooFew | WayOutAbsent
)
SecretTrouble: TypeAlias = SecretAbsent | SecretKeyAbsent | KeyRefusesRole
ResourceTrouble: TypeAlias = (
    CertificateElsewhere
    | CertificateNotIssued
    | VcpusTooFew
    | LogGroupTaken
    | AlarmAbsent
    | RepositoryAbsent
    | ServiceRoleAbsent
    | PermissionAbsent
    | FactUnseen
)
Trouble: TypeAlias = (
    OrganizationDenies
    | RoleMissing
    | RoleUntrusting
    | CertificateOfOthers
    | KeyUnusable
    | ImageAbsent
    | ImageOfOtherPlatform
    | BalancingFull
    | PolicyDenies
    | DependencyAbsent
    | NetworkTrouble
    | SecretTrouble
    | ResourceTrouble
)
