"""What the load balancer says of a service's targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsd.aws.errors import aws_code, call
from fsd.aws.session import Clients
from fsd.errors import CallFailedError
from fsd.snapshot import TargetHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealthReader:
    """`fsd.release.ports.Targets`."""

    clients: Clients

    def health(self, target_group_arn: str) -> Sequence[TargetHealth]:
        """() also where the target group is gone: ECS's events say so, with the reason."""
        answer = self._describe(target_group_arn) or {}
        return tuple(_target(entry) for entry in answer.get("TargetHealthDescriptions", []))

    def weights(self, rule_arn: str) -> Mapping[str, int]:
        """https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeRules.html"""
        client = self.clients.client("elbv2")
        try:
            answer = call(client, "describe_rules", rule_arn, RuleArns=[rule_arn])
        except CallFailedError as error:
            if aws_code(error).removesuffix("Exception") == "RuleNotFound":
                return {}
            raise
        groups = (
            group
            for rule in answer.get("Rules", [])
            for action in rule.get("Actions", [])
            for group in action.get("ForwardConfig", {}).get("TargetGroups", [])
        )
        return {group.get("TargetGroupArn", ""): group.get("Weight", 1) for group in groups}

    def find_health(self, target_group_arn: str) -> Sequence[TargetHealth] | None:
        """None where there is no such target group. Raises CallFailedError for an answer without
        a list: no list is not an empty one."""
        answer = self._describe(target_group_arn)
        if answer is not None and "TargetHealthDescriptions" not in answer:
            raise CallFailedError(
                "the answer names no targets, and not that there are none",
                where=f"DescribeTargetHealth {target_group_arn}",
                fix="run it again",
            )
        if answer is None:
            return None
        return tuple(_target(entry) for entry in answer["TargetHealthDescriptions"])

    def _describe(self, target_group_arn: str) -> dict[str, Any] | None:
        try:
            return call(
                self.clients.client("elbv2"),
                "describe_target_health",
                target_group_arn,
                TargetGroupArn=target_group_arn,
            )
        except CallFailedError as error:
            if aws_code(error) in {"TargetGroupNotFound", "TargetGroupNotFoundException"}:
                return None
            raise


def _target(entry: dict[str, Any]) -> TargetHealth:
    target, health = entry.get("Target", {}), entry.get("TargetHealth", {})
    return TargetHealth(
        address=target.get("Id", ""),
        port=int(target.get("Port", 0)),
        state=health.get("State", ""),
        reason=health.get("Reason", ""),
        description=health.get("Description", ""),
        check_port=_number(entry.get("HealthCheckPort")),
    )


def _number(text: object) -> int | None:
    """None for what AWS leaves out."""
    return int(text) if isinstance(text, str) and text.isdecimal() else None
