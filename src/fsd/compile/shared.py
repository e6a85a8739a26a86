"""A load balancer of several services of an environment: a stack of its own.

The first deployment that names it makes it. Services' stacks import what it exports, so
CloudFormation itself refuses to delete it, or to change what is imported, while one is left.
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html

Only settings that a manifest says are set; the others stay as another service's manifest set them.
"""

from __future__ import annotations

from dataclasses import replace

from fsd.compile.desired import Json, JsonValue, SharedBalancer, SharedSettings, Target
from fsd.compile.network import (
    HTTP_LISTENER,
    HTTPS_LISTENER,
    LOAD_BALANCER,
    find_load_balancer,
)
from fsd.compile.network_parts import (
    ANYWHERE,
    LOAD_BALANCER_SECURITY_GROUP,
    SSL_POLICY,
    application_balancer,
    idle_timeout,
    log_attributes,
    require_zones,
    rule,
    security_group,
    shared_stack,
    to_https,
)
from fsd.manifest import names
from fsd.manifest.models import Manifest

_SETTINGS = "fsd:settings"  # of the template's metadata: what services have said


def compile_shared(manifest: Manifest, *, target: Target) -> SharedBalancer | None:
    """None for a service with a load balancer of its own, or without one.

    Raises ManifestError where the environment has too few subnets.
    """
    balancer = find_load_balancer(manifest.service)
    if balancer is None or balancer.shared is None:
        return None
    require_zones(target)
    return SharedBalancer(
        stack_name=shared_stack(balancer, target.environment),
        name=balancer.shared,
        is_internal=balancer.internal,
        settings=SharedSettings(
            certificate=balancer.certificate_arn,
            ingress=tuple(sorted(set(balancer.ingress))) or None,
            idle_timeout=balancer.idle_timeout,
            log_bucket=balancer.access_logs.bucket if balancer.access_logs else None,
            log_prefix=balancer.access_logs.prefix if balancer.access_logs else "",
        ),
        target=target,
    )


def merged_template(shared: SharedBalancer, before: Json) -> Json:
    """With what others have said, where this service says nothing; `before` is the stack's."""
    return shared_template(_with_kept_settings(shared, before))


def _with_kept_settings(shared: SharedBalancer, template: Json) -> SharedBalancer:
    metadata = template.get("Metadata")
    kept = metadata.get(_SETTINGS) if isinstance(metadata, dict) else None
    if not isinstance(kept, dict):
        return shared
    certificate, ingress, idle = (kept.get(key) for key in ("certificate", "ingress", "idle"))
    said = shared.settings
    cidrs = tuple(map(str, ingress)) if isinstance(ingress, list) else None
    settings = SharedSettings(
        certificate=said.certificate or (str(certificate) if certificate else None),
        ingress=said.ingress or cidrs,
        idle_timeout=said.idle_timeout or (int(str(idle)) if idle else None),
        log_bucket=said.log_bucket or (str(kept["bucket"]) if "bucket" in kept else None),
        log_prefix=said.log_prefix if said.log_bucket else str(kept.get("prefix", "")),
    )
    return replace(shared, settings=settings)


def shared_template(shared: SharedBalancer) -> Json:
    settings, target = shared.settings, shared.target
    ingress: list[JsonValue] = [*(settings.ingress or ())]
    kept: Json = {
        "certificate": settings.certificate,
        "ingress": ingress or None,
        "idle": settings.idle_timeout,
        "bucket": settings.log_bucket,
        "prefix": settings.log_prefix or None,
    }
    said: Json = {key: value for key, value in kept.items() if value is not None}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"load balancer {shared.name} of {target.environment}, made by fsd",
        "Metadata": {_SETTINGS: said},
        "Resources": {
            LOAD_BALANCER_SECURITY_GROUP: _group(shared),
            LOAD_BALANCER: _balancer(shared),
            **_listeners(settings),
        },
        "Outputs": _outputs(shared),
    }


def _group(shared: SharedBalancer) -> Json:
    """Which ports its services have changes with them: so all of the VPC's."""
    settings, target = shared.settings, shared.target
    everybody = target.vpc_cidr if shared.is_internal else ANYWHERE
    ports = (80, 443) if settings.certificate else (80,)
    return security_group(
        f"Load balancer {shared.name} of {target.environment}",
        ingress=[
            rule("tcp", cidr, "clients", port=port)
            for port in ports
            for cidr in settings.ingress or (everybody,)
        ],
        egress=[
            {**rule("tcp", target.vpc_cidr, "tasks"), "FromPort": 1, "ToPort": 65535},
        ],
        target=target,
    )


def _balancer(shared: SharedBalancer) -> Json:
    settings, target = shared.settings, shared.target
    return application_balancer(
        names.shared_load_balancer(shared.name, target.environment, is_internal=shared.is_internal),
        {
            **idle_timeout(settings.idle_timeout),
            **log_attributes(settings.log_bucket or "", settings.log_prefix),
        },
        is_internal=shared.is_internal,
        target=target,
    )


def _listeners(settings: SharedSettings) -> Json:
    """What no service's rule takes is nobody's; without TLS it is sent to HTTPS, if there is one.

    A service without a certificate in its manifest keeps its rule on port 80.
    """
    nobody: Json = {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"},
    }
    if settings.certificate is None:
        return {HTTP_LISTENER: _listener("HTTP", 80, nobody)}
    secure: Json = {
        "SslPolicy": SSL_POLICY,
        "Certificates": [{"CertificateArn": settings.certificate}],
    }
    return {
        HTTP_LISTENER: _listener("HTTP", 80, to_https()),
        HTTPS_LISTENER: _listener("HTTPS", 443, nobody, secure),
    }


def _listener(protocol: str, port: int, action: Json, more: Json | None = None) -> Json:
    return {
        "Type": "AWS::ElasticLoadBalancingV2::Listener",
        "Properties": {
            "LoadBalancerArn": {"Ref": LOAD_BALANCER},
            "Protocol": protocol,
            "Port": port,
            "DefaultActions": [action],
            **(more or {}),
        },
    }


def _outputs(shared: SharedBalancer) -> Json:
    listeners = [HTTP_LISTENER, *([HTTPS_LISTENER] if shared.settings.certificate else [])]
    values: Json = {
        "DNSName": {"Fn::GetAtt": [LOAD_BALANCER, "DNSName"]},
        "HostedZoneId": {"Fn::GetAtt": [LOAD_BALANCER, "CanonicalHostedZoneID"]},
        "LoadBalancerFullName": {"Fn::GetAtt": [LOAD_BALANCER, "LoadBalancerFullName"]},
        "SecurityGroupId": {"Fn::GetAtt": [LOAD_BALANCER_SECURITY_GROUP, "GroupId"]},
        **{listener: {"Ref": listener} for listener in listeners},
    }
    return {
        key: {"Value": value, "Export": {"Name": f"{shared.stack_name}-{key}"}}
        for key, value in values.items()
    }
