"""Whose account the credentials are of, by an answer that the run needs anyway.

Every ARN has the account in it, that of a service that is not there as well: ECS says of it under
`failures` that it is MISSING. So a run whose role no STS answer has named asks for its service
first, and for nothing else before the account is known.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Failure.html
"""

from __future__ import annotations

import re
from typing import Any

from fsd.aws.ecs_shapes import to_service
from fsd.aws.errors import aws_code, call
from fsd.aws.session import FEW_ATTEMPTS, AwsSession
from fsd.errors import CallFailedError
from fsd.release.ports import Identity, ServiceRead

_ARN = re.compile(r"arn:(?P<partition>[^:]+):ecs:[^:]*:(?P<account>\d{12}):service/")


def look_first(
    session: AwsSession, *, cluster: str, service: str
) -> tuple[Identity, ServiceRead | None]:
    """Who we are, and the service as it was read for that. None where it was not: a role was
    assumed, and STS has said who that is; `service` is ""; or ECS's answer has no ARN, as for a
    cluster that is not there, and then STS is asked. So it is if an ARN was asked for: ECS gives
    it back, whoever asks. https://github.com/amazon-archives/aws-sdk-core-ruby/issues/221

    Raises CallFailedError.
    """
    if session.has_assumed or not service or ":" in f"{cluster}{service}":
        return session.identity(), None
    try:
        answer = call(
            session.client("ecs", attempts=FEW_ATTEMPTS),
            "describe_services",
            f"{cluster}/{service}",
            cluster=cluster,
            services=[service],
            include=["TAGS"],
        )
    except CallFailedError as error:
        if not aws_code(error):
            raise  # nobody answers: STS would not either
        has_cluster = aws_code(error) != "ClusterNotFoundException"
        gone = None if has_cluster else ServiceRead(cluster=cluster, name=service, service=None)
        return session.identity(), gone
    found = _ARN.match(_arn(answer))
    if found is None:
        return session.identity(), None
    identity = Identity(
        account=found["account"], region=session.region, partition=found["partition"], arn=""
    )
    return identity, _read(answer, cluster=cluster, name=service)


def _arn(answer: dict[str, Any]) -> str:
    services = (service.get("serviceArn", "") for service in answer.get("services", []))
    failures = (failure.get("arn", "") for failure in answer.get("failures", []))
    return str(next((arn for arn in (*services, *failures) if arn), ""))


def _read(answer: dict[str, Any], *, cluster: str, name: str) -> ServiceRead | None:
    """None where ECS could not say whether it is there."""
    services, failures = answer.get("services", []), answer.get("failures", [])
    if any(failure.get("reason") != "MISSING" for failure in failures):
        return None
    there = [service for service in services if service.get("status") != "INACTIVE"]
    return ServiceRead(cluster=cluster, name=name, service=to_service(there[0]) if there else None)
