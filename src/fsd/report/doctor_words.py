"""The sentences of what `fsd doctor` found."""

from __future__ import annotations

from fsd.account.checks import Check
from fsd.account.facts import ManifestNeeds
from fsd.account.issuer import AUDIENCE
from fsd.account.troubles import (
    AddressesTooFew,
    BalancingFull,
    CertificateOfOthers,
    ClusterAbsent,
    DependencyAbsent,
    ImageAbsent,
    ImageOfOtherPlatform,
    KeyRefusesRole,
    KeyUnusable,
    OrganizationDenies,
    PolicyDenies,
    RoleMissing,
    RoleUntrusting,
    SecretAbsent,
    SecretKeyAbsent,
    TaskSubnetsAbsent,
    Trouble,
    VpcAbsent,
    WayOutAbsent,
    ZonesTooFew,
)
from fsd.manifest.finding import Severity
from fsd.report.account_words import network_finding, resource_finding, secret_finding
from fsd.report.doctor_finding import DoctorFinding, warning
from fsd.report.words import quoted_names


def worded(one: Trouble, wants: ManifestNeeds) -> DoctorFinding:
    match one:
        case (
            ClusterAbsent()
            | VpcAbsent()
            | ZonesTooFew()
            | TaskSubnetsAbsent()
            | AddressesTooFew()
            | WayOutAbsent()
        ):
            return network_finding(one, wants)
        case SecretAbsent() | SecretKeyAbsent() | KeyRefusesRole():
            return secret_finding(one)
        case RoleMissing() | RoleUntrusting():
            return _role(one, wants)
        case ImageAbsent() | ImageOfOtherPlatform():
            return _image(one)
        case CertificateOfOthers():
            return DoctorFinding(
                check=Check.CERTIFICATE_HOST,
                severity=Severity.WARNING,
                what=f"the certificate is not for {quoted_names(one.hosts)}; it is for "
                f"{quoted_names(one.names)}: clients would refuse the connection",
                where=one.certificate,
                fix="name a certificate of that host in certificateArn: aws acm list-certificates",
            )
        case KeyUnusable():
            return DoctorFinding(
                check=Check.KEY_UNUSABLE,
                severity=Severity.ERROR,
                what=f"the KMS key of a secret is {one.state}: no task could read the secret"
                if one.state
                else "the KMS key of a secret does not exist: no task could read the secret",
                where=one.key,
                fix=_KEY_FIXES.get(one.state, "encrypt the secret with a key that exists").format(
                    key=one.key
                ),
            )
        case BalancingFull():
            return _balancing(one)
        case DependencyAbsent() | PolicyDenies():
            return _dependency(one, wants)
        case OrganizationDenies():
            return DoctorFinding(
                check=Check.PERMISSION,
                severity=Severity.WARNING,
                what=f"a policy of the AWS organization denies {one.action}, if its conditions, "
                f"which IAM's simulation does not know, hold: {one.why}",
                where=one.resource,
                fix="ask those who manage the organization's service control policies",
            )
        case _:
            return resource_finding(one, wants)


_KEY_FIXES = {
    "Disabled": "aws kms enable-key --key-id {key}",
    "PendingDeletion": "aws kms cancel-key-deletion --key-id {key}, then aws kms enable-key",
}


def _role(one: RoleMissing | RoleUntrusting, wants: ManifestNeeds) -> DoctorFinding:
    bootstrap = f"fsd bootstrap --env {wants.environment} --repo ORG/REPO"
    if isinstance(one, RoleMissing):
        return DoctorFinding(
            check=Check.ROLE_MISSING,
            severity=Severity.ERROR,
            what="the role that a deployment assumes does not exist",
            where=one.role,
            fix=f"create it with {bootstrap}, or correct roleArn in .fsd/environments.yml",
        )
    if one.audiences:
        return DoctorFinding(
            check=Check.ROLE_TRUST,
            severity=Severity.ERROR,
            what=f"the role does not trust this workflow: its token has the aud `{AUDIENCE}`, and "
            f"the role asks for {quoted_names(one.audiences)}",
            where=one.role,
            fix=f"write {AUDIENCE} in the role's trust policy, or set the Action's input audience",
        )
    has = f"its token has the sub {quoted_names(one.subs, word='or')}"
    trusted = quoted_names(one.trusted) if one.trusted else "no workflow of GitHub"
    says = f"{has}, and the role trusts {trusted}"
    fix = f"add this sub to the role's trust policy, or run {bootstrap}"
    if one.is_denied:
        says = f"{has}, and a Deny statement of the role's trust policy applies to it"
        fix = "exempt this sub in that Deny statement, or remove the statement"
    elif one.literal:
        says += f": in StringEquals, {quoted_names(one.literal)} has no wildcard"
        fix = f"use StringLike in the role's trust policy, with this sub, or run {bootstrap}"
    return DoctorFinding(
        check=Check.ROLE_TRUST,
        severity=Severity.ERROR,
        what=f"the role does not trust this workflow: {says}",
        where=one.role,
        fix=fix,
    )


def _image(one: ImageAbsent | ImageOfOtherPlatform) -> DoctorFinding:
    if isinstance(one, ImageAbsent):
        return DoctorFinding(
            check=Check.IMAGE_MISSING,
            severity=Severity.ERROR,
            what="the registry does not have the image: no task could start",
            where=one.image,
            fix="push the image, or correct service.image",
        )
    return DoctorFinding(
        check=Check.IMAGE_PLATFORM,
        severity=Severity.ERROR,
        what=f"the image is for {quoted_names(one.platforms)}, and the tasks run on {one.platform}",
        where=one.image,
        fix=f"build it with docker build --platform {one.platform}, or change service.platform",
    )


def _balancing(one: BalancingFull) -> DoctorFinding:
    what = f"{one.used} of at most {one.limit} {one.quota.replace('-', ' ')} exist, and "
    fix = "delete one that nobody uses, or request more in Service Quotas; with "
    other = "networking.loadBalancer.shared several services use one load balancer"
    if one.quota == "rules-per-application-load-balancer":
        what = f"{one.used} of at most {one.limit} rules of the shared load balancer exist, and "
        other = "another name for networking.loadBalancer.shared FSD creates a second one"
    return DoctorFinding(
        check=Check.BALANCING_QUOTA,
        severity=Severity.ERROR,
        what=f"{what}the deployment creates one more",
        where="Elastic Load Balancing",
        fix=f"{fix}{other}",
    )


def _dependency(one: DependencyAbsent | PolicyDenies, wants: ManifestNeeds) -> DoctorFinding:
    if isinstance(one, DependencyAbsent):
        return warning(
            Check.DEPENDENCY_MISSING,
            f"the {_kind(one.type)} {one.name} does not exist",
            where=f"{one.key} of {wants.service}",
            fix="create it, or correct its name",
        )
    return warning(
        Check.DEPENDENCY_POLICY,
        f"the policy of the {_kind(one.type)} {one.name} denies {quoted_names(one.actions)} to the "
        "task role",
        where=one.role,
        fix="exempt the role in that policy's Deny statement, or remove the actions from "
        "permissions",
    )


def _kind(type_: str) -> str:
    return type_.removeprefix("aws_").replace("_", " ")
