"""`deploymentConfiguration` and the load balancers' `advancedConfiguration`: what they may say.

Raises ApiError. The words about load balancers are those of
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fsd_local.ecs import shifting
from fsd_local.ecs.context import CallContext
from fsd_local.ecs.faults import ApiError, client, invalid, unsupported
from fsd_local.ecs.hooks import check_hooks
from fsd_local.ecs.model import Json

DEFAULT: Json = {
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
    "maximumPercent": 200,
    "minimumHealthyPercent": 100,
    "strategy": "ROLLING",
    "bakeTimeInMinutes": 0,
}
_WHOLE = 100  # percent
_LONGEST_BAKE = 24 * 60  # minutes
# strategy → its member, with its defaults
_MEMBERS: Mapping[str, tuple[str, Json]] = {
    "LINEAR": ("linearConfiguration", shifting.LINEAR),
    "CANARY": ("canaryConfiguration", shifting.CANARY),
}
# (least, greatest)
_LIMITS: Mapping[str, tuple[float, float]] = {
    "stepPercent": (3.0, 100.0),
    "canaryPercent": (0.1, 100.0),
    "stepBakeTimeInMinutes": (0, _LONGEST_BAKE),
    "canaryBakeTimeInMinutes": (0, _LONGEST_BAKE),
    "bakeTimeInMinutes": (0, _LONGEST_BAKE),
}
_RULE = ":listener-rule/app/"


def load_configuration(given: Json | None, base: Json) -> Json:
    """`base` with what is given on top, and with the defaults of its strategy."""
    given = given or {}
    found = base | given
    lower, upper = found["minimumHealthyPercent"], found["maximumPercent"]
    _check_percents(lower, upper)
    check_hooks(found)
    _check_limits(found)
    found = _with_its_strategy(found, given)
    threshold = (found.get("deploymentCircuitBreaker") or {}).get("thresholdConfiguration")
    if threshold is not None and threshold["value"] < 1:
        raise invalid("thresholdConfiguration.value must be at least 1.")
    criteria = found.get("earlySuccessCriteria") or {}
    if criteria.get("enable") and not lower <= criteria.get("healthyPercent", -1) <= 100:
        raise invalid(f"healthyPercent must be between minimumHealthyPercent {lower} and 100.")
    return found


def _check_percents(lower: int, upper: int) -> None:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentConfiguration.html

    The words are those of badmintoncryer/cdk-preflight's records (`pf-ecs-service-deployment-…`).
    """
    if lower < 0:
        raise invalid("minimumHealthyPercent must be at least 0")
    if lower > _WHOLE:
        raise invalid(f"minimumHealthyPercent must be at most {_WHOLE}")
    if upper < _WHOLE:
        raise invalid(f"maximumPercent must be at least {_WHOLE}")
    if lower == upper:
        raise invalid(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block "
            "deployments."
        )


def _check_limits(configuration: Json) -> None:
    members = [configuration, *(configuration.get(member) or {} for member, _ in _MEMBERS.values())]
    for member in members:
        for name, (least, greatest) in _LIMITS.items():
            if not least <= member.get(name, least) <= greatest:
                raise invalid(f"{name} must be between {least} and {greatest}.")


def _with_its_strategy(found: Json, given: Json) -> Json:
    """Another strategy's settings are refused where they are given, and else forgotten."""
    strategy = found["strategy"]
    found = dict(found)
    for other, (member, defaults) in _MEMBERS.items():
        if other == strategy:
            found[member] = defaults | (found.get(member) or {})
        elif given.get(member):
            raise invalid(f"{member} is only valid with the {other} deployment strategy.")
        else:
            found.pop(member, None)
    if strategy == "ROLLING":
        return found
    if (given.get("earlySuccessCriteria") or {}).get("enable"):
        raise invalid("earlySuccessCriteria is only valid with the ROLLING deployment strategy.")
    found.pop("earlySuccessCriteria", None)
    return found


def check_advanced(context: CallContext, balancers: Sequence[Json], strategy: str) -> None:
    """What a strategy that shifts traffic needs; the target groups themselves are known by now."""
    given = [found for found in balancers if found.get("advancedConfiguration")]
    if given and len(given) != len(balancers):
        raise invalid(
            "Either all or none of the provided loadBalancers must have advancedConfiguration "
            "defined"
        )
    if balancers and not given and strategy != "ROLLING":
        raise client(
            "advancedConfiguration field is required for all loadBalancers when using a "
            "non-ROLLING deployment strategy"
        )
    groups = [found["targetGroupArn"] for found in balancers]
    groups += [found["advancedConfiguration"].get("alternateTargetGroupArn") for found in given]
    for group in groups:
        if group and groups.count(group) > 1:
            raise invalid(f"Duplicate targetGroupArn found: {group}")
    for found in given:
        _check_pair(context, found["targetGroupArn"], found["advancedConfiguration"])


def _check_pair(context: CallContext, group: str, advanced: Json) -> None:
    for member in ("alternateTargetGroupArn", "productionListenerRule", "roleArn"):
        if not advanced.get(member):
            raise invalid(f"{member} is required in advancedConfiguration.")
    rules = {
        member: advanced[member]
        for member in ("productionListenerRule", "testListenerRule")
        if advanced.get(member)
    }
    for member, arn in rules.items():
        _check_rule(context, member, arn)
    if len(set(rules.values())) != len(rules):
        raise invalid(
            "The following rules cannot be used as both production and test listener rules: "
            f"{advanced['productionListenerRule']}"
        )
    served = context.rules.get(advanced["productionListenerRule"], {})
    if "testListenerRule" not in rules and not {
        group,
        advanced["alternateTargetGroupArn"],
    } <= set(served):
        raise invalid(
            "For Application LoadBalancer, testListenerRule is required when "
            "productionListenerRule is not associated with both targetGroup and "
            "alternateTargetGroup"
        )


def _check_rule(context: CallContext, member: str, arn: str) -> None:
    if ":listener/net/" in arn:
        raise unsupported(
            "The embedded AWS shifts the traffic of application load balancers only, not of "
            "network load balancers."
        )
    if _RULE not in arn:
        raise invalid(
            f"{member} has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for NLB. "
            f"Got: {arn}"
        )
    if arn not in context.rules:
        raise _no_rule(arn)


def _no_rule(arn: str) -> ApiError:
    """Elastic Load Balancing's own words: ECS asks it."""
    return invalid(f"One or more rules not found: {arn}")
