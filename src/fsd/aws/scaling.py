"""Application Auto Scaling of a service's desired count: one target, a policy a metric.

https://docs.aws.amazon.com/autoscaling/application/userguide/services-that-can-integrate-ecs.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fsd.aws.errors import aws_code, call, pages
from fsd.aws.propagation import once_roles_are_known
from fsd.aws.session import Clients
from fsd.compile.desired import Scaling, ScheduledBounds, Tracked
from fsd.compile.scaling import REQUESTS, with_scheduled_bounds
from fsd.errors import CallFailedError
from fsd.release.ports import Clock, ScalingState

DEFAULT_COOLDOWN = 300  # seconds, of ECS services
_METRICS = {
    "cpu": "ECSServiceAverageCPUUtilization",
    "memory": "ECSServiceAverageMemoryUtilization",
}

_TRACKED = ("queue", "metric", REQUESTS)  # metrics that the manifest names


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationAutoScaling:
    """`fsd.release.ports.ScalingPort`. Policies of other names are somebody else's, and stay."""

    clients: Clients
    clock: Clock

    def find(self, cluster: str, service: str) -> ScalingState | None:
        target = self._target(cluster, service)
        if target is None:
            return None
        policies = self._policies(cluster, service)
        return ScalingState(
            scaling=_scaling(target, policies, service),
            policy_names=tuple(n for n in _names(service).values() if n in policies),
            other_names=tuple(sorted(policies.keys() - {*_names(service).values()})),
        )

    def scheduled_actions(self, cluster: str, service: str) -> Sequence[str]:
        """Those of others, by name."""
        own = _schedule_name(service, "")
        found = self._actions(cluster, service)
        return [name for name in found if not name.startswith(own)] if found else ()

    def find_schedules(self, cluster: str, service: str) -> tuple[ScheduledBounds, ...]:
        own = _schedule_name(service, "")
        found = self._actions(cluster, service)
        return tuple(
            _bounds(name.removeprefix(own), found[name])
            for name in sorted(found)
            if name.startswith(own)
        )

    def end_schedules(self, cluster: str, service: str, names: Sequence[str]) -> None:
        for name in names:
            try:
                call(
                    self._client,
                    "delete_scheduled_action",
                    name,
                    ScheduledActionName=_schedule_name(service, name),
                    **_resource(cluster, service),
                )
            except CallFailedError as error:
                if aws_code(error) != "ObjectNotFoundException":
                    raise

    def _actions(self, cluster: str, service: str) -> dict[str, dict[str, Any]]:
        """Raises PermissionDenied: without an answer, a plan would add schedules that exist, and a
        target would be removed with somebody's actions."""
        return {
            action["ScheduledActionName"]: action
            for page in pages(
                self._client,
                "describe_scheduled_actions",
                f"{cluster}/{service}",
                **_resource(cluster, service),
            )
            for action in page["ScheduledActions"]
        }

    def apply(self, cluster: str, service: str, scaling: Scaling) -> None:
        """Writes only what differs: registering a target clamps the running count at once.

        https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
        """
        target = self._target(cluster, service)
        if target is not None:  # a schedule may have set them since the plan
            now = (int(target["MinCapacity"]), int(target["MaxCapacity"]))
            scaling = with_scheduled_bounds(scaling, now)
        limits = {"MinCapacity": scaling.minimum, "MaxCapacity": scaling.maximum}
        if target is None or limits != {key: target[key] for key in limits}:
            # The first of an account makes a service-linked role as well.
            once_roles_are_known(
                lambda: call(
                    self._client,
                    "register_scalable_target",
                    f"{cluster}/{service}",
                    **_resource(cluster, service),
                    **limits,
                ),
                clock=self.clock,
            )
        existing = self._policies(cluster, service) if target is not None else {}
        self._apply_policies(cluster, service, scaling, existing=existing)
        for schedule in scaling.schedules:
            self._put_schedule(cluster, service, schedule)

    def _put_schedule(self, cluster: str, service: str, schedule: ScheduledBounds) -> None:
        limits = {"MinCapacity": schedule.minimum, "MaxCapacity": schedule.maximum}
        call(
            self._client,
            "put_scheduled_action",
            schedule.name,
            ScheduledActionName=_schedule_name(service, schedule.name),
            Schedule=schedule.expression,
            Timezone=schedule.time_zone,
            ScalableTargetAction={k: v for k, v in limits.items() if v is not None},
            **_resource(cluster, service),
        )

    def end_policies(self, cluster: str, service: str) -> None:
        existing = self._policies(cluster, service)
        for name in _names(service).values():
            self._delete_policy(cluster, service, name, exists=name in existing)

    def remove(self, cluster: str, service: str) -> bool:
        """Its policies and their alarms go with the target."""
        try:
            call(
                self._client,
                "deregister_scalable_target",
                f"{cluster}/{service}",
                **_resource(cluster, service),
            )
        except CallFailedError as error:
            if aws_code(error) == "ObjectNotFoundException":
                return False
            raise
        return True

    def _apply_policies(
        self,
        cluster: str,
        service: str,
        scaling: Scaling,
        *,
        existing: Mapping[str, dict[str, Any]],
    ) -> None:
        wanted = _wanted(scaling)
        for metric, name in _names(service).items():
            if metric not in wanted:
                self._delete_policy(cluster, service, name, exists=name in existing)
                continue
            tracking = {
                **wanted[metric],
                "ScaleInCooldown": scaling.scale_in_cooldown,
                "ScaleOutCooldown": scaling.scale_out_cooldown,
            }
            if _is_as_wanted(existing.get(name), tracking):
                continue
            call(
                self._client,
                "put_scaling_policy",
                name,
                PolicyName=name,
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration=tracking,
                **_resource(cluster, service),
            )

    def _delete_policy(self, cluster: str, service: str, name: str, *, exists: bool) -> None:
        if not exists:
            return
        try:
            call(
                self._client,
                "delete_scaling_policy",
                name,
                PolicyName=name,
                **_resource(cluster, service),
            )
        except CallFailedError as error:
            if aws_code(error) != "ObjectNotFoundException":
                raise

    def _target(self, cluster: str, service: str) -> dict[str, Any] | None:
        resource = _resource(cluster, service)
        answer = call(
            self._client,
            "describe_scalable_targets",
            f"{cluster}/{service}",
            ServiceNamespace=resource["ServiceNamespace"],
            ResourceIds=[resource["ResourceId"]],
            ScalableDimension=resource["ScalableDimension"],
        )
        targets: list[dict[str, Any]] = answer.get("ScalableTargets", [])
        return targets[0] if targets else None

    def _policies(self, cluster: str, service: str) -> dict[str, dict[str, Any]]:
        return {
            policy["PolicyName"]: policy
            for page in pages(
                self._client,
                "describe_scaling_policies",
                f"{cluster}/{service}",
                **_resource(cluster, service),
            )
            for policy in page["ScalingPolicies"]
        }

    @property
    def _client(self) -> Any:
        return self.clients.client("application-autoscaling")


def _resource(cluster: str, service: str) -> dict[str, str]:
    return {
        "ServiceNamespace": "ecs",
        "ResourceId": f"service/{cluster}/{service}",
        "ScalableDimension": "ecs:service:DesiredCount",
    }


def _names(service: str) -> dict[str, str]:
    return {metric: f"{service}-{metric}" for metric in (*_METRICS, *_TRACKED)}


def _schedule_name(service: str, name: str) -> str:
    return f"{service}-at-{name}"


def _bounds(name: str, action: Mapping[str, Any]) -> ScheduledBounds:
    limits = action.get("ScalableTargetAction", {})
    return ScheduledBounds(
        name=name,
        expression=action.get("Schedule", ""),
        time_zone=action.get("Timezone", "UTC"),
        minimum=limits.get("MinCapacity"),
        maximum=limits.get("MaxCapacity"),
    )


def _specification_key(name: str) -> str:
    kind = "Predefined" if name == REQUESTS else "Customized"
    return f"{kind}MetricSpecification"


def _wanted(scaling: Scaling) -> dict[str, dict[str, Any]]:
    """What each policy tracks, by the end of its name."""
    percents = {"cpu": scaling.cpu, "memory": scaling.memory}
    wanted: dict[str, dict[str, Any]] = {
        metric: {
            "TargetValue": float(percent),
            "PredefinedMetricSpecification": {"PredefinedMetricType": _METRICS[metric]},
        }
        for metric, percent in percents.items()
        if percent is not None
    }
    for tracked in scaling.tracked:
        wanted[tracked.name] = {
            "TargetValue": tracked.target,
            _specification_key(tracked.name): tracked.specification,
        }
    return wanted


def _scaling(
    target: dict[str, Any], policies: Mapping[str, dict[str, Any]], service: str
) -> Scaling:
    names = _names(service)
    tracking = {
        metric: policies[name].get("TargetTrackingScalingPolicyConfiguration", {})
        for metric, name in names.items()
        if name in policies
    }
    return Scaling(
        minimum=int(target["MinCapacity"]),
        maximum=int(target["MaxCapacity"]),
        cpu=_percent(tracking.get("cpu")),
        memory=_percent(tracking.get("memory")),
        scale_in_cooldown=_cooldown(tracking, "ScaleInCooldown"),
        scale_out_cooldown=_cooldown(tracking, "ScaleOutCooldown"),
        tracked=tuple(
            Tracked(
                name=name,
                target=float(tracking[name].get("TargetValue", 0)),
                specification=dict(tracking[name].get(_specification_key(name), {})),
            )
            for name in _TRACKED
            if name in tracking
        ),
    )


def _percent(tracking: dict[str, Any] | None) -> float | None:
    """As AWS has it: 59.6 is not the 60 of a manifest."""
    if tracking is None:
        return None
    value = float(tracking.get("TargetValue", 0))
    return int(value) if value.is_integer() else value


def _cooldown(tracking: Mapping[str, dict[str, Any]], key: str) -> int:
    """Both policies have the same one, unless somebody changed it; then the longer is shown."""
    return max((int(t.get(key, DEFAULT_COOLDOWN)) for t in tracking.values()), default=300)


def _is_as_wanted(policy: dict[str, Any] | None, tracking: dict[str, Any]) -> bool:
    if policy is None:
        return False
    actual = policy.get("TargetTrackingScalingPolicyConfiguration", {})
    return all(actual.get(key) == value for key, value in tracking.items())
