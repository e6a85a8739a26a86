"""No value that somebody else wrote is resolved by CloudFormation, or means something to IAM.

Each hostile value is planted at every place of the manifest and of the environment that reaches the
template; either loading or a finding refuses it, or the compiled template does not hold it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from fsd.compile.compile import compile_service
from fsd.compile.desired import JsonValue, Target
from fsd.errors import ManifestError
from fsd.lint.run import lint
from fsd.manifest.dependencies import KINDS
from fsd.manifest.environments import Environment
from fsd.manifest.finding import Severity
from fsd.manifest.load import load_manifest
from fsd.manifest.resource_names import NAME_FORMS, name_fault
from tests.builders import make_image, make_release, make_target

_SERVICES = ("secretsmanager", "ssm", "ssm-secure", "nonsense")
_FORMS = (
    "{{{{resolve:{0}:db:SecretString:password}}}}",
    "/{{{{resolve:{0}:db}}}}",
    "/health/{{{{resolve:{0}:db}}}}/x",
    "{{{{ resolve:{0}:db }}}}",
    "a{{{{resolve:{0}:a}}}}b{{{{resolve:{0}:b}}}}",
    "${{ENV}}{{{{resolve:{0}:${{ENV}}}}}}",
    "arn:aws:acm:us-east-1:123456789012:certificate/{{{{resolve:{0}:x}}}}",
    "arn:aws:dynamodb:us-east-1:123456789012:table/{{{{resolve:{0}:x}}}}",
    "{{{{resolve:{0}:{{{{resolve:{0}:x}}}}}}}}",
    "{{{{",
)
REFERENCES = tuple(dict.fromkeys(form.format(service) for form in _FORMS for service in _SERVICES))
# What is no reference, and would still mean something in a policy, or nothing at all.
_POLICY = (
    "$${aws:username}",
    "$${aws:PrincipalTag/team}",
    "$${*}",
    "$${AWS::AccountId}",
    "a,b",
    "a b",
    'a"b',
    "a\\b",
    "a\tb",
    "a%2fb",
    "a;b",
    "a|b",
    "a<b>",
    "a#b",
    "ümlaut",
    "a‮b",
    "a​b",
    "arn",
    "arn:",
    "arn:aws",
    "arn:aws:dynamodb",
    "arn:aws:dynamodb:us-east-1:123456789012:table/${aws:username}",
    "arn:aws:iam::123456789012:role/admin",
    "arn:aws:iam::123456789012:user/*",
    "arn:aws:organizations::123456789012:account/*",
    "arn:evil:dynamodb:us-east-1:123456789012:table/x",
    "arn:aws:dynamodb:us-east-1:12345:table/x",
    "arn:aws:dynamodb:us-east-1:123456789012:table/x y",
)
POLICY_VALUES = tuple(
    dict.fromkeys(
        value.replace("$${*}", "$${" + mark + "}") if "$${*}" in value else value
        for value in _POLICY
        for mark in "*?$"
    )
)
VALUES = tuple(
    dict.fromkeys(
        [
            *REFERENCES,
            *(
                f"{before}{value}"
                for value in POLICY_VALUES
                for before in ("", "x-", "${ENV}-", "/")
            ),
            *(f"{value}-x" for value in POLICY_VALUES),
            *(f"x{chr(code)}x" for code in range(0x21, 0x7F) if not chr(code).isalnum()),
        ]
    )
)

MANIFEST = """\
apiVersion: fsd/v1
kind: Service
metadata:
  name: {name}
  pack: {pack}
  owners: [{owner}]
service:
  type: ecs
  port: 8000
  healthCheck: {{path: {path}}}
  image: {image}
  networking: {{loadBalancer: {{certificateArn: {certificate}}}}}
  observability: {{logs: {{retention: 30}}, metrics: {{port: 9000, path: {metrics}}}}}
  secrets: [{{name: A, valueFrom: {secret}}}]
dependencies:
- type: aws_dynamodb_table
  name: {dependency}
  permissions: [{permission}]
"""
GOOD = {
    "name": "offer-api",
    "pack": "offers",
    "owner": "'@org/offers'",
    "path": "/health",
    "image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/offer-api:v1",
    "certificate": "arn:aws:acm:us-east-1:123456789012:certificate/1234",
    "metrics": "/metrics",
    "secret": "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-a1B2c3",
    "dependency": "offers",
    "permission": "dynamodb:GetItem",
}


def quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def compiled(text: str, target: Target) -> JsonValue | None:
    """The template; None where the manifest is refused before there is one."""
    loaded = load_manifest(text, path="service.yml", variables={"ENV": "dev"})
    found = [*loaded.findings, *lint(loaded, "dev")]
    if loaded.manifest is None or any(each.severity is Severity.ERROR for each in found):
        return None
    try:
        desired = compile_service(
            loaded.manifest, target=target, image=make_image(), release=make_release()
        )
    except ManifestError:
        return None
    return [desired.template, dict(desired.stack_tags)]


def roles(template: JsonValue) -> JsonValue:
    """The two roles, whose policies have variables of IAM's own."""
    match template:
        case [{"Resources": {"TaskRole": task, "ExecutionRole": execution}}, _]:
            return [task, execution]
    return None


def texts(value: JsonValue) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, item in value.items():
                yield key
                yield from texts(item)
        case list():
            for item in value:
                yield from texts(item)


def test_compile__the_good_values__make_a_template() -> None:
    assert compiled(MANIFEST.format(**GOOD), make_target()) is not None


@pytest.mark.parametrize("place", list(GOOD))
def test_compile__hostile_value_at_a_manifest_place__not_in_the_template(
    place: str, count_inputs: Callable[[int], None]
) -> None:
    assert len(VALUES) >= 200
    count_inputs(len(VALUES))

    for value in VALUES:
        template = compiled(MANIFEST.format(**GOOD | {place: quoted(value)}), make_target())
        assert [text for text in texts(template) if "{{" in text] == [], value
        assert [text for text in texts(roles(template)) if "${" in text] == [], value


@pytest.mark.parametrize("value", REFERENCES)
@pytest.mark.parametrize("field", ["vpc_id", "vpc_cidr", "load_balancer_subnets", "environment"])
def test_compile__reference_in_the_environment__refused_whatever_checked_it(
    field: str, value: str
) -> None:
    planted: object = (value, "subnet-2") if field == "load_balancer_subnets" else value
    loaded = load_manifest(MANIFEST.format(**GOOD), path="service.yml", variables={"ENV": "dev"})
    assert loaded.manifest is not None

    with pytest.raises(ManifestError, match="CloudFormation replaces") as caught:
        compile_service(
            loaded.manifest,
            target=make_target(**{field: planted}),
            image=make_image(),
            release=make_release(),
        )

    assert str(caught.value.where).startswith("template: ")


@pytest.mark.parametrize("type_", sorted(KINDS))
def test_name_fault__every_type__has_a_form_that_takes_no_policy_variable(type_: str) -> None:
    assert type_ in NAME_FORMS
    assert name_fault(type_, "a") is None
    for value in (*REFERENCES, *POLICY_VALUES):
        meant = value.replace("$$", "$")
        if name_fault(type_, meant) is None:
            assert re.fullmatch(r"[\w.:/@=-]+", meant, re.ASCII), meant


@pytest.mark.parametrize("type_", sorted(KINDS))
def test_name_fault__arn_of_another_type__refused_unless_the_services_are_the_same(
    type_: str,
) -> None:
    for other in KINDS:
        arn = _arn(other)
        is_shared = bool(set(_services(type_)) & set(_services(other)))
        assert (name_fault(type_, arn) is None) == is_shared, arn


def _heads(type_: str) -> list[str]:
    """The ARNs of a type up to the name, with values for CloudFormation's parameters."""
    return [
        template.partition("{name}")[0]
        .replace("${AWS::Partition}", "aws")
        .replace("${AWS::Region}", "us-east-1")
        .replace("${AWS::AccountId}", "123456789012")
        for types in KINDS[type_].services.values()
        for forms in types.values()
        for template in forms
        if "{name}" in template
    ]


def _services(type_: str) -> list[str]:
    return [head.split(":")[2] for head in _heads(type_)]


def _arn(type_: str) -> str:
    return f"{_heads(type_)[0]}x"


ADMINISTRATIVE = """\
apiVersion: fsd/v1
kind: Service
metadata: {{name: offer-api, pack: offers, owners: ['@org/offers']}}
service: {{type: ecs, observability: {{logs: {{retention: 30}}}}}}
dependencies:
- type: {type}
  name: {name}
  permissions:
  - {permission}{comment}
"""


@pytest.mark.parametrize(
    ("type_", "permission"),
    [
        ("aws_s3_bucket", "s3:PutBucketPolicy"),
        ("aws_s3_bucket", "s3:Put*"),
        ("aws_kms_key", "kms:PutKeyPolicy"),
        ("aws_kms_key", "kms:CreateGrant"),
        ("aws_kms_key", "kms:*"),
        ("aws_lambda_function", "lambda:AddPermission"),
        ("aws_lambda_function", "lambda:UpdateFunctionCode"),
        ("aws_lambda_function", "LAMBDA:updatefunctioncode"),
        ("aws_sqs_queue", "sqs:SetQueueAttributes"),
        ("aws_sns_topic", "sns:AddPermission"),
        ("aws_dynamodb_table", "dynamodb:PurchaseReservedCapacityOfferings"),
        ("aws_opensearch_domain", "es:UpdateDomainConfig"),
        ("aws_secretsmanager_secret", "secretsmanager:PutResourcePolicy"),
        ("aws_sfn_state_machine", "states:UpdateStateMachine"),
        ("aws_kinesis_stream", "kinesis:PutResourcePolicy"),
        ("aws_msk_cluster", "kafka:PutClusterPolicy"),
        ("aws_cloudwatch_event_bus", "events:PutPermission"),
    ],
)
@pytest.mark.parametrize(
    ("is_protected", "comment", "severities"),
    [
        (False, "", [Severity.WARNING]),
        (False, "  # fsd: ignore[administrative-permission]", []),
        (True, "", [Severity.ERROR]),
        (True, "  # fsd: ignore[administrative-permission]", [Severity.ERROR]),
        (True, "  # fsd: ignore[administrative-permission] -", [Severity.ERROR]),
        (True, "  # fsd: ignore[administrative-permission] rotates its own key", []),
    ],
)
def test_lint__administrative_permission__needs_a_reason_in_a_protected_environment(
    type_: str, permission: str, is_protected: bool, comment: str, severities: list[Severity]
) -> None:
    text = ADMINISTRATIVE.format(type=type_, name="x", permission=permission, comment=comment)

    assert _severities(text, "administrative-permission", is_protected) == severities


@pytest.mark.parametrize(
    ("is_protected", "comment", "severities"),
    [
        (False, "", [Severity.WARNING]),
        (True, "", [Severity.ERROR]),
        (True, "  # fsd: ignore[wildcard-permission]", [Severity.ERROR]),
        (True, "  # fsd: ignore[wildcard-permission] one table a tenant", []),
    ],
)
def test_lint__wildcard_name__needs_a_reason_in_a_protected_environment(
    is_protected: bool, comment: str, severities: list[Severity]
) -> None:
    text = ADMINISTRATIVE.format(
        type="aws_dynamodb_table",
        name=f"offers-*{comment}",
        permission="dynamodb:GetItem",
        comment="",
    )

    assert _severities(text, "wildcard-permission", is_protected) == severities


def _severities(text: str, id_: str, is_protected: bool) -> list[Severity]:
    loaded = load_manifest(text, path="service.yml", variables={"ENV": "live"})
    found = lint(loaded, "live", environments=[Environment(name="live", protected=is_protected)])
    return [each.severity for each in found if each.id == id_]
