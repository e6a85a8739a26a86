"""The CloudFormation template: what changes rarely and must change atomically.

Roles, log group, security groups, load balancer. Task definition, service and scaling are released
by API and are not in it. Equal manifests give equal templates, so that an unchanged stack costs one
call.
"""

from __future__ import annotations

from fsd.compile.desired import (
    OUTPUT_ALTERNATE_GROUP,
    OUTPUT_INFRASTRUCTURE_ROLE,
    OUTPUT_LOAD_BALANCER,
    OUTPUT_PRODUCTION_RULE,
    OUTPUT_REQUEST_LABEL,
    OUTPUT_SCHEDULE_ROLE,
    OUTPUT_SERVICE,
    OUTPUT_TARGET_GROUP,
    OUTPUT_TASK_SECURITY_GROUP,
    OUTPUT_URL,
    Image,
    Json,
    JsonValue,
    Target,
)
from fsd.compile.domain import compile_domain
from fsd.compile.network import (
    LOAD_BALANCER,
    TARGET_GROUP,
    TASK_SECURITY_GROUP,
    find_load_balancer,
    has_task_group,
    load_balancer,
    logical_id,
    rule_id,
    security_groups,
)
from fsd.compile.network_parts import shared_value
from fsd.compile.roles import compile_roles
from fsd.compile.schedule_role import SCHEDULE_ROLE, compile_schedule_role
from fsd.compile.traffic_shift import (
    ALTERNATE_GROUP,
    INFRASTRUCTURE_ROLE,
    compile_infrastructure_role,
)
from fsd.errors import ErrorCode, ManifestError
from fsd.manifest import names
from fsd.manifest.models import LoadBalancer, Manifest, Service


def compile_template(manifest: Manifest, *, target: Target, image: Image) -> Json:
    """Raises ManifestError for what AWS would refuse."""
    name = names.service_name(manifest.metadata.name, target.environment)
    outputs = _outputs(manifest, target=target)
    template: Json = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"{name}, made by fsd",
        "Resources": {
            **compile_roles(manifest, target=target, image=image),
            **compile_schedule_role(manifest, target=target),
            **compile_infrastructure_role(manifest, target=target),
            **_log_group(manifest, target=target),
            **security_groups(manifest, target=target),
            **load_balancer(manifest, target=target),
            **compile_domain(manifest, target=target),
        },
        **({"Outputs": outputs} if outputs else {}),
    }
    _refuse_references(template, "")
    return template


def _refuse_references(value: JsonValue, where: str) -> None:
    """CloudFormation replaces `{{resolve:…}}` by a secret's value in any property. FSD never means
    one, so whatever brought it (manifest, override, environments file) is refused.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
    """
    match value:
        case str() if "{{" in value:
            raise ManifestError(
                f"`{value}` has `{{{{`, which CloudFormation replaces by a secret's value",
                where=f"template: {where}",
                fix="write the value itself, in the manifest or in .fsd/environments.yml",
                code=ErrorCode.TEMPLATE_REFERENCE,
            )
        case dict():
            for key, item in value.items():
                _refuse_references(key, where)
                _refuse_references(item, f"{where}.{key}".lstrip("."))
        case list():
            for index, item in enumerate(value):
                _refuse_references(item, f"{where}[{index}]")


def _log_group(manifest: Manifest, *, target: Target) -> Json:
    logs = manifest.service.log_settings
    if not logs.enabled or logs.group is not None:
        return {}
    key: Json = {"KmsKeyId": logs.kms_key} if logs.kms_key else {}
    return {
        "LogGroup": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {
                "LogGroupName": names.log_group(manifest.metadata.name, target.environment),
                "RetentionInDays": logs.retention,
                **key,
            },
        }
    }


def _shared_url(balancer: LoadBalancer, target: Target) -> Json:
    """By its domain, else by the first host that is no pattern, else the load balancer's name."""
    scheme = "https" if balancer.certificate_arn else "http"
    host = (
        balancer.domain.name
        if balancer.domain
        else next((host for host in balancer.hosts if not set(host) & {"*", "?"}), None)
    )
    address: JsonValue = host or shared_value(balancer, target, "DNSName")
    return {"Fn::Join": ["", [f"{scheme}://", address]]}


def _outputs(manifest: Manifest, *, target: Target) -> Json:
    outputs: Json = {}
    service = manifest.service
    if has_task_group(service):
        group: Json = {"Fn::GetAtt": [TASK_SECURITY_GROUP, "GroupId"]}
        outputs[OUTPUT_TASK_SECURITY_GROUP] = {"Value": group}
    if manifest.is_job:
        outputs[OUTPUT_SCHEDULE_ROLE] = {"Value": {"Fn::GetAtt": [SCHEDULE_ROLE, "Arn"]}}
    if service.existing_service is not None:
        outputs[OUTPUT_SERVICE] = {"Value": service.existing_service}
    balancer = find_load_balancer(service)
    if balancer is not None and balancer.target_group_arn is not None:
        return outputs | {OUTPUT_TARGET_GROUP: {"Value": balancer.target_group_arn}}
    if balancer is not None:
        outputs[OUTPUT_TARGET_GROUP] = {"Value": {"Ref": logical_id(TARGET_GROUP, service)}}
        outputs |= _shift_outputs(service)
    scaling = service.auto_scaling
    if balancer is not None and scaling is not None and scaling.target_requests_per_task:
        outputs[OUTPUT_REQUEST_LABEL] = {"Value": _request_label(service, balancer, target)}
    if balancer is not None and balancer.shared is not None:
        outputs[OUTPUT_URL] = {"Value": _shared_url(balancer, target)}
    elif balancer is not None and not balancer.has_rule:
        scheme = "https" if balancer.is_secure else "http"
        tail = ""
        if balancer.is_network:
            scheme, tail = "tls" if balancer.is_secure else "tcp", f":{service.main_port}"
        id_ = logical_id(LOAD_BALANCER, service)
        own: Json = {"Fn::GetAtt": [id_, "DNSName"]}
        address: JsonValue = balancer.domain.name if balancer.domain else own
        outputs |= {
            OUTPUT_LOAD_BALANCER: {"Value": {"Ref": id_}},
            OUTPUT_URL: {
                "Value": {"Fn::Join": ["", [f"{scheme}://", address, *([tail] if tail else [])]]}
            },
        }
    return outputs


def _shift_outputs(service: Service) -> Json:
    if not service.deployment.shifts_traffic:
        return {}
    return {
        OUTPUT_ALTERNATE_GROUP: {"Value": {"Ref": logical_id(ALTERNATE_GROUP, service)}},
        OUTPUT_PRODUCTION_RULE: {"Value": {"Ref": rule_id(service)}},
        OUTPUT_INFRASTRUCTURE_ROLE: {"Value": {"Fn::GetAtt": [INFRASTRUCTURE_ROLE, "Arn"]}},
    }


def _request_label(service: Service, balancer: LoadBalancer, target: Target) -> Json:
    """`app/NAME/ID/targetgroup/NAME/ID`. Of a listener that is there the ARN says the first half:
    `…:listener/app/NAME/ID/ID`."""
    group: Json = {"Fn::GetAtt": [logical_id(TARGET_GROUP, service), "TargetGroupFullName"]}
    name: JsonValue = {"Fn::GetAtt": [logical_id(LOAD_BALANCER, service), "LoadBalancerFullName"]}
    if balancer.shared is not None:
        name = shared_value(balancer, target, "LoadBalancerFullName")
    elif balancer.listener_arn is not None:
        name = balancer.listener_arn.partition(":listener/")[2].rpartition("/")[0]
    return {"Fn::Join": ["/", [name, group]]}
