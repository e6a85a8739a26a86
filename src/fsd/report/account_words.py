"""The sentences of `fsd doctor` about an account: network, secrets, and what a deployment needs."""

from __future__ import annotations

from typing import assert_never

from fsd.account.checks import Check
from fsd.account.facts import ManifestNeeds
from fsd.account.troubles import (
    AddressesTooFew,
    AlarmAbsent,
    CertificateElsewhere,
    CertificateNotIssued,
    ClusterAbsent,
    FactUnseen,
    KeyRefusesRole,
    LogGroupTaken,
    NetworkTrouble,
    PermissionAbsent,
    RepositoryAbsent,
    ResourceTrouble,
    SecretAbsent,
    SecretKeyAbsent,
    SecretTrouble,
    ServiceRoleAbsent,
    TaskSubnetsAbsent,
    VcpusTooFew,
    VpcAbsent,
    WayOutAbsent,
    ZonesTooFew,
)
from fsd.manifest.finding import Severity
from fsd.report.doctor_finding import DoctorFinding, error, warning

_FILE = ".fsd/environments.yml"
_VCPU_QUOTA = "--service-code fargate --quota-code L-3032A538"


def network_finding(one: NetworkTrouble, wants: ManifestNeeds) -> DoctorFinding:
    match one:
        case ClusterAbsent():
            state = f"is {one.status}" if one.status else "does not exist"
            return warning(
                Check.CLUSTER_MISSING,
                f"the cluster {one.cluster} {state}; a deployment creates it if its role is "
                "allowed to",
                where=f"--env {wants.environment}",
                fix=f"fsd bootstrap --env {wants.environment} --repo ORG/REPO",
            )
        case VpcAbsent():
            return error(
                Check.VPC_MISSING,
                f"no VPC has the tag fsd:environment={wants.environment}, and there is no default "
                "VPC",
                where=wants.region,
                fix=f"tag a VPC fsd:environment={wants.environment}, or set vpc.id in {_FILE}",
            )
        case ZonesTooFew() | TaskSubnetsAbsent():
            return _subnets(one)
        case AddressesTooFew():
            return error(
                Check.ADDRESSES,
                f"{one.free} addresses are free, and a rollout runs up to {one.tasks} tasks at "
                "once",
                where=", ".join(one.subnets),
                fix="use larger subnets, or lower deployment.maximumPercent",
            )
        case WayOutAbsent():
            return _way_out(one, wants)
        case _:
            assert_never(one)


def _subnets(one: ZonesTooFew | TaskSubnetsAbsent) -> DoctorFinding:
    if isinstance(one, TaskSubnetsAbsent):
        kind = "private" if one.is_private else "public"
        return error(
            Check.ZONES,
            f"{one.vpc} has no {kind} subnet for the tasks",
            where=one.vpc,
            fix=f"add one, or name it in {_FILE}: vpc.{kind}Subnets",
        )
    return error(
        Check.ZONES,
        f"a load balancer needs subnets in {one.needed} zones, and {one.vpc} has subnets in only "
        f"{one.zones}",
        where=one.vpc,
        fix=f"add a subnet in another zone, or name subnets in two zones in {_FILE}: "
        "vpc.privateSubnets",
    )


def _way_out(one: WayOutAbsent, wants: ManifestNeeds) -> DoctorFinding:
    verb = "has" if len(one.subnets) == 1 else "have"
    why = f"{verb} no route to the internet"
    if one.has_gateway:
        why = f"{verb} an internet gateway, which tasks without a public IP address cannot use"
    return error(
        Check.NO_WAY_OUT,
        f"{', '.join(one.subnets)} {why}, and {one.vpc} has no endpoint for "
        f"{', '.join(one.endpoints)}, so no task could start",
        where=one.vpc,
        fix="route 0.0.0.0/0 to a NAT gateway, or create the endpoints "
        + ", ".join(f"com.amazonaws.{wants.region}.{name}" for name in one.endpoints),
    )


def secret_finding(one: SecretTrouble) -> DoctorFinding:
    match one:
        case SecretAbsent():
            state = "is scheduled for deletion" if one.is_deleted else "does not exist"
            return error(
                Check.SECRET_MISSING,
                f"the secret for {one.variable} {state}",
                where=one.where,
                fix="restore it: aws secretsmanager restore-secret"
                if one.is_deleted
                else "create it, or correct valueFrom",
            )
        case SecretKeyAbsent():
            known = f"it has {', '.join(one.known)}" if one.known else "it is not a JSON object"
            return error(
                Check.SECRET_KEY,
                f"the secret for {one.variable} has no key `{one.key}`; {known}",
                where=one.where,
                fix="add the key to the secret, or correct valueFrom",
            )
        case KeyRefusesRole():
            return warning(
                Check.SECRET_ENCRYPTION,
                "a secret is encrypted with a customer managed key whose policy does not allow "
                "the execution role to use it",
                where=one.key,
                fix=f"in the key's policy, allow kms:Decrypt to {one.role}",
            )
        case _:
            assert_never(one)


def resource_finding(one: ResourceTrouble, wants: ManifestNeeds) -> DoctorFinding:
    match one:
        case CertificateElsewhere() | CertificateNotIssued():
            return _certificate(one, wants)
        case PermissionAbsent():
            return error(
                Check.PERMISSION,
                f"{one.action} is not allowed: {one.why}",
                where=one.resource,
                fix=f"fsd iam --env {wants.environment} --role deploy  prints what the role needs",
            )
        case VcpusTooFew():
            return error(
                Check.QUOTA,
                f"a rollout needs up to {one.needed:g} vCPU, and {one.free:g} of Fargate's "
                f"{one.limit:g} are free",
                where="Service Quotas: Fargate On-Demand vCPU resource count",
                fix="request more: aws service-quotas request-service-quota-increase "
                f"{_VCPU_QUOTA} --desired-value N",
            )
        case FactUnseen():
            return DoctorFinding(
                check=Check.NOT_SEEN,
                severity=Severity.WARNING if one.is_permissions else Severity.INFO,
                what=f"FSD could not check {one.what}: {one.refusal}",
                where=f"--env {wants.environment}",
                fix="run fsd doctor with credentials that are allowed to read this",
            )
        case _:
            return _named(one, wants)


def _certificate(
    one: CertificateElsewhere | CertificateNotIssued, wants: ManifestNeeds
) -> DoctorFinding:
    if isinstance(one, CertificateElsewhere):
        return error(
            Check.CERTIFICATE_REGION,
            f"the certificate is in {one.region}, and the load balancer is in {wants.region}",
            where=one.certificate,
            fix=f"request one in {wants.region}: aws acm request-certificate",
        )
    return error(
        Check.CERTIFICATE,
        f"the certificate is {one.status}" if one.status else "the certificate does not exist",
        where=one.certificate,
        fix="create the DNS record that ACM asks for"
        if one.status == "PENDING_VALIDATION"
        else "use a certificate that is issued: aws acm list-certificates",
    )


def _named(
    one: LogGroupTaken | AlarmAbsent | RepositoryAbsent | ServiceRoleAbsent, wants: ManifestNeeds
) -> DoctorFinding:
    match one:
        case LogGroupTaken():
            return error(
                Check.LOG_GROUP_TAKEN,
                f"the log group {one.log_group} exists but does not belong to the service's "
                "stack, so CloudFormation would refuse to create it",
                where=one.log_group,
                fix="keep it with service.logs.group, or delete it: aws logs delete-log-group "
                f"--log-group-name {one.log_group}",
            )
        case AlarmAbsent():
            return error(
                Check.ALARM_MISSING,
                f"the alarm {one.alarm} does not exist, so it cannot roll back a deployment",
                where="deployment.alarms",
                fix="create the alarm, or correct its name",
            )
        case RepositoryAbsent():
            return warning(
                Check.REPOSITORY_MISSING,
                f"the repository {one.repository} does not exist; a deployment creates it if its "
                "role is allowed to",
                where="ECR",
                fix=f"fsd bootstrap --env {wants.environment} --repo ORG/REPO",
            )
        case ServiceRoleAbsent():
            return warning(
                Check.SERVICE_ROLE,
                f"{one.service} has no service-linked role; AWS creates it when it is first "
                "needed, if the caller is allowed to",
                where="IAM",
                fix=f"aws iam create-service-linked-role --aws-service-name {one.service}",
            )
        case _:
            assert_never(one)
