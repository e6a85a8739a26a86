"""What the load balancer says of a service's targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fsd.aws.errors import aws_code, call
from fsd.aws.session import Clients
from fsd.errors import CallFailedError
from fsd.snapshot import TargetHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroups:
    """`fsd.release.ports.Targets`."""

    clients: Clients

    def health(self, target_group_arn: str) -> Sequence[TargetHealth]:
        """() also where the target group is gone: ECS's events say so, with the reason."""
        try:
            answer = call(
                self.clients.client("elbv2"),
                "describe_target_health",
                target_group_arn,
                TargetGroupArn=target_group_arn,
            )
        except CallFailedError as error:
            if aws_code(error) in {"TargetGroupNotFound", "TargetGroupNotFoundException"}:
                return ()
            raise
        return tuple(
            TargetHealth(
                address=entry["Target"]["Id"],
                port=int(entry["Target"].get("Port", 0)),
                state=entry["TargetHealth"]["State"],
                reason=entry["TargetHealth"].get("Reason", ""),
                description=entry["TargetHealth"].get("Description", ""),
            )
            for entry in answer.get("TargetHealthDescriptions", [])
        )
