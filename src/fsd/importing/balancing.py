"""The load balancer of a service that runs → `networking.loadBalancer` and `healthCheck`.

A target group that another tool made stays, with the listener and the rules that lead to it. What
FSD made is said as its Service YAML says it, so that the next deployment makes the same.
"""

from __future__ import annotations

from fsd.importing.reader import Loss, literal
from fsd.importing.values import Value, listed, mapping, number, text_of

_TCP = frozenset({"TCP", "TLS", "UDP", "TCP_UDP", "GENEVE"})
_SILENCE = 60  # seconds, of a load balancer that nobody has changed
# https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html
_TCP_SILENCE, _TCP_IDLE = 350, "tcp.idle_timeout.seconds"
_ONE_GROUP = "a service registers in one target group; put both behind one listener first"
_CLASSIC = "a classic load balancer: FSD's services register in target groups"


def read_balancing(answer: dict[str, Value], losses: list[Loss]) -> dict[str, Value]:
    """`answer` is what `fsd.aws.running_service` gives. {} without a load balancer."""
    attached = [
        mapping(each) for each in listed(mapping(answer.get("service")).get("loadBalancers"))
    ]
    if not attached:
        return {}
    for each in attached[1:]:
        value = text_of(each.get("targetGroupArn") or each.get("loadBalancerName"))
        losses.append(Loss(where="service.loadBalancers", value=value, reason=_ONE_GROUP))
    arn = text_of(attached[0].get("targetGroupArn"))
    if not arn:
        value = text_of(attached[0].get("loadBalancerName"))
        losses.append(Loss(where="service.loadBalancers", value=value, reason=_CLASSIC))
        return {}
    groups = [mapping(each) for each in listed(answer.get("targetGroups"))]
    group = next((each for each in groups if text_of(each.get("TargetGroupArn")) == arn), {})
    attributes = _of(answer, "attributes", arn)
    is_of_fsd = "fsd:service" in _of(answer, "tags", arn)
    balancer = _made(answer, arn) if is_of_fsd else _theirs(arn)
    if is_of_fsd and attributes.get("stickiness.enabled") == "true":
        balancer["stickiness"] = number(attributes.get("stickiness.lb_cookie.duration_seconds"))
    delay = number(attributes.get("deregistration_delay.timeout_seconds"))
    return {
        "healthCheck": _health(group) if is_of_fsd or not _is_tcp(group) else {},
        "deployment": {"deregistrationDelay": delay},
        "networking": {"loadBalancer": {"type": _kind(group), **balancer}},
    }


def _kind(group: dict[str, Value]) -> str:
    return "network" if _is_tcp(group) else "application"


def spoken_version(answer: dict[str, Value]) -> str:
    """What the target group speaks to the tasks: `http1`, `http2`, `grpc`, `tcp`; "" where that is
    not said."""
    groups = [mapping(each) for each in listed(answer.get("targetGroups"))]
    if groups and _is_tcp(groups[0]):
        return "tcp"
    return text_of(groups[0].get("ProtocolVersion")).lower() if groups else ""


def _of(answer: dict[str, Value], key: str, arn: str) -> dict[str, Value]:
    return mapping(mapping(answer.get(key)).get(arn))


def _theirs(arn: str) -> dict[str, Value]:
    return {"targetGroupArn": literal(arn)}


def _made(answer: dict[str, Value], group: str) -> dict[str, Value]:
    """What FSD made for the service: all of a load balancer, or a rule of one."""
    rule, balancer = _rule(answer, group), _balancer(answer)
    if not rule:
        return _own(answer)
    tags = _of(answer, "tags", text_of(balancer.get("LoadBalancerArn")))
    shared = text_of(tags.get("fsd:shared"))
    if not shared:
        return rule
    listener = rule.pop("listenerArn")
    certificates = [
        text_of(mapping(certificate).get("CertificateArn"))
        for each in map(mapping, listed(answer.get("listeners")))
        if literal(text_of(each.get("ListenerArn"))) == listener
        for certificate in listed(each.get("Certificates"))
    ]
    own = {**_own(answer), "certificateArn": next(iter(certificates), None)}
    return {"shared": shared, **own, **rule}


def _rule(answer: dict[str, Value], group: str) -> dict[str, Value]:
    """Of somebody's listener; {} where the load balancer is the service's alone."""
    for rule in (mapping(each) for each in listed(answer.get("rules"))):
        if rule.get("IsDefault") is True or group not in str(rule.get("Actions")):
            continue
        return {
            "listenerArn": literal(text_of(rule.get("ListenerArn"))),
            "hosts": _condition(rule, "host-header", "HostHeaderConfig"),
            "paths": _condition(rule, "path-pattern", "PathPatternConfig"),
            "priority": number(rule.get("Priority")),
        }
    return {}


def _condition(rule: dict[str, Value], field: str, config: str) -> list[Value]:
    found: list[Value] = []
    for condition in (mapping(each) for each in listed(rule.get("Conditions"))):
        if text_of(condition.get("Field")) == field:
            values = mapping(condition.get(config)).get("Values") or condition.get("Values")
            found += [literal(text_of(each)) for each in listed(values)]
    return found


def _balancer(answer: dict[str, Value]) -> dict[str, Value]:
    return mapping(next(iter(listed(answer.get("loadBalancers"))), None))


def _own(answer: dict[str, Value]) -> dict[str, Value]:
    balancer = _balancer(answer)
    attributes = _of(answer, "attributes", text_of(balancer.get("LoadBalancerArn")))
    silence = number(attributes.get("idle_timeout.timeout_seconds"))
    kept = [
        number(_of(answer, "attributes", text_of(mapping(each).get("ListenerArn"))).get(_TCP_IDLE))
        for each in listed(answer.get("listeners"))
    ]
    of_tcp = next((each for each in kept if each not in (None, _TCP_SILENCE)), None)
    is_internal = text_of(balancer.get("Scheme")) != "internet-facing"
    certificates = [
        text_of(mapping(certificate).get("CertificateArn"))
        for listener in listed(answer.get("listeners"))
        for certificate in listed(mapping(listener).get("Certificates"))
    ]
    return {
        "type": text_of(balancer.get("Type")) or None,
        "internal": is_internal,
        "certificateArn": next(iter(certificates), None),
        "accessLogs": _access_logs(attributes),
        "idleTimeout": of_tcp or (silence if silence != _SILENCE else None),
        "ingress": _clients(answer, balancer, is_internal=is_internal),
    }


def _access_logs(attributes: dict[str, Value]) -> Value:
    if attributes.get("access_logs.s3.enabled") != "true":
        return None
    prefix = text_of(attributes.get("access_logs.s3.prefix"))
    return {
        "bucket": literal(text_of(attributes.get("access_logs.s3.bucket"))),
        "prefix": literal(prefix) if prefix else None,
    }


def _clients(
    answer: dict[str, Value], balancer: dict[str, Value], *, is_internal: bool
) -> list[Value]:
    """Those that may reach it; [] where they are everybody that FSD lets in by itself."""
    mine = {text_of(each) for each in listed(balancer.get("SecurityGroups"))}
    groups = [mapping(each) for each in listed(answer.get("securityGroups"))]
    cidrs = {
        text_of(mapping(entry).get("CidrIp"))
        for group in groups
        if text_of(group.get("GroupId")) in mine
        for rule in listed(group.get("IpPermissions"))
        for entry in listed(mapping(rule).get("IpRanges"))
    }
    everybody = text_of(answer.get("vpcCidr")) if is_internal else "0.0.0.0/0"
    return [] if cidrs == {everybody} else [*sorted(cidrs)]


def _is_tcp(group: dict[str, Value]) -> bool:
    return text_of(group.get("Protocol")) in _TCP


def _health(group: dict[str, Value]) -> dict[str, Value]:
    """What the target group does: it says how long a rollout takes, and where the path is."""
    if not group:
        return {}
    port = text_of(group.get("HealthCheckPort"))
    codes = mapping(group.get("Matcher"))
    matcher = text_of(codes.get("GrpcCode")) or text_of(codes.get("HttpCode"))
    protocol = text_of(group.get("HealthCheckProtocol")).lower()
    if text_of(group.get("ProtocolVersion")) == "GRPC":
        protocol = "grpc"
    is_said = protocol in ("https", "grpc") or _is_tcp(group)
    return {
        "path": literal(text_of(group.get("HealthCheckPath"))) or None,
        "port": number(port),
        "protocol": protocol if is_said else None,
        "interval": group.get("HealthCheckIntervalSeconds"),
        "timeout": group.get("HealthCheckTimeoutSeconds"),
        "healthyThreshold": group.get("HealthyThresholdCount"),
        "unhealthyThreshold": group.get("UnhealthyThresholdCount"),
        "matcher": matcher if matcher not in ("", "0", "200-299") else None,
    }
