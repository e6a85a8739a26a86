"""An import, compiled: the task definition that a deployment of it would register, and the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from fsd.compile.compile import compile_service
from fsd.compile.desired import Desired, Image, Release, Scaling, Target
from fsd.importing.fit import ImportedManifest
from fsd.importing.reader import ANY_ENVIRONMENT, Original
from fsd.importing.values import Value, listed, mapping, text_of
from fsd.manifest.load import load_manifest

_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):[a-z-]+:(?P<region>[a-z0-9-]*):(?P<account>\d{12})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledImport:
    """Empty where the import has an error left. `around` as in `Original`."""

    original: Original  # with the account and the region that it was compiled for
    definition: dict[str, Value] = field(default_factory=dict)
    around: dict[str, Value] = field(default_factory=dict)


def compile_import(fitted: ImportedManifest, environment: str = ANY_ENVIRONMENT) -> CompiledImport:
    """The account and the region are the original's. Raises KeyError for no such environment."""
    original = fitted.imported.originals[environment]
    target = _target(str(original.definition), environment)
    original = replace(original, definition=mapping(_placed(original.definition, target)))
    variables = {
        "ENV": target.environment,
        "AWS_REGION": target.region,
        "AWS_ACCOUNT_ID": target.account,
        "VERSION": "imported",
        "COMMIT": "imported",
    }
    loaded = load_manifest(fitted.text, path="service.yml", variables=variables)
    if loaded.manifest is None:
        return CompiledImport(original=original)
    desired = compile_service(
        loaded.manifest,
        target=target,
        image=_image(loaded.manifest.service.image or ""),
        release=Release(version="imported", commit=""),
    )
    return CompiledImport(
        original=original, definition=dict(desired.task_definition), around=_around(desired)
    )


def _placed(value: Value, target: Target) -> Value:
    match value:
        case dict():
            return {key: _placed(each, target) for key, each in value.items()}
        case list():
            return [_placed(each, target) for each in value]
        case str():
            text = value.replace("${AWS_REGION}", target.region)
            return text.replace("${AWS_ACCOUNT_ID}", target.account)
    return value


def _target(original: str, environment: str) -> Target:
    found = _ARN.search(original)
    return Target(
        environment=environment,
        account=found["account"] if found else "123456789012",
        region=(found["region"] if found else "") or "us-east-1",
        partition=found["partition"] if found else "aws",
        cluster="imported",
        vpc_id="vpc-0",
        vpc_cidr="10.0.0.0/16",
        task_subnets=("subnet-0", "subnet-1"),
        load_balancer_subnets=("subnet-0", "subnet-1"),
    )


def _image(uri: str) -> Image:
    name, _, digest = uri.partition("@")
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        repository, tag = name, ""
    return Image(repository=repository, digest=digest, tag=tag)


def _around(desired: Desired) -> dict[str, Value]:
    """In the words of an `Original`."""
    service = desired.service
    configuration = service.deployment_configuration
    alarms = mapping(configuration.get("alarms"))
    providers = [text_of(each.get("capacityProvider")) for each in service.capacity]
    found: dict[str, Value] = {
        "service.desiredCount": service.desired_count if service.count_is_said else None,
        "service.spot": "FARGATE_SPOT" in providers or None,
        "service.enableExecuteCommand": service.exec,
        "service.assignPublicIp": service.assign_public_ip,
        "service.subnets": [*service.subnets],
        "service.securityGroups": [*service.security_groups],
        "service.connect": True if service.connect else None,
        "service.minimumHealthyPercent": configuration.get("minimumHealthyPercent"),
        "service.maximumPercent": configuration.get("maximumPercent"),
        "service.alarms": listed(alarms.get("alarmNames")),
        "service.healthCheckGracePeriodSeconds": service.grace_period,
        "schedule.expression": desired.schedule.expression if desired.schedule else None,
    }
    return found | _scaled(desired.scaling) | _balanced(desired)


def _scaled(scaling: Scaling | None) -> dict[str, Value]:
    if scaling is None:
        return {}
    targets: dict[str, Value] = {each.name: round(each.target) for each in scaling.tracked}
    found: dict[str, Value] = {
        "minimum": scaling.minimum,
        "maximum": scaling.maximum,
        "cpu": scaling.cpu,
        "memory": scaling.memory,
        "scale_in_cooldown": scaling.scale_in_cooldown,
        "scale_out_cooldown": scaling.scale_out_cooldown,
        **targets,
    }
    return {f"scaling.{key}": value for key, value in found.items()}


def _balanced(desired: Desired) -> dict[str, Value]:
    """Of the stack's target group, rule, load balancer and log group; a shared one is beside it."""
    group = _resource(desired, "ElasticLoadBalancingV2::TargetGroup")
    balancer = _resource(desired, "ElasticLoadBalancingV2::LoadBalancer")
    rule = _resource(desired, "ElasticLoadBalancingV2::ListenerRule")
    attributes = {
        text_of(mapping(each).get("Key")): text_of(mapping(each).get("Value"))
        for each in listed(group.get("TargetGroupAttributes"))
    }
    scheme = text_of(balancer.get("Scheme"))
    if desired.shared is not None:
        scheme = "internal" if desired.shared.is_internal else "internet-facing"
    delay = attributes.get("deregistration_delay.timeout_seconds", "")
    found: dict[str, Value] = {f"targetGroup.{key}": value for key, value in group.items()}
    codes = mapping(group.get("Matcher"))
    return found | {
        "targetGroup.Matcher": codes.get("HttpCode") or codes.get("GrpcCode"),
        "targetGroup.deregistration_delay": int(delay) if delay else None,
        "targetGroup.stickiness": attributes.get("stickiness.enabled") == "true" or None,
        "loadBalancer.Scheme": scheme or None,
        "rule.hosts": _condition(rule, "HostHeaderConfig"),
        "rule.paths": _condition(rule, "PathPatternConfig"),
        "logGroup.RetentionInDays": _resource(desired, "Logs::LogGroup").get("RetentionInDays"),
    }


def _resource(desired: Desired, kind: str) -> dict[str, Value]:
    resources = mapping(dict(desired.template)).get("Resources")
    every = [mapping(each) for each in mapping(resources).values()]
    found = next((each for each in every if each.get("Type") == f"AWS::{kind}"), {})
    return mapping(found.get("Properties"))


def _condition(rule: dict[str, Value], config: str) -> list[Value]:
    conditions = [mapping(each) for each in listed(rule.get("Conditions"))]
    return [text for each in conditions for text in listed(mapping(each.get(config)).get("Values"))]
