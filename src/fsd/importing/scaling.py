"""Application Auto Scaling of a service → `autoScaling`, and the bounds.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html
"""

from __future__ import annotations

import re

from fsd.importing.reader import Loss, Reader, literal, without_empty
from fsd.importing.values import Value, listed, mapping, text_of

_PREDEFINED = {
    "ECSServiceAverageCPUUtilization": "targetCPUUtilization",
    "ECSServiceAverageMemoryUtilization": "targetMemoryUtilization",
    "ALBRequestCountPerTarget": "targetRequestsPerTask",
}
_COOLDOWNS = (("scaleInCooldown", "ScaleInCooldown"), ("scaleOutCooldown", "ScaleOutCooldown"))
_STEPS = "FSD scales to a target; write the metric as `autoScaling.metric`"
_MATH = "FSD scales by a metric of CloudWatch, or by a queue's depth; not by an expression"
_CRON = re.compile(r"cron\(([^()]+)\)")
_NO_CRON = "a schedule of `autoScaling` is a cron expression"
_LONGEST_NAME = 64


def read_scaling(answer: dict[str, Value], losses: list[Loss]) -> dict[str, Value]:
    targets = [mapping(each) for each in listed(answer.get("targets"))]
    if not targets:
        return {}
    found: dict[str, Value] = {}
    for index, each in enumerate(listed(answer.get("policies"))):
        policy = Reader(mapping(each), f"policies[{index}]", losses)
        tracking = mapping(policy.values.get("TargetTrackingScalingPolicyConfiguration"))
        more = _tracked(tracking)
        if more is None:
            policy.lose("PolicyName", _MATH if tracking else _STEPS)
            continue
        if more.keys() & found.keys():
            policy.lose("PolicyName", f"`autoScaling` has one {next(iter(more))}")
            continue
        if tracking.get("DisableScaleIn") is True:
            where = f"policies[{index}].DisableScaleIn"
            losses.append(Loss(where=where, value="true", reason="FSD also scales in"))
        found |= more
        for name, key in _COOLDOWNS:
            if tracking.get(key) is not None:
                found[name] = tracking[key]
    if schedules := _schedules(answer, losses):
        found["schedules"] = schedules
    bounds: dict[str, Value] = {
        "minCapacity": targets[0].get("MinCapacity"),
        "maxCapacity": targets[0].get("MaxCapacity"),
    }
    return {"autoScaling": found, "resources": bounds}


def _schedules(answer: dict[str, Value], losses: list[Loss]) -> list[Value]:
    own = f"{text_of(mapping(answer.get('service')).get('serviceName'))}-at-"
    found: list[Value] = []
    for index, each in enumerate(listed(answer.get("schedules"))):
        action = Reader(mapping(each), f"schedules[{index}]", losses)
        written, expression = action.text("ScheduledActionName"), action.text("Schedule")
        cron = _CRON.fullmatch(expression)
        if cron is None or "EndTime" in action.values:
            reason = "a schedule of `autoScaling` has no end" if cron else _NO_CRON
            losses.append(Loss(where=action.at, value=f"{written} {expression}", reason=reason))
            continue
        name = _schedule_name(written.removeprefix(own))
        if written != own + name:
            reason = f"FSD makes {own}{name} of it, and leaves this one: delete it then"
            action.lose("ScheduledActionName", reason)
        action.lose("StartTime", "it holds from the next deployment on")
        bounds = mapping(action.take("ScalableTargetAction"))
        schedule: dict[str, Value] = {
            "name": name,
            "cron": literal(cron[1].strip()),
            "timezone": action.text("Timezone"),
            "minCapacity": bounds.get("MinCapacity"),
            "maxCapacity": bounds.get("MaxCapacity"),
        }
        found.append(without_empty(schedule))
    return found


def _schedule_name(text: str) -> str:
    """As it is where FSD gave it."""
    return re.sub(r"[^a-z0-9-]+", "-", text.lower())[:_LONGEST_NAME].strip("-")


def _tracked(tracking: dict[str, Value]) -> dict[str, Value] | None:
    """None for what `autoScaling` cannot say."""
    target = _whole(tracking.get("TargetValue"))
    predefined = mapping(tracking.get("PredefinedMetricSpecification"))
    key = _PREDEFINED.get(text_of(predefined.get("PredefinedMetricType")))
    if key is not None:
        return {key: target}
    own = mapping(tracking.get("CustomizedMetricSpecification"))
    if not own:
        return None
    if own.get("Metrics"):
        queue = _queue(listed(own.get("Metrics")))
        return {"targetQueueDepth": {"queue": queue, "messagesPerTask": target}} if queue else None
    metric: dict[str, Value] = {
        "namespace": literal(text_of(own.get("Namespace"))),
        "name": literal(text_of(own.get("MetricName"))),
        "dimensions": _dimensions(own),
        "statistic": text_of(own.get("Statistic")) or None,
        "target": target,
    }
    return {"metric": metric}


def _whole(value: Value) -> Value:
    return round(value) if isinstance(value, float | int) else None


def _dimensions(metric: dict[str, Value]) -> dict[str, Value]:
    return {
        text_of(mapping(each).get("Name")): literal(text_of(mapping(each).get("Value")))
        for each in listed(metric.get("Dimensions"))
    }


def _queue(metrics: list[Value]) -> str:
    """The queue whose visible messages are divided by the tasks; "" for any other expression."""
    expressions = [text_of(mapping(each).get("Expression")) for each in metrics]
    written = "".join(next(filter(None, expressions), "").split())
    for each in metrics:
        metric = mapping(mapping(mapping(each).get("MetricStat")).get("Metric"))
        if text_of(metric.get("MetricName")) == "ApproximateNumberOfMessagesVisible":
            is_per_task = written.startswith(f"{text_of(mapping(each).get('Id'))}/")
            return text_of(_dimensions(metric).get("QueueName")) if is_per_task else ""
    return ""
