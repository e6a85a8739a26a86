"""Application Auto Scaling of a service → `autoScaling`, and the bounds.

https://docs.aws.amazon.com/autoscaling/application/APIReference/API_TargetTrackingScalingPolicyConfiguration.html
"""

from __future__ import annotations

from fsd.importing.reader import Loss, Reader, literal
from fsd.importing.values import Value, listed, mapping, text_of

_PREDEFINED = {
    "ECSServiceAverageCPUUtilization": "targetCPUUtilization",
    "ECSServiceAverageMemoryUtilization": "targetMemoryUtilization",
    "ALBRequestCountPerTarget": "targetRequestsPerTask",
}
_COOLDOWNS = (("scaleInCooldown", "ScaleInCooldown"), ("scaleOutCooldown", "ScaleOutCooldown"))
_STEPS = "FSD scales to a target; write the metric as `autoScaling.metric`"
_MATH = "FSD scales by a metric of CloudWatch, or by a queue's depth; not by an expression"


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
    for index, each in enumerate(listed(answer.get("schedules"))):
        action = mapping(each)
        value = f"{text_of(action.get('ScheduledActionName'))} {text_of(action.get('Schedule'))}"
        reason = "write it as one of `autoScaling.schedules`"
        losses.append(Loss(where=f"schedules[{index}]", value=value, reason=reason))
    bounds: dict[str, Value] = {
        "minCapacity": targets[0].get("MinCapacity"),
        "maxCapacity": targets[0].get("MaxCapacity"),
    }
    return {"autoScaling": found, "resources": bounds}


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
