"""Security groups, load balancer, target group and listeners, as CloudFormation resources.

Rules are inline and refer one way only (tasks → load balancer), so that no cycle is possible.
"""

from __future__ import annotations

from hashlib import sha256

from fsd.compile.desired import Json, JsonValue, Target
from fsd.compile.network_balancer import PREFIX, network_balancer
from fsd.compile.network_parts import (
    ANYWHERE,
    CERTIFICATE,
    LOAD_BALANCER_SECURITY_GROUP,
    SSL_POLICY,
    application_balancer,
    attributes,
    idle_timeout,
    log_attributes,
    require_zones,
    rule,
    security_group,
    shared_value,
    to_https,
)
from fsd.compile.traffic_shift import ALTERNATE_GROUP, PRODUCTION_RULE, forward, production_rule
from fsd.manifest import names
from fsd.manifest.models import LoadBalancer, Manifest, Service

TASK_SECURITY_GROUP = "TaskSecurityGroup"
LOAD_BALANCER = "LoadBalancer"
TARGET_GROUP = "TargetGroup"
HTTP_LISTENER = "HttpListener"
HTTPS_LISTENER = "HttpsListener"
LISTENER_RULE = "ListenerRule"

# Any will do: ECS registers each task with the port of its container. The port of a target group
# can't change, so a port of the manifest here would make a new group, empty until the rollout.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
_TARGET_GROUP_PORT = 80

_BAND = 3000  # priorities for each way in which a rule can be special

# What a target group is told beyond HTTP/1.1.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-group-protocol-version
_VERSIONS = {"http2": "HTTP2", "grpc": "GRPC"}


def find_load_balancer(service: Service) -> LoadBalancer | None:
    """None for a worker: without a port there is nothing to balance, whatever the manifest says."""
    return service.networking.load_balancer if service.main_port is not None else None


def logical_id(name: str, service: Service) -> str:
    """Of a load balancer, or of what belongs to it. The scheme can't change, and a target group
    belongs to one load balancer (TargetGroupAssociationLimit), so the two schemes have nothing in
    common and may stand side by side during a rollout. So do the versions of HTTP: what a target
    group speaks can't change, and tasks of either version understand only theirs.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html
    """
    balancer = service.networking.load_balancer
    version = {"http2": "Http2", "grpc": "Grpc"}.get(service.main_protocol, "")
    if balancer is not None and (balancer.shared is not None or _is_yours(balancer)):
        return f"Shared{version}{name}"
    is_internal = balancer is None or balancer.internal
    if balancer is not None and balancer.is_network:
        version = PREFIX
    return f"{version}{name}" if is_internal else f"Public{version}{name}"


def _is_yours(balancer: LoadBalancer) -> bool:
    """Whether the load balancer is there already, and whose it is is not known."""
    return balancer.listener_arn is not None or balancer.target_group_arn is not None


def _listened(service: Service, balancer: LoadBalancer) -> tuple[int, ...]:
    """The ports of its listeners."""
    if balancer.is_network and service.main_port is not None:
        return (service.main_port,)
    return (80, 443) if balancer.is_secure else (80,)


def has_task_group(service: Service) -> bool:
    """Whether FSD makes one for the tasks."""
    groups = service.networking.own_groups
    return groups is None or not groups.only


def security_groups(manifest: Manifest, *, target: Target) -> Json:
    """Unnamed, because a change of VPC or description replaces them."""
    service = manifest.service
    name = names.service_name(manifest.metadata.name, target.environment)
    balancer = find_load_balancer(service)
    groups: Json = {}
    if has_task_group(service):
        groups[TASK_SECURITY_GROUP] = security_group(
            f"Tasks of {name}",
            ingress=_task_ingress(service, target),
            egress=[rule("-1", ANYWHERE, "anywhere")],
            target=target,
        )
    is_own = balancer is not None and balancer.shared is None and not _is_yours(balancer)
    if balancer is not None and service.main_port is not None and is_own:
        everybody = target.vpc_cidr if balancer.internal else ANYWHERE
        clients = sorted(set(balancer.ingress)) or [everybody]
        ports = _listened(service, balancer)
        groups[LOAD_BALANCER_SECURITY_GROUP] = security_group(
            f"Load balancer of {name}",
            ingress=[rule("tcp", cidr, "clients", port=port) for port in ports for cidr in clients],
            egress=[
                rule("tcp", target.vpc_cidr, description, port=port)
                for port, description in _balanced_ports(service, service.main_port)
            ],
            target=target,
        )
    return groups


def load_balancer(manifest: Manifest, *, target: Target) -> Json:
    """Load balancer, target group and listeners; {} without a load balancer.

    Raises ManifestError where the environment has too few subnets.
    """
    service = manifest.service
    balancer = find_load_balancer(service)
    if balancer is None or balancer.target_group_arn is not None:
        return {}
    target_group = logical_id(TARGET_GROUP, service)
    if balancer.is_network:
        scheme = target_group.removesuffix(TARGET_GROUP)
        return network_balancer(manifest, balancer, target=target, scheme=scheme)
    if balancer.has_rule:
        return {
            **_target_groups(service, target=target),
            LISTENER_RULE: _listener_rule(manifest, balancer, target=target),
        }
    http, https = logical_id(HTTP_LISTENER, service), logical_id(HTTPS_LISTENER, service)
    to_tasks: Json = {"Type": "forward", "TargetGroupArn": {"Ref": target_group}}
    resources: Json = {
        logical_id(LOAD_BALANCER, service): _balancer(manifest, balancer, target=target),
        **_target_groups(service, target=target),
    }
    if service.deployment.shifts_traffic:
        listener = https if balancer.is_secure else http
        resources[rule_id(service)] = production_rule(listener, _forward(service))
    if not balancer.is_secure:
        resources[http] = _listener(service, "HTTP", 80, to_tasks)
        return resources
    resources[http] = _listener(service, "HTTP", 80, to_https())
    resources[https] = _listener(
        service,
        "HTTPS",
        443,
        to_tasks,
        SslPolicy=SSL_POLICY,
        Certificates=[{"CertificateArn": balancer.certificate_arn or {"Ref": CERTIFICATE}}],
    )
    return resources


def _listener_rule(manifest: Manifest, balancer: LoadBalancer, *, target: Target) -> Json:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticloadbalancingv2-listenerrule.html"""
    name = names.service_name(manifest.metadata.name, target.environment)
    conditions: list[JsonValue] = []
    for field, config, values in (
        ("host-header", "HostHeaderConfig", balancer.hosts),
        ("path-pattern", "PathPatternConfig", balancer.paths),
    ):
        if values:
            conditions.append({"Field": field, config: {"Values": [*sorted(set(values))]}})
    return {
        "Type": "AWS::ElasticLoadBalancingV2::ListenerRule",
        "Properties": {
            "ListenerArn": balancer.listener_arn or _shared_listener(balancer, target),
            "Priority": balancer.priority or _priority(name, balancer),
            "Conditions": conditions,
            "Actions": [_forward(manifest.service)],
        },
    }


def rule_id(service: Service) -> str:
    """Logical name of the rule that divides the requests of a service whose traffic shifts."""
    balancer = find_load_balancer(service)
    has_rule = balancer is not None and balancer.has_rule
    return LISTENER_RULE if has_rule else logical_id(PRODUCTION_RULE, service)


def _forward(service: Service) -> Json:
    group = logical_id(TARGET_GROUP, service)
    if service.deployment.shifts_traffic:
        return forward(group, logical_id(ALTERNATE_GROUP, service))
    return {"Type": "forward", "TargetGroupArn": {"Ref": group}}


def _target_groups(service: Service, *, target: Target) -> Json:
    """Two of a kind where traffic shifts from the one to the other."""
    logical = (TARGET_GROUP, *([ALTERNATE_GROUP] if service.deployment.shifts_traffic else []))
    return {logical_id(name, service): _target_group(service, target=target) for name in logical}


def _shared_listener(balancer: LoadBalancer, target: Target) -> Json:
    listener = HTTPS_LISTENER if balancer.certificate_arn else HTTP_LISTENER
    return shared_value(balancer, target, listener)


def _priority(name: str, balancer: LoadBalancer) -> int:
    """The same for a service as long as its rule is. Another rule may have it: then AWS says so,
    and one is named. The low ones are left for rules that people write.

    ELB takes the first rule that matches, by number, so the more a rule asks the lower it is: a
    host and a path, a host, a path, a pattern of hosts; and of those with paths the deeper first.
    https://github.com/aws/copilot-cli/issues/4380
    """
    band = 4 * _rank(balancer) + 3 - min(3, min(map(_depth, balancer.paths), default=0))
    return 1000 + _BAND * band + int(sha256(name.encode()).hexdigest(), 16) % _BAND


def _rank(balancer: LoadBalancer) -> int:
    is_pattern = any("*" in host or "?" in host for host in balancer.hosts)
    takes_all = bool({"*", "/*"} & set(balancer.paths))
    if not balancer.hosts or is_pattern:
        return 2 if balancer.paths and not takes_all else 3
    return 0 if balancer.paths and not takes_all else 1


def _depth(path: str) -> int:
    """How many folders it names before the first pattern."""
    literal = path.partition("*")[0].partition("?")[0]
    return len([part for part in literal.split("/") if part])


def _task_ingress(service: Service, target: Target) -> list[JsonValue]:
    rules: list[JsonValue] = []
    balancer = find_load_balancer(service)
    if service.main_port is not None and balancer is not None and _is_yours(balancer):
        # Whose load balancer it is is not known, but that it is in the VPC.
        rules += [
            rule("tcp", target.vpc_cidr, f"{description} from the load balancer", port=port)
            for port, description in _balanced_ports(service, service.main_port)
        ]
    elif service.main_port is not None and balancer is not None:
        group: JsonValue = {"Fn::GetAtt": [LOAD_BALANCER_SECURITY_GROUP, "GroupId"]}
        if balancer.shared is not None:
            group = shared_value(balancer, target, "SecurityGroupId")
        rules += [
            {
                "IpProtocol": "tcp",
                "FromPort": port,
                "ToPort": port,
                "SourceSecurityGroupId": group,
                "Description": f"{description} from the load balancer".removeprefix("tasks "),
            }
            for port, description in _balanced_ports(service, service.main_port)
        ]
    offered = service.offered_port
    if offered is not None:
        rules.append(rule("tcp", target.vpc_cidr, "Service Connect", port=offered))
    metrics = service.observability.metrics
    if metrics is not None and metrics.enabled and metrics.port != offered:
        rules.append(rule("tcp", target.vpc_cidr, "metrics", port=metrics.port))
    return rules


def _balanced_ports(service: Service, port: int) -> list[tuple[int, str]]:
    """What the load balancer reaches: the service, and where it asks for its health."""
    asked = service.checks.port
    return [(port, "tasks"), *([(asked, "health check")] if asked not in {None, port} else [])]


def _balancer(manifest: Manifest, balancer: LoadBalancer, *, target: Target) -> Json:
    require_zones(target)
    return application_balancer(
        _balancer_name(manifest, balancer, target),
        {**idle_timeout(balancer.idle_timeout), **_access_logs(balancer)},
        is_internal=balancer.internal,
        target=target,
    )


def _access_logs(balancer: LoadBalancer) -> dict[str, str]:
    logs = balancer.access_logs
    return log_attributes(logs.bucket, logs.prefix) if logs else log_attributes("", "")


def _stickiness(service: Service) -> dict[str, str]:
    balancer = find_load_balancer(service)
    if balancer is None or balancer.stickiness is None:
        return {}
    return {
        "stickiness.enabled": "true",
        "stickiness.type": "lb_cookie",
        "stickiness.lb_cookie.duration_seconds": str(balancer.stickiness),
    }


def _balancer_name(manifest: Manifest, balancer: LoadBalancer, target: Target) -> str:
    """A change of scheme, or of HTTP's version, makes another load balancer beside the first, and
    the new one needs another name.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-elasticloadbalancingv2-loadbalancer.html
    """
    environment = target.environment if balancer.internal else f"{target.environment}-public"
    spoken = manifest.service.main_protocol
    if spoken in _VERSIONS:
        environment += f"-{spoken}"
    return names.load_balancer(manifest.metadata.name, environment)


def _target_group(service: Service, *, target: Target) -> Json:
    """Unnamed, because a change of the VPC replaces it.

    Every value is sent: ELB's own defaults differ between its API and its console.
    """
    checks = service.checks
    delay = str(service.deployment.deregistration_delay)
    version = _VERSIONS.get(service.main_protocol)
    codes = "GrpcCode" if service.check_protocol == "grpc" else "HttpCode"
    return {
        "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
        "Properties": {
            "TargetType": "ip",
            "Protocol": "HTTP",
            **({"ProtocolVersion": version} if version else {}),
            "Port": _TARGET_GROUP_PORT,
            "VpcId": target.vpc_id,
            "HealthCheckEnabled": True,
            "HealthCheckProtocol": "HTTPS" if service.check_protocol == "https" else "HTTP",
            "HealthCheckPort": _check_port(service),
            "HealthCheckPath": service.check_path,
            "HealthCheckIntervalSeconds": checks.interval,
            "HealthCheckTimeoutSeconds": checks.timeout,
            "HealthyThresholdCount": checks.healthy_threshold,
            "UnhealthyThresholdCount": checks.unhealthy_threshold,
            "Matcher": {codes: service.healthy_codes},
            "TargetGroupAttributes": attributes(
                {"deregistration_delay.timeout_seconds": delay, **_stickiness(service)}
            ),
        },
    }


def _check_port(service: Service) -> str:
    """Each task's own, where it is the service's: then old tasks keep theirs when that changes."""
    asked = service.checks.port
    return "traffic-port" if asked in {None, service.main_port} else str(asked)


def _listener(service: Service, protocol: str, port: int, action: Json, **more: JsonValue) -> Json:
    properties: Json = {
        "LoadBalancerArn": {"Ref": logical_id(LOAD_BALANCER, service)},
        "Protocol": protocol,
        "Port": port,
        "DefaultActions": [action],
        **more,
    }
    return {"Type": "AWS::ElasticLoadBalancingV2::Listener", "Properties": properties}
