"""The service that an operator names: there, or an error that says which one was meant."""

from __future__ import annotations

from fsd.errors import CallFailedError, ErrorCode, UsageError
from fsd.manifest.spelling import nearest
from fsd.release.jobs import find_job
from fsd.release.operation import Operation, ServiceRef
from fsd.release.ports import Aws, Ecs
from fsd.snapshot import ServiceState


def manifest_name(service: ServiceState) -> str:
    """`metadata.name` of a service's manifest, which its tag has."""
    return dict(service.tags).get("fsd:service", service.name)


def get_service(operation: Operation) -> ServiceState:
    """Raises UsageError where there is no such service."""
    return require_service(operation.aws, operation.ref)


def require_service(aws: Aws, ref: ServiceRef) -> ServiceState:
    """Raises UsageError where there is no such service; it names one that is spelled alike."""
    service = aws.ecs.find_service(ref.cluster, ref.name)
    if service is None and find_job(aws, ref) is not None:
        raise UsageError(
            f"{ref.service} is a Job: it has tasks only while it runs, and no number of them",
            where=f"schedule {ref.schedule}",
            fix=f"start it once with  fsd run {ref.options}",
            code=ErrorCode.SERVICE_NOT_FOUND,
        )
    if service is None:
        raise UsageError(
            f"no service {ref.name} in cluster {ref.cluster}",
            where=f"{aws.identity.account} · {aws.identity.region}",
            fix=_near(aws.ecs, ref) + _check(ref),
            code=ErrorCode.SERVICE_NOT_FOUND,
        )
    return service


def _check(ref: ServiceRef) -> str:
    if not ref.environment:
        return "check --cluster, --service (its exact name) and --region"
    return f"check --service and --env; deploy it with  fsd deploy --env {ref.environment}"


def _near(ecs: Ecs, ref: ServiceRef) -> str:
    try:
        names = ecs.service_names(ref.cluster)
    except CallFailedError:
        return ""  # a role that may not list services gets the error all the same
    suffix = f"-{ref.environment}" if ref.environment else ""
    close = nearest(ref.name, names)
    return f"did you mean `{close.removesuffix(suffix)}`? or " if close else ""
