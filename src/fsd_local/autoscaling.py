"""Application Auto Scaling for the ECS services of the embedded AWS, which MiniStack lacks.

Registering, describing and removing work as on AWS, and a registered range holds at once. Target
tracking works on what somebody puts into CloudWatch: nothing here measures load by itself.

https://docs.aws.amazon.com/autoscaling/application/APIReference/Welcome.html
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from fsd_files.timetable import check, due_after
from fsd_local import tracking
from fsd_local.members import find_refused
from fsd_local.ports import MetricSource

Body = dict[str, Any]
SERVICE = "application-autoscaling"  # botocore's name
TARGET_PREFIX = "AnyScaleFrontendService"
_TICK = 1.0  # seconds
_SINCE = "_fsd_since"  # from when on an action's next time is looked for
_DIMENSION = "ecs:service:DesiredCount"
_ROLE = "AWSServiceRoleForApplicationAutoScaling_ECSService"
_NOT_SUSPENDED = {
    "DynamicScalingInSuspended": False,
    "DynamicScalingOutSuspended": False,
    "ScheduledScalingSuspended": False,
}


class ScaledService(Protocol):
    @property
    def desired(self) -> int: ...

    @property
    def rollout(self) -> str: ...


class Services(Protocol):
    """What is scaled: the ECS control plane."""

    def find_service(
        self, account: str, region: str, cluster: str, service: str
    ) -> ScaledService | None: ...

    def set_desired_count(
        self, account: str, region: str, cluster: str, service: str, count: int
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class _Key:
    account: str
    region: str
    namespace: str
    resource: str
    dimension: str


@dataclass(slots=True)
class _Target:
    body: Body
    tags: dict[str, str] = field(default_factory=dict)
    policies: dict[str, Body] = field(default_factory=dict)
    scheduled: dict[str, Body] = field(default_factory=dict)
    past: tracking.Past = field(default_factory=tracking.Past)


class _ApiError(Exception):
    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.body = {"__type": code, "Message": message, "message": message}


class ScalingEngine:
    """`start` has the policies looked at until `close`; without it, `tick` does so once.

    `speed` divides the cooldowns. What CloudWatch's alarms judge is not faster: datapoints have
    the time that they were put with.
    """

    def __init__(self, services: Services, metrics: MetricSource, *, speed: float = 1.0) -> None:
        self._services = services
        self._metrics = metrics
        self._speed = speed
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="auto-scaling", daemon=True)
        self._lock = threading.Lock()
        self._targets: dict[_Key, _Target] = {}
        self._activities: list[tuple[_Key, Body]] = []
        self._actions: dict[str, Callable[[Body, str, str], Body]] = {
            "RegisterScalableTarget": self._register,
            "DescribeScalableTargets": self._describe_targets,
            "DeregisterScalableTarget": self._deregister,
            "PutScalingPolicy": self._put_policy,
            "DescribeScalingPolicies": self._describe_policies,
            "DeleteScalingPolicy": self._delete_policy,
            "DescribeScalingActivities": self._describe_activities,
            "DescribeScheduledActions": self._describe_scheduled,
            "PutScheduledAction": self._put_scheduled,
            "DeleteScheduledAction": self._delete_scheduled,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
        }

    def handle(
        self, action: str, parameters: Body, *, account: str, region: str
    ) -> tuple[int, Body]:
        """(HTTP status, body) of one call."""
        known = self._actions.get(action)
        if known is None:
            return 400, {"__type": "UnknownOperationException", "message": f"no action {action}"}
        try:
            _refuse_members(action, parameters)
            with self._lock:
                return 200, known(parameters, account, region)
        except _ApiError as error:
            return 400, error.body

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(_TICK):
            self.tick(time.time())

    def tick(self, now: float) -> None:
        """Look at every policy once, and scale where one says so."""
        with self._lock:
            for key, target in self._targets.items():
                self._act_by_schedule(key, target, now)
                if target.policies:
                    self._track(key, target, now)

    def _act_by_schedule(self, key: _Key, target: _Target, now: float) -> None:
        """Set the bounds whose time has come, the earliest first, and bring the count into them.

        https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scheduled-scaling.html
        """
        until = datetime.fromtimestamp(now, UTC)
        due = [
            (at, action)
            for action in target.scheduled.values()
            if (at := due_after(action["Schedule"], action[_SINCE], _zone(action))) is not None
            and at <= until
        ]
        for at, action in sorted(due, key=lambda one: one[0]):
            action[_SINCE] = until
            suspended = target.body["SuspendedState"]["ScheduledScalingSuspended"]
            if suspended or not _is_within(action, at):
                continue
            target.body.update(action["ScalableTargetAction"])
            service = self._find(key)
            if service is not None:
                minimum, maximum = target.body["MinCapacity"], target.body["MaxCapacity"]
                self._hold(key, service.desired, minimum=minimum, maximum=maximum)

    def _track(self, key: _Key, target: _Target, now: float) -> None:
        service = self._find(key)
        if service is None:
            return
        readings = [self._read(key, p) for p in target.policies.values() if _is_tracking(p)]
        suspended = target.body["SuspendedState"]
        situation = tracking.Situation(
            count=service.desired,
            minimum=target.body["MinCapacity"],
            maximum=target.body["MaxCapacity"],
            may_go_out=not suspended["DynamicScalingOutSuspended"],
            # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-auto-scaling.html
            may_go_in=not suspended["DynamicScalingInSuspended"]
            and service.rollout != "IN_PROGRESS",
        )
        change = tracking.decide(readings, target.past, situation, now)
        if change is None:
            return
        target.past.record(change, readings, before=service.desired, now=now)
        cause = f"monitor alarm {change.alarm} in state ALARM triggered policy {change.policy}"
        self._set(key, change.count, cause)

    def _read(self, key: _Key, policy: Body) -> tracking.Reading:
        configuration = policy["TargetTrackingScalingPolicyConfiguration"]
        where = {"account": key.account, "region": key.region}
        high, low = (alarm["AlarmName"] for alarm in policy["Alarms"])
        alarms = self._metrics.read((high, low), **where)
        default = tracking.DEFAULT_COOLDOWN
        metric = tracking.load_metric(configuration, key.resource)
        return tracking.Reading(
            is_shared=metric.is_shared,
            policy=policy["PolicyName"],
            target=float(configuration["TargetValue"]),
            high_alarm=high,
            low_alarm=low,
            is_high=high in alarms and alarms[high].state == "ALARM",
            is_low=low in alarms and alarms[low].state == "ALARM",
            measured=self._metrics.measure(metric, **where),
            scales_in=not configuration.get("DisableScaleIn"),
            out_cooldown=configuration.get("ScaleOutCooldown", default) / self._speed,
            in_cooldown=configuration.get("ScaleInCooldown", default) / self._speed,
        )

    def count(self) -> int:
        with self._lock:
            return len(self._targets)

    def reset(self) -> None:
        with self._lock:
            self._targets.clear()
            self._activities.clear()

    # ---- scalable targets

    def _register(self, parameters: Body, account: str, region: str) -> Body:
        key = _key(parameters, account, region)
        current = self._desired_count(key)
        present = self._targets.get(key)
        body = present.body if present else _new_target(key)
        minimum, maximum = _bounds({**body, **parameters})
        body.update(MinCapacity=minimum, MaxCapacity=maximum)
        if "SuspendedState" in parameters:
            body["SuspendedState"] = {**_NOT_SUSPENDED, **parameters["SuspendedState"]}
        if present is None:
            self._targets[key] = _Target(body, tags=dict(parameters.get("Tags") or {}))
        self._hold(key, current, minimum=minimum, maximum=maximum)
        return {"ScalableTargetARN": body["ScalableTargetARN"]}

    def _hold(self, key: _Key, current: int, *, minimum: int, maximum: int) -> None:
        """Bring the count into the range, as AWS does when a target is registered."""
        wanted = min(max(current, minimum), maximum)
        if wanted == current:
            return
        bound = "minimum" if wanted == minimum else "maximum"
        self._set(key, wanted, f"{bound} capacity was set to {wanted}")

    def _set(self, key: _Key, wanted: int, cause: str) -> None:
        """Change the count, and make an activity of it. The caller holds the lock."""
        _, cluster, service = key.resource.split("/")
        self._services.set_desired_count(key.account, key.region, cluster, service, wanted)
        now = time.time()
        self._activities.insert(
            0,
            (
                key,
                {
                    "ActivityId": str(uuid.uuid4()),
                    "ServiceNamespace": key.namespace,
                    "ResourceId": key.resource,
                    "ScalableDimension": key.dimension,
                    "Description": f"Setting desired count to {wanted}.",
                    "Cause": cause,
                    "StartTime": now,
                    "EndTime": now,
                    "StatusCode": "Successful",
                    "StatusMessage": f"Successfully set desired count to {wanted}. "
                    "Change successfully fulfilled by ecs.",
                },
            ),
        )

    def _find(self, key: _Key) -> ScaledService | None:
        _, cluster, service = key.resource.split("/")
        return self._services.find_service(key.account, key.region, cluster, service)

    def _desired_count(self, key: _Key) -> int:
        found = self._find(key)
        if found is None:
            raise _ApiError("ValidationException", f"ECS service doesn't exist: {key.resource}")
        return found.desired

    def _describe_targets(self, parameters: Body, account: str, region: str) -> Body:
        wanted = parameters.get("ResourceIds") or []
        return {
            "ScalableTargets": [
                target.body
                for key, target in self._of(parameters, account, region)
                if not wanted or key.resource in wanted
            ]
        }

    def _deregister(self, parameters: Body, account: str, region: str) -> Body:
        target = self._get(parameters, account, region)
        for policy in target.policies.values():
            self._delete_alarms(policy, account, region)
        del self._targets[_key(parameters, account, region)]
        return {}

    # ---- policies

    def _put_policy(self, parameters: Body, account: str, region: str) -> Body:
        key = _key(parameters, account, region)
        target = self._get(parameters, account, region)
        name = parameters.get("PolicyName") or ""
        if not name:
            raise _ApiError("ValidationException", "PolicyName is required")
        present = target.policies.get(name)
        _check_policy(parameters, present)
        policy = {**parameters, **(_identity(present) if present else _new_policy(key, name))}
        if _is_tracking(policy):
            self._put_alarms(key, policy)
        target.policies[name] = policy
        return {"PolicyARN": policy["PolicyARN"], "Alarms": policy["Alarms"]}

    def _put_alarms(self, key: _Key, policy: Body) -> None:
        configuration = policy["TargetTrackingScalingPolicyConfiguration"]
        try:
            metric = tracking.load_metric(configuration, key.resource)
        except tracking.UnknownMetricError as error:
            raise _ApiError("ValidationException", str(error)) from error
        for body in tracking.alarm_bodies(policy, metric):
            self._metrics.put_alarm(body, account=key.account, region=key.region)

    def _delete_alarms(self, policy: Body, account: str, region: str) -> None:
        names = [alarm["AlarmName"] for alarm in policy["Alarms"]]
        self._metrics.delete_alarms(names, account=account, region=region)

    def _describe_policies(self, parameters: Body, account: str, region: str) -> Body:
        resource = parameters.get("ResourceId")
        names = parameters.get("PolicyNames") or []
        return {
            "ScalingPolicies": [
                policy
                for key, target in self._of(parameters, account, region)
                for name, policy in target.policies.items()
                if resource in (None, key.resource) and (not names or name in names)
            ]
        }

    def _delete_policy(self, parameters: Body, account: str, region: str) -> Body:
        key = _key(parameters, account, region)
        target = self._targets.get(key)
        name = parameters.get("PolicyName", "")
        removed = target.policies.pop(name, None) if target is not None else None
        if removed is None:
            raise _ApiError(
                "ObjectNotFoundException",
                f"No scaling policy found for service namespace: {key.namespace}, resource ID: "
                f"{key.resource}, scalable dimension: {key.dimension}, policy name: {name}",
            )
        self._delete_alarms(removed, account, region)
        return {}

    # ---- scheduled actions

    def _put_scheduled(self, parameters: Body, account: str, region: str) -> Body:
        target = self._get(parameters, account, region)
        name, bounds = parameters.get("ScheduledActionName"), parameters.get("ScalableTargetAction")
        present = target.scheduled.get(name or "")
        action = {**(present or {}), **parameters}
        try:
            check(action.get("Schedule") or "", action.get("Timezone") or "UTC")
        except (ValueError, KeyError) as error:
            raise _ApiError("ValidationException", f"Invalid schedule: {error}") from error
        if not name or (bounds is not None and not bounds):
            raise _ApiError("ValidationException", "a scheduled action needs a name and a bound")
        key = _key(parameters, account, region)
        arn = (
            f"arn:aws:autoscaling:{region}:{account}:scheduledAction:{uuid.uuid4()}:"
            f"resource/ecs/{key.resource}:scheduledActionName/{name}"
        )
        made = {"ScheduledActionARN": arn, "CreationTime": time.time(), **action}
        made |= {name: _seconds(made[name]) for name in ("StartTime", "EndTime") if name in made}
        made[_SINCE] = datetime.fromtimestamp(time.time(), UTC)
        target.scheduled[name] = made
        return {}

    def _describe_scheduled(self, parameters: Body, account: str, region: str) -> Body:
        resource = parameters.get("ResourceId")
        names = parameters.get("ScheduledActionNames") or []
        return {
            "ScheduledActions": [
                {field: value for field, value in action.items() if field != _SINCE}
                for key, target in self._of(parameters, account, region)
                for name, action in target.scheduled.items()
                if resource in (None, key.resource) and (not names or name in names)
            ]
        }

    def _delete_scheduled(self, parameters: Body, account: str, region: str) -> Body:
        target = self._targets.get(_key(parameters, account, region))
        name = parameters.get("ScheduledActionName", "")
        if target is None or target.scheduled.pop(name, None) is None:
            raise _ApiError("ObjectNotFoundException", f"No scheduled action found: {name}")
        return {}

    # ---- the rest

    def _describe_activities(self, parameters: Body, account: str, region: str) -> Body:
        _namespace(parameters)
        resource, dimension = parameters.get("ResourceId"), parameters.get("ScalableDimension")
        return {
            "ScalingActivities": [
                activity
                for key, activity in self._activities
                if (key.account, key.region) == (account, region)
                and resource in (None, key.resource)
                and dimension in (None, key.dimension)
            ]
        }

    def _tag(self, parameters: Body, account: str, region: str) -> Body:
        self._by_arn(parameters, account, region).tags.update(parameters.get("Tags") or {})
        return {}

    def _untag(self, parameters: Body, account: str, region: str) -> Body:
        tags = self._by_arn(parameters, account, region).tags
        for name in parameters.get("TagKeys") or []:
            tags.pop(name, None)
        return {}

    def _list_tags(self, parameters: Body, account: str, region: str) -> Body:
        return {"Tags": dict(self._by_arn(parameters, account, region).tags)}

    def _of(self, parameters: Body, account: str, region: str) -> list[tuple[_Key, _Target]]:
        wanted = (account, region, _namespace(parameters))
        dimension = parameters.get("ScalableDimension")
        return [
            (key, target)
            for key, target in self._targets.items()
            if (key.account, key.region, key.namespace) == wanted
            and dimension in (None, key.dimension)
        ]

    def _get(self, parameters: Body, account: str, region: str) -> _Target:
        key = _key(parameters, account, region)
        target = self._targets.get(key)
        if target is None:
            raise _ApiError(
                "ObjectNotFoundException",
                f"No scalable target found for service namespace: {key.namespace}, "
                f"resource ID: {key.resource}, scalable dimension: {key.dimension}",
            )
        return target

    def _by_arn(self, parameters: Body, account: str, region: str) -> _Target:
        arn = parameters.get("ResourceARN")
        for key, target in self._targets.items():
            mine = (key.account, key.region) == (account, region)
            if mine and target.body["ScalableTargetARN"] == arn:
                return target
        raise _ApiError("ResourceNotFoundException", f"Resource not found for ARN {arn}")


def _refuse_members(action: str, parameters: Body) -> None:
    member = find_refused(SERVICE, action, parameters)
    if member:
        raise _ApiError("ValidationException", f"The embedded AWS does not act on {member}.")


def _is_within(action: Body, at: datetime) -> bool:
    """Whether a time is between the action's first and last one."""
    moment = at.timestamp()
    first, last = action.get("StartTime"), action.get("EndTime")
    return (first is None or moment >= first) and (last is None or moment <= last)


def _seconds(value: float | str) -> float:
    """The API has seconds, a template has text."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value).timestamp()
        except ValueError as error:
            raise _ApiError("ValidationException", f"{value} is not a time") from error
    return value


def _zone(action: Body) -> ZoneInfo:
    return ZoneInfo(action.get("Timezone") or "UTC")


def _namespace(parameters: Body) -> str:
    namespace = parameters.get("ServiceNamespace")
    if namespace != "ecs":
        raise _ApiError("ValidationException", f"the embedded AWS scales only ecs, not {namespace}")
    return "ecs"


def _key(parameters: Body, account: str, region: str) -> _Key:
    namespace = _namespace(parameters)
    resource, dimension = parameters.get("ResourceId", ""), parameters.get("ScalableDimension")
    parts = resource.split("/")
    if len(parts) != 3 or parts[0] != "service" or dimension != _DIMENSION:
        raise _ApiError(
            "ValidationException",
            f"Unsupported service namespace, resource type or scalable dimension: "
            f"{namespace}, {resource}, {dimension}",
        )
    return _Key(account, region, namespace, resource, _DIMENSION)


def _bounds(fields: Body) -> tuple[int, int]:
    if "MinCapacity" not in fields or "MaxCapacity" not in fields:
        raise _ApiError(
            "ValidationException",
            "Both MinCapacity and MaxCapacity are required to register a new scalable target",
        )
    minimum, maximum = int(fields["MinCapacity"]), int(fields["MaxCapacity"])
    if minimum < 0 or maximum < minimum:
        raise _ApiError(
            "ValidationException",
            f"Maximum capacity cannot be less than minimum capacity: {minimum} to {maximum}",
        )
    return minimum, maximum


def _is_tracking(policy: Body) -> bool:
    return "TargetTrackingScalingPolicyConfiguration" in policy


def _check_policy(parameters: Body, present: Body | None) -> None:
    kind = parameters.get("PolicyType") or (present or {}).get("PolicyType") or "StepScaling"
    if kind == "PredictiveScaling":
        raise _ApiError("ValidationException", "The embedded AWS does not predict the load.")
    if kind != "TargetTrackingScaling":
        return
    configuration = parameters.get("TargetTrackingScalingPolicyConfiguration") or {}
    metrics = {"PredefinedMetricSpecification", "CustomizedMetricSpecification"}
    if "TargetValue" not in configuration or len(metrics & set(configuration)) != 1:
        raise _ApiError(
            "ValidationException",
            "A target tracking policy needs a TargetValue and exactly one metric specification",
        )


def _new_target(key: _Key) -> Body:
    return {
        "ServiceNamespace": key.namespace,
        "ResourceId": key.resource,
        "ScalableDimension": key.dimension,
        "RoleARN": f"arn:aws:iam::{key.account}:role/aws-service-role/"
        f"ecs.application-autoscaling.amazonaws.com/{_ROLE}",
        "CreationTime": time.time(),
        "SuspendedState": dict(_NOT_SUSPENDED),
        "ScalableTargetARN": f"arn:aws:application-autoscaling:{key.region}:{key.account}:"
        f"scalable-target/{uuid.uuid4().hex[:28]}",
    }


def _new_policy(key: _Key, name: str) -> Body:
    scope = f"{key.region}:{key.account}"
    alarms = [
        f"TargetTracking-{key.resource}-{a}-{uuid.uuid4()}" for a in ("AlarmHigh", "AlarmLow")
    ]
    return {
        "PolicyARN": f"arn:aws:autoscaling:{scope}:scalingPolicy:{uuid.uuid4()}:"
        f"resource/ecs/{key.resource}:policyName/{name}",
        "CreationTime": time.time(),
        "Alarms": [
            {"AlarmName": alarm, "AlarmARN": f"arn:aws:cloudwatch:{scope}:alarm:{alarm}"}
            for alarm in alarms
        ],
    }


def _identity(policy: Body) -> Body:
    """What stays when a policy is put again under its name."""
    return {name: policy[name] for name in ("PolicyARN", "CreationTime", "Alarms")}
