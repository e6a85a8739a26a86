"""What the name of a dependency may look like: each type has the characters that AWS gives it.

A name becomes part of an ARN in a policy. One with `${aws:…}`, a comma or a space would mean there
something that nobody wrote, so a name that AWS could not have given is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fsd.manifest.dependencies import KINDS, DependencyType

ARN_PREFIX = "arn:"
_WILDCARDS = re.compile(r"[*?]")  # a finding of their own: wildcard-permission
_ARN = (
    r"arn:aws[a-z-]*:(?P<service>[a-z0-9-]+):[a-z0-9-]*:(?:\d{12})?:(?P<resource>[\w+=,.@:/#$~-]+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NameForm:
    """`pattern` is matched against the whole name, without its wildcards."""

    pattern: str
    words: str  # "letters, digits and `-`"


_SIMPLE = "letters, digits, `-` and `_`"
_DOTTED = "letters, digits, `-`, `_` and `.`"

NAME_FORMS: Mapping[str, NameForm] = {
    # https://docs.aws.amazon.com/msk/1.0/apireference/clusters.html
    "aws_msk_cluster": NameForm(pattern=r"[A-Za-z0-9-]{1,64}", words="letters, digits and `-`"),
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
    "aws_dynamodb_table": NameForm(pattern=r"[A-Za-z0-9_.-]{1,255}", words=_DOTTED),
    # The oldest buckets may have capitals and underscores.
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    "aws_s3_bucket": NameForm(pattern=r"[A-Za-z0-9._-]{1,255}", words=_DOTTED),
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
    "aws_sqs_queue": NameForm(
        pattern=r"[A-Za-z0-9_-]{1,80}(?:\.fifo)?", words=f"{_SIMPLE}, with `.fifo` at the end"
    ),
    # https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
    "aws_sns_topic": NameForm(
        pattern=r"[A-Za-z0-9_-]{1,256}(?:\.fifo)?", words=f"{_SIMPLE}, with `.fifo` at the end"
    ),
    # https://docs.aws.amazon.com/kinesis/latest/APIReference/API_CreateStream.html
    "aws_kinesis_stream": NameForm(pattern=r"[A-Za-z0-9_.-]{1,128}", words=_DOTTED),
    # https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html
    "aws_kinesis_firehose_delivery_stream": NameForm(
        pattern=r"[A-Za-z0-9_.-]{1,64}", words=_DOTTED
    ),
    # https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
    "aws_secretsmanager_secret": NameForm(
        pattern=r"[A-Za-z0-9/_+=.@-]{1,512}", words="letters, digits and `/_+=.@-`"
    ),
    # https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html
    "aws_ssm_parameter": NameForm(
        pattern=r"[A-Za-z0-9_./-]{1,1011}", words=f"{_DOTTED}, with `/` between the levels"
    ),
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
    "aws_kms_key": NameForm(
        pattern=r"[A-Za-z0-9/_-]{1,256}", words="a key's id, or `alias/` and letters, digits, `/_-`"
    ),
    # https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html
    "aws_sagemaker_endpoint": NameForm(
        pattern=r"[A-Za-z0-9-]{1,63}", words="letters, digits and `-`"
    ),
    # A qualifier may follow: an alias, a version, or $LATEST.
    # https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
    "aws_lambda_function": NameForm(
        pattern=r"[A-Za-z0-9_-]{1,140}(?::(?:\$LATEST|[A-Za-z0-9_-]{1,128}))?",
        words=f"{_SIMPLE}, and perhaps `:` and an alias or a version",
    ),
    # https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
    "aws_cloudwatch_event_bus": NameForm(
        pattern=r"[A-Za-z0-9/._-]{1,256}", words=f"{_DOTTED} and `/`"
    ),
    # https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_CreateDomain.html
    "aws_opensearch_domain": NameForm(
        pattern=r"[a-z][a-z0-9-]{0,27}",
        words="up to 28 lower case letters, digits and `-`, with a letter first",
    ),
    # https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBCluster.html
    "aws_rds_cluster": NameForm(
        pattern=r"[A-Za-z][A-Za-z0-9-]{0,62}",
        words="up to 63 letters, digits and `-`, with a letter first",
    ),
    # https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_CreateReplicationGroup.html
    "aws_elasticache_replication_group": NameForm(
        pattern=r"[A-Za-z][A-Za-z0-9-]{0,39}",
        words="up to 40 letters, digits and `-`, with a letter first",
    ),
    # Others are allowed, but Step Functions itself advises against them.
    # https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
    "aws_sfn_state_machine": NameForm(
        pattern=r"[A-Za-z0-9_.+@!()='-]{1,80}", words=f"{_SIMPLE}, up to 80 of them"
    ),
    # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_FoundationModelSummary.html
    "aws_bedrock_model": NameForm(
        pattern=r"[A-Za-z0-9_.:-]{1,256}", words=f"{_DOTTED} and `:`, as in a model's id"
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFault:
    """`message` says what is wrong, without the name in front; `fix` what to write."""

    message: str
    fix: str


def name_fault(type_: str, name: str) -> NameFault | None:
    """What AWS could not mean by this name; None where it may be one, or the type is not known."""
    kind, form = KINDS.get(type_), NAME_FORMS.get(type_)
    if kind is None or form is None:
        return None
    plain = _WILDCARDS.sub("x", name)
    if plain.startswith(ARN_PREFIX):
        return _arn_fault(plain, kind)
    if re.fullmatch(form.pattern, plain):
        return None
    return NameFault(
        message=f"is not a valid {kind.title} name",
        fix=f"use {form.words}; or write the resource's ARN",
    )


def _arn_fault(arn: str, kind: DependencyType) -> NameFault | None:
    forms = [_as_written(template) for template in _templates(kind)]
    fix = f"write {' or '.join(f'`{form}NAME`' for form in sorted(set(forms)))}"
    match = re.fullmatch(_ARN, arn, re.ASCII)
    if match is None:
        return NameFault(message="is not an ARN", fix=fix)
    heads = [form.split(":", 5) for form in forms]
    services = sorted({head[2] for head in heads})
    if match["service"] not in services:
        of = " or ".join(f"`{service}`" for service in services)
        return NameFault(message=f"is an ARN of `{match['service']}`, not of {of}", fix=fix)
    prefixes = {head[5] for head in heads if head[2] == match["service"]}
    if not any(match["resource"].startswith(prefix) for prefix in prefixes):
        return NameFault(message=f"is not a valid {kind.title} ARN", fix=fix)
    return None


def _templates(kind: DependencyType) -> tuple[str, ...]:
    """The ARN forms that have the name in them."""
    return tuple(
        template
        for types in kind.services.values()
        for templates in types.values()
        for template in templates
        if "{name}" in template
    )


def _as_written(template: str) -> str:
    """A template up to the name, with a person's words in place of the parameters."""
    return (
        template.partition("{name}")[0]
        .replace("${AWS::Partition}", "aws")
        .replace("${AWS::Region}", "REGION")
        .replace("${AWS::AccountId}", "ACCOUNT")
    )
