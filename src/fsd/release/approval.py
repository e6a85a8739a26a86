"""A deployment that pauses until somebody answers it."""

from __future__ import annotations

from dataclasses import dataclass

from fsd.errors import ErrorCode, UsageError
from fsd.release.existing_service import require_service
from fsd.release.operation import ServiceRef
from fsd.release.ports import Aws
from fsd.snapshot import ServiceDeployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """ECS has taken the answer; what becomes of the deployment is not known yet."""

    ref: ServiceRef
    deployment: ServiceDeployment  # as it paused
    goes_on: bool


def answer_pause(aws: Aws, ref: ServiceRef, *, goes_on: bool) -> Answered:
    """Let the newest deployment go on, or have ECS take it back.

    Raises UsageError where it does not wait for an answer, CallFailedError where somebody else was
    faster.
    """
    service = require_service(aws, ref)
    arns = aws.ecs.service_deployment_arns(ref.cluster, ref.name)
    newest = next(iter(aws.ecs.service_deployments(arns[:1])), None)
    hook = newest.awaits if newest is not None and not newest.status.is_final else None
    if newest is None or hook is None:
        raise UsageError(
            f"no deployment of {ref.name} waits for an answer",
            where=service.arn,
            fix=f"see how far it is:  fsd status {ref.options}",
            code=ErrorCode.NOTHING_TO_APPROVE,
        )
    aws.ecs.continue_service_deployment(newest.arn, hook=hook.id, goes_on=goes_on)
    return Answered(ref=ref, deployment=newest, goes_on=goes_on)
