"""A service that runs → a Service YAML: definition, service, load balancer, scaling, roles."""

from __future__ import annotations

from dataclasses import replace

from fsd.importing.reader import Imported, Loss, Reader, without_empty
from fsd.importing.task_definition import merged, read_task_definition
from fsd.importing.values import Value, listed, mapping, text_of

_OWN = (
    "FSD makes a load balancer and a target group of its own: move the traffic to its address, or "
    "take yours by `loadBalancer.listenerArn`"
)
_PREDEFINED = {
    "ECSServiceAverageCPUUtilization": "targetCPUUtilization",
    "ECSServiceAverageMemoryUtilization": "targetMemoryUtilization",
    "ALBRequestCountPerTarget": "targetRequestsPerTask",
}


def read_running(answer: dict[str, Value], *, source: str, pack: str) -> Imported:
    """`answer` is what `fsd.aws.running` gives."""
    imported = read_task_definition(
        mapping(answer.get("taskDefinition")),
        source=source,
        pack=pack,
        service=mapping(answer.get("service")),
    )
    losses: list[Loss] = [each for each in imported.losses if "targetGroupArn" not in each.where]
    more = merged(_balancing(answer, losses), _scaling(answer, losses))
    for unknown in listed(answer.get("unknown")):
        losses.append(Loss(where="", value="", reason=f"could not be read: {text_of(unknown)}"))
    service = without_empty(merged(mapping(imported.tree.get("service")), more))
    groups = [mapping(each) for each in listed(answer.get("targetGroups"))]
    service = _spoken(service, groups[0]) if groups else service
    tree: dict[str, Value] = {**imported.tree, "service": service}
    return replace(imported, tree=tree, losses=tuple(losses))


def _balancing(answer: dict[str, Value], losses: list[Loss]) -> dict[str, Value]:
    groups = [mapping(each) for each in listed(answer.get("targetGroups"))]
    if not groups:
        return {}
    balancers = [mapping(each) for each in listed(answer.get("loadBalancers"))]
    for each in groups:
        arn = text_of(each.get("TargetGroupArn"))
        losses.append(Loss(where="service.loadBalancers", value=arn, reason=_OWN))
    if text_of(groups[0].get("Protocol")) in ("TCP", "TLS", "UDP", "TCP_UDP"):
        reason = "a network load balancer is `type: network`"
        losses.append(Loss(where="service.loadBalancers", value="Protocol TCP", reason=reason))
    certificates = [
        text_of(mapping(certificate).get("CertificateArn"))
        for listener in listed(answer.get("listeners"))
        for certificate in listed(mapping(listener).get("Certificates"))
    ]
    is_internal = any(text_of(each.get("Scheme")) == "internal" for each in balancers)
    hosts, paths = _conditions(answer, text_of(groups[0].get("TargetGroupArn")))
    return {
        "healthCheck": _health(groups[0]),
        "networking": {
            "loadBalancer": {
                "type": "application",
                "internal": is_internal or not balancers,
                "certificateArn": next(iter(certificates), None),
                "hosts": hosts,
                "paths": [path for path in paths if path not in ("/", "/*", "*")],
            }
        },
    }


def _spoken(service: dict[str, Value], group: dict[str, Value]) -> dict[str, Value]:
    """With `ports`, where the target group speaks HTTP/2 or gRPC to the first port.

    What a task definition says of a port is for Service Connect; a load balancer never reads it.
    """
    version = text_of(group.get("ProtocolVersion")).lower()
    if version not in ("http2", "grpc"):
        return service
    ports = listed(service.get("ports")) or [{"port": service.get("port")}]
    first = {**mapping(ports[0]), "protocol": version}
    return {**without_empty({**service, "port": None}), "ports": [first, *ports[1:]]}


def _conditions(answer: dict[str, Value], group: str) -> tuple[list[Value], list[Value]]:
    """Of the rules that forward to this target group."""
    hosts: list[Value] = []
    paths: list[Value] = []
    for rule in (mapping(each) for each in listed(answer.get("rules"))):
        if group not in str(rule.get("Actions")):
            continue
        for condition in (mapping(each) for each in listed(rule.get("Conditions"))):
            values = listed(condition.get("Values"))
            if text_of(condition.get("Field")) == "host-header":
                hosts += [each for each in values if each not in hosts]
            elif text_of(condition.get("Field")) == "path-pattern":
                paths += [each for each in values if each not in paths]
    return hosts, paths


def _health(group: dict[str, Value]) -> dict[str, Value]:
    port = text_of(group.get("HealthCheckPort"))
    codes = mapping(group.get("Matcher"))
    matcher = text_of(codes.get("GrpcCode")) or text_of(codes.get("HttpCode"))
    protocol = text_of(group.get("HealthCheckProtocol")).lower()
    if text_of(group.get("ProtocolVersion")) == "GRPC":
        protocol = "grpc"
    return {
        "path": text_of(group.get("HealthCheckPath")) or None,
        "port": int(port) if port.isdigit() else None,
        "protocol": protocol if protocol in ("https", "grpc") else None,
        "interval": group.get("HealthCheckIntervalSeconds"),
        "timeout": group.get("HealthCheckTimeoutSeconds"),
        "healthyThreshold": group.get("HealthyThresholdCount"),
        "unhealthyThreshold": group.get("UnhealthyThresholdCount"),
        "matcher": matcher if matcher not in ("", "0", "200", "200-299") else None,
    }


def _scaling(answer: dict[str, Value], losses: list[Loss]) -> dict[str, Value]:
    targets = [mapping(each) for each in listed(answer.get("targets"))]
    if not targets:
        return {}
    found: dict[str, Value] = {}
    for index, each in enumerate(listed(answer.get("policies"))):
        policy = Reader(mapping(each), f"policies[{index}]", losses)
        tracking = mapping(policy.values.get("TargetTrackingScalingPolicyConfiguration"))
        metric = mapping(tracking.get("PredefinedMetricSpecification"))
        key = _PREDEFINED.get(text_of(metric.get("PredefinedMetricType")))
        if key is None:
            policy.lose("PolicyName", "FSD scales by a target for CPU, memory or requests")
            continue
        value = tracking.get("TargetValue")
        found[key] = round(value) if isinstance(value, float | int) else None
        for name, cooldown in (("scaleInCooldown", "ScaleIn"), ("scaleOutCooldown", "ScaleOut")):
            if tracking.get(f"{cooldown}Cooldown") is not None:
                found[name] = tracking[f"{cooldown}Cooldown"]
    for index, each in enumerate(listed(answer.get("schedules"))):
        action = mapping(each)
        value = f"{text_of(action.get('ScheduledActionName'))} {text_of(action.get('Schedule'))}"
        reason = "write it as one of `autoScaling.schedules`"
        losses.append(Loss(where=f"schedules[{index}]", value=value, reason=reason))
    return {
        "autoScaling": found,
        "resources": {
            "minCapacity": targets[0].get("MinCapacity"),
            "maxCapacity": targets[0].get("MaxCapacity"),
        },
    }
