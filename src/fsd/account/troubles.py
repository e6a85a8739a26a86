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
)
