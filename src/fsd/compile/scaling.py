"""The limits and targets of a service that Application Auto Scaling scales."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from fsd.compile.desired import OUTPUT_REQUEST_LABEL, Json, Scaling, ScheduledBounds, Tracked
from fsd.manifest.container import QueueDepth, TrackedMetric
from fsd.manifest.models import AutoScaling, Service

REQUESTS = "requests"
# One sample a minute and task, so their number is that of the tasks; it needs no Container
# Insights. Without a task there is none, and the queue counts as one task's.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cloudwatch-metrics.html
PER_TASK = "messages / FILL(tasks, 1)"


def compile_scaling(service: Service, *, cluster: str, name: str) -> Scaling | None:
    """`name` is the ECS service's.

    None without `autoScaling`: min and max capacity alone scale nothing.
    """
    scaling, resources = service.auto_scaling, service.resources
    if scaling is None:
        return None
    return Scaling(
        minimum=resources.minimum,
        maximum=resources.maximum,
        cpu=scaling.target_cpu_utilization,
        memory=scaling.target_memory_utilization,
        scale_in_cooldown=scaling.scale_in_cooldown,
        scale_out_cooldown=scaling.scale_out_cooldown,
        tracked=tuple(_tracked(scaling, cluster=cluster, service=name)),
        schedules=tuple(
            ScheduledBounds(
                name=one.name,
                expression=one.expression,
                time_zone=one.timezone or "UTC",
                minimum=one.min_capacity,
                maximum=one.max_capacity,
            )
            for one in sorted(scaling.schedules, key=lambda one: one.name)
        ),
    )


def with_label(scaling: Scaling, outputs: Mapping[str, str]) -> Scaling:
    """With the load balancer and the target group of the stack, whose requests are counted."""
    label = outputs.get(OUTPUT_REQUEST_LABEL)
    if label is None:
        return scaling
    return replace(
        scaling,
        tracked=tuple(
            replace(one, specification=requests_of(label)) if one.name == REQUESTS else one
            for one in scaling.tracked
        ),
    )


def requests_of(label: str) -> Json:
    """https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PredefinedMetricSpecification.html"""
    return {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label}


def with_scheduled_bounds(wanted: Scaling, now: tuple[int, int]) -> Scaling:
    """A deployment leaves the bounds alone that a schedule has set: `now` is (minimum, maximum)."""
    lower = {wanted.minimum, *(one.minimum for one in wanted.schedules)}
    upper = {wanted.maximum, *(one.maximum for one in wanted.schedules)}
    if not wanted.schedules or now[0] not in lower or now[1] not in upper:
        return wanted
    return replace(wanted, minimum=now[0], maximum=now[1])


def _tracked(scaling: AutoScaling, *, cluster: str, service: str) -> Iterator[Tracked]:
    depth, metric = scaling.target_queue_depth, scaling.metric
    if scaling.target_requests_per_task is not None:
        target = float(scaling.target_requests_per_task)
        yield Tracked(name=REQUESTS, target=target, specification=requests_of(""))
    if depth is not None:
        target = float(depth.messages_per_task)
        specification = _queue_per_task(depth, cluster=cluster, service=service)
        yield Tracked(name="queue", target=target, specification=specification)
    if metric is not None:
        target = float(metric.target)
        yield Tracked(name="metric", target=target, specification=_own_metric(metric))


def _queue_per_task(depth: QueueDepth, *, cluster: str, service: str) -> Json:
    """https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html"""
    queue, tasks = {"QueueName": depth.queue}, {"ClusterName": cluster, "ServiceName": service}
    visible = "ApproximateNumberOfMessagesVisible"
    return {
        "Metrics": [
            {
                "Id": "messages",
                "ReturnData": False,
                "MetricStat": _stat("AWS/SQS", visible, queue, "Sum"),
            },
            {
                "Id": "tasks",
                "ReturnData": False,
                "MetricStat": _stat("AWS/ECS", "CPUUtilization", tasks, "SampleCount"),
            },
            {"Id": "per_task", "Expression": PER_TASK, "ReturnData": True},
        ]
    }


def _stat(namespace: str, name: str, dimensions: dict[str, str], statistic: str) -> Json:
    return {
        "Metric": {
            "Namespace": namespace,
            "MetricName": name,
            "Dimensions": [{"Name": key, "Value": dimensions[key]} for key in sorted(dimensions)],
        },
        "Stat": statistic,
    }


def _own_metric(metric: TrackedMetric) -> Json:
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [
            {"Name": key, "Value": value} for key, value in sorted(metric.dimensions.items())
        ],
        "Statistic": metric.statistic,
    }
