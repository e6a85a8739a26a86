"""Drift detection for the resources of FSD's stacks that MiniStack compares with nothing.

Only properties that a template sets are compared, as on AWS.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-drift.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import alb, ec2
from ministack.services.cloudformation import drift

_CHECKS = frozenset(
    {
        "HealthCheckPath",
        "HealthCheckIntervalSeconds",
        "HealthCheckTimeoutSeconds",
        "HealthyThresholdCount",
        "UnhealthyThresholdCount",
    }
)
_RULES = {
    "SecurityGroupIngress": ("IpPermissions", "SourceSecurityGroupId"),
    "SecurityGroupEgress": ("IpPermissionsEgress", "DestinationSecurityGroupId"),
}


def mount() -> None:
    balancing = "AWS::ElasticLoadBalancingV2"
    drift._DRIFT_READERS |= {
        f"{balancing}::LoadBalancer": (_exists(lambda: alb._lbs), frozenset()),
        f"{balancing}::Listener": (_exists(lambda: alb._listeners), frozenset()),
        f"{balancing}::ListenerRule": (_exists(lambda: alb._rules), frozenset()),
        f"{balancing}::TargetGroup": (_read_target_group, _CHECKS),
        "AWS::EC2::SecurityGroup": (_read_security_group, frozenset(_RULES)),
    }


def _exists(records: Callable[[], Any]) -> Callable[[str, Any], Any]:
    return lambda physical_id, _properties: {} if physical_id in records() else None


def _read_target_group(physical_id: str, _properties: Any) -> Any:
    group = alb._tgs.get(physical_id)
    return None if group is None else {key: group[key] for key in _CHECKS if key in group}


def _read_security_group(physical_id: str, _properties: Any) -> Any:
    group = ec2._security_groups.get(physical_id)
    if group is None:
        return None
    return {
        property_: [rule for permission in group[key] for rule in _rules(permission, peer)]
        for property_, (key, peer) in _RULES.items()
    }


def _rules(permission: Any, peer: str) -> Iterator[dict[str, Any]]:
    """In the template's shape: one a peer."""
    ports = {key: permission[key] for key in ("FromPort", "ToPort") if key in permission}
    bare = {"IpProtocol": permission["IpProtocol"], **ports}
    for range_ in permission["IpRanges"]:
        yield {**bare, "CidrIp": range_["CidrIp"], **_description(range_)}
    for pair in permission["UserIdGroupPairs"]:
        yield {**bare, peer: pair["GroupId"], **_description(pair)}


def _description(peer: Any) -> dict[str, str]:
    return {"Description": peer["Description"]} if "Description" in peer else {}
