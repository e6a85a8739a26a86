"""A network load balancer: TCP to the service's port, or TLS that ends at the load balancer.

It has a security group as an application load balancer has, so that the tasks let in it alone.
https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
"""

from __future__ import annotations

from fsd.compile.desired import Json, JsonValue, Target
from fsd.compile.network_parts import (
    CERTIFICATE,
    LOAD_BALANCER_SECURITY_GROUP,
    SSL_POLICY,
    attributes,
    log_attributes,
    require_zones,
)
from fsd.manifest import names
from fsd.manifest.models import LoadBalancer, Manifest, Service

PREFIX = "Network"
IDLE_TIMEOUT = "tcp.idle_timeout.seconds"  # of a listener


def network_balancer(
    manifest: Manifest, balancer: LoadBalancer, *, target: Target, scheme: str
) -> Json:
    """Load balancer, target group and listener; `scheme` is the beginning of their logical ids."""
    port = manifest.service.main_port
    made, group = f"{scheme}LoadBalancer", f"{scheme}TargetGroup"
    certificate: Json = {
        "SslPolicy": SSL_POLICY,
        "Certificates": [{"CertificateArn": balancer.certificate_arn or {"Ref": CERTIFICATE}}],
    }
    return {
        made: _balancer(manifest, balancer, target=target),
        group: _target_group(manifest.service, target=target),
        f"{scheme}TcpListener": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": {"Ref": made},
                "Protocol": "TLS" if balancer.is_secure else "TCP",
                "Port": port,
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": group}}],
                **(certificate if balancer.is_secure else {}),
                **_idle_timeout(balancer),
            },
        },
    }


def _idle_timeout(balancer: LoadBalancer) -> Json:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html"""
    seconds = balancer.idle_timeout
    if seconds is None:
        return {}
    return {"ListenerAttributes": attributes({IDLE_TIMEOUT: str(seconds)})}


def _balancer(manifest: Manifest, balancer: LoadBalancer, *, target: Target) -> Json:
    require_zones(target)
    subnets: list[JsonValue] = [*sorted(target.load_balancer_subnets)]
    environment = f"{target.environment}{'' if balancer.internal else '-public'}-tcp"
    logs = balancer.access_logs
    return {
        "Type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "Properties": {
            "Name": names.load_balancer(manifest.metadata.name, environment),
            "Type": "network",
            "Scheme": "internal" if balancer.internal else "internet-facing",
            "IpAddressType": "ipv4",
            "Subnets": subnets,
            "SecurityGroups": [{"Fn::GetAtt": [LOAD_BALANCER_SECURITY_GROUP, "GroupId"]}],
            "LoadBalancerAttributes": attributes(
                {
                    **(
                        log_attributes(logs.bucket, logs.prefix) if logs else log_attributes("", "")
                    ),
                    "deletion_protection.enabled": "true" if target.protected else "false",
                    # A few tasks are rarely spread evenly over the zones.
                    "load_balancing.cross_zone.enabled": "true",
                }
            ),
        },
    }


def _target_group(service: Service, *, target: Target) -> Json:
    """Its health check may be HTTP, whatever it forwards.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/network/target-group-health-checks.html
    """
    checks, protocol = service.checks, service.check_protocol.upper()
    by_http: Json = {
        "HealthCheckPath": service.check_path,
        "Matcher": {"HttpCode": service.healthy_codes},
    }
    asked = checks.port
    delay = str(service.deployment.deregistration_delay)
    return {
        "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
        "Properties": {
            "TargetType": "ip",
            "Protocol": "TCP",
            "Port": 80,  # ECS registers each task with the port of its container
            "VpcId": target.vpc_id,
            "HealthCheckEnabled": True,
            "HealthCheckProtocol": protocol,
            "HealthCheckPort": "traffic-port" if asked in {None, service.main_port} else str(asked),
            "HealthCheckIntervalSeconds": checks.interval,
            "HealthCheckTimeoutSeconds": checks.timeout,
            "HealthyThresholdCount": checks.healthy_threshold,
            "UnhealthyThresholdCount": checks.unhealthy_threshold,
            **(by_http if protocol in ("HTTP", "HTTPS") else {}),
            "TargetGroupAttributes": attributes({"deregistration_delay.timeout_seconds": delay}),
        },
    }
