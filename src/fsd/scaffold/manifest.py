"""Answers → the text of a Service YAML that has no findings, with the reasons as comments.

A resource's name cannot be seen in a client's code, so dependencies are written as comments: a name
that is a guess would be granted, or would fail, in earnest.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fsd.manifest.dependencies import EVERYTHING, KINDS, arn_templates, expand
from fsd.manifest.yaml_tree import read_scalar
from fsd.scaffold.containers import ImageBuild
from fsd.scaffold.source import Mention
from fsd.scaffold.variables import Variable

SCHEMA = ".fsd/service.schema.json"

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
# boto3's name of a service → type of the dependency, and what its clients mostly do.
_TYPES = {
    "s3": ("aws_s3_bucket", ("s3:GetObject", "s3:PutObject")),
    "dynamodb": ("aws_dynamodb_table", ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query")),
    "sqs": ("aws_sqs_queue", ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:SendMessage")),
    "sns": ("aws_sns_topic", ("sns:Publish",)),
    "kinesis": ("aws_kinesis_stream", ("kinesis:PutRecord",)),
    "secretsmanager": ("aws_secretsmanager_secret", ("secretsmanager:GetSecretValue",)),
    "ssm": ("aws_ssm_parameter", ("ssm:GetParameter",)),
    "kms": ("aws_kms_key", ("kms:Decrypt",)),
    "sagemaker-runtime": ("aws_sagemaker_endpoint", ("sagemaker:InvokeEndpoint",)),
    "lambda": ("aws_lambda_function", ("lambda:InvokeFunction",)),
    "events": ("aws_cloudwatch_event_bus", ("events:PutEvents",)),
    "stepfunctions": ("aws_sfn_state_machine", ("states:StartExecution",)),
    "bedrock-runtime": ("aws_bedrock_model", ("bedrock:InvokeModel",)),
}
# Methods of boto3 that are not called like the action behind them.
_METHODS = {
    ("s3", "upload_file"): "s3:PutObject",
    ("s3", "upload_fileobj"): "s3:PutObject",
    ("s3", "download_file"): "s3:GetObject",
    ("s3", "download_fileobj"): "s3:GetObject",
    ("s3", "head_object"): "s3:GetObject",
    ("s3", "list_objects_v2"): "s3:ListBucket",
    ("dynamodb", "batch_writer"): "dynamodb:BatchWriteItem",
    ("lambda", "invoke"): "lambda:InvokeFunction",
}
# Methods of one word that are actions too; most such words are something else in Python.
_SHORT = frozenset({"query", "scan", "publish", "decrypt", "encrypt", "invoke"})
_KAFKA = ("Connect", "DescribeCluster", "ReadData", "DescribeGroup")


# What the code asks for under these names has a meaning of its own.
_OURS = {"SERVICE_NAME": "", "ENVIRONMENT": "${ENV}   # dev, prod, …", "VERSION": "${VERSION}"}
_LONGEST = 60  # of a value that is shown as an example


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """`port` is None for a worker."""

    name: str
    pack: str
    owners: tuple[str, ...]
    port: int | None
    health_path: str
    region: str
    health_note: str = ""  # what is not sure about the path
    takes_any_answer: bool = False  # no route is known: that it answers at all has to do
    grace: int = 60  # seconds
    grace_source: str = ""
    is_grpc: bool = False
    has_grpc_health: bool = False
    command: tuple[str, ...] = ()
    command_source: str = ""
    port_variable: str = ""  # PORT, where the command takes the port from it
    variables: tuple[Variable, ...] = ()
    aws: tuple[Mention, ...] = ()
    calls: frozenset[str] = frozenset()
    kafka: str = ""  # where it is used
    build: ImageBuild | None = None  # where the Dockerfile is not the usual one
    service_file: str = "service.yml"


def write_manifest(answers: Answers) -> str:
    lines = [
        f"# yaml-language-server: $schema={SCHEMA}",
        "# What runs, and how. `fsd validate` checks it, `fsd deploy --env local` tries it out.",
        "apiVersion: fsd/v1",
        "kind: Service",
        "",
        "metadata:",
        f"  name: {quoted(answers.name)}",
        f"  pack: {quoted(answers.pack)}   # the owning team",
        *_owners(answers.owners),
        "",
        "service:",
        "  type: ecs",
        *_build(answers.build),
        "  init: true   # a first process that passes signals on and reaps children",
        *_listening(answers),
        *_sizes(answers),
        *_environment(answers),
        *_secrets(answers.variables),
        "",
        *(_networking() if answers.port is not None and not answers.is_grpc else ()),
        "  observability:",
        "    logs:",
        "      retention: 30   # days",
        *_dependencies(answers),
    ]
    return "\n".join(lines) + "\n"


def _owners(owners: Sequence[str]) -> Iterator[str]:
    if not owners:
        yield '  owners: []   # whom a failed deployment names: "@user" or "@org/team"'
        return
    yield "  owners:   # named when a deployment fails"
    yield from (f"    - {json.dumps(owner)}" for owner in owners)


def _build(build: ImageBuild | None) -> Iterator[str]:
    """Only what is not as usual: `Dockerfile` in the manifest's folder, its last stage."""
    if build is None or build.is_ordinary:
        return
    yield f"  build:   # {build.source}"
    if build.context != ".":
        yield f"    context: {quoted(build.context)}"
    if build.context != "." or build.dockerfile != "Dockerfile":
        yield f"    dockerfile: {quoted(build.dockerfile)}"
    if build.target:
        yield f"    target: {quoted(build.target)}"


def _listening(answers: Answers) -> Iterator[str]:
    if answers.command:
        words = ", ".join(json.dumps(word.replace("$", "$$")) for word in answers.command)
        yield f"  command: [{words}]   # {answers.command_source}"
    if answers.port is None:
        return
    if answers.is_grpc:
        yield from _listening_by_grpc(answers)
    else:
        yield f"  port: {answers.port}"
        yield ""
        yield from _health(answers)
    yield "    interval: 10   # seconds; the first good check ends a rollout"
    yield "    timeout: 5"
    yield "    unhealthyThreshold: 3"
    slow = f": {answers.grace_source}" if answers.grace_source else ""
    yield f"    gracePeriod: {answers.grace}   # seconds that it may need to start{slow}"
    yield ""


def _health(answers: Answers) -> Iterator[str]:
    path = quoted(answers.health_path.replace("$", "$$"))
    if answers.takes_any_answer:
        yield "  healthCheck:   # a task that does not answer here is replaced"
        yield f"    path: {path}   # not sure: no health route was found; give one if you have it"
        yield "    matcher: 200-499   # all but a server's error; leave it out with a health route"
        return
    note = f"   # not sure: {answers.health_note}" if answers.health_note else ""
    yield "  healthCheck:   # a task that does not answer 2xx here is replaced"
    yield f"    path: {path}{note}"


def _listening_by_grpc(answers: Answers) -> Iterator[str]:
    """A load balancer speaks gRPC behind HTTPS only; without one ECS asks in the container. A check
    by gRPC needs the service's health method, so without it a connection has to do.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
    """
    yield "  ports:"
    yield f"    - {{port: {answers.port}, protocol: grpc}}"
    yield ""
    yield "  # gRPC: no load balancer, which would need HTTPS for it; ECS asks in the container."
    yield "  healthCheck:"
    if answers.has_grpc_health:
        yield "    protocol: grpc   # a task that does not answer SERVING is replaced"
    else:
        yield "    protocol: tcp   # it only connects; grpc asks the service's health method"


def _environment(answers: Answers) -> Iterator[str]:
    """What FSD knows is set; what the code reads is offered, as nobody knows what is right here."""
    read = {variable.name for variable in answers.variables}
    active = [
        f"    {name}: {value or quoted(answers.name)}"
        for name, value in _OURS.items()
        if name not in read
    ]
    if answers.port_variable:
        active.append(
            f'    {answers.port_variable}: "{answers.port}"   # the command listens there'
        )
    if answers.kafka:
        active.append('    USE_MSK_IAM: "true"')
    offered = [
        variable
        for variable in answers.variables
        if not variable.is_secret and variable.name not in (answers.port_variable, "USE_MSK_IAM")
    ]
    yield "  environment:" if active else "  # environment:"
    yield from active
    if offered:
        yield "    # The code reads these too. Uncomment those that differ on AWS."
    for variable in offered:
        yield f"    # {variable.name}:{_example(variable)}   # {_told(variable)}"


def _example(variable: Variable) -> str:
    text = variable.default or (variable.values[0] if variable.values else "")
    if not text or len(text) > _LONGEST:
        return ""
    return f" {quoted(text.replace('$', '$$'))}"


def _told(variable: Variable) -> str:
    if variable.values:
        return f"{variable.where}: {', '.join(map(_shown, variable.values[:8]))}"
    return f"{variable.where}, which ends without it" if variable.is_needed else variable.where


def _shown(text: str) -> str:
    return text if text.isprintable() else json.dumps(text)


def _secrets(variables: Sequence[Variable]) -> Iterator[str]:
    yield "  # secrets:   # passwords and keys: ECS puts them into the environment at start"
    secrets = [variable for variable in variables if variable.is_secret]
    for variable in secrets:
        yield f"  #   - name: {variable.name}   # {_told(variable)}"
        yield "  #     valueFrom: arn:aws:secretsmanager:…   # the whole ARN"
    if not secrets:
        yield "  #   - name: DATABASE_PASSWORD"
        yield "  #     valueFrom: arn:aws:secretsmanager:…   # the whole ARN"


def _sizes(answers: Answers) -> Iterator[str]:
    if answers.port is None:
        yield ""
    yield "  resources:"
    yield "    cpu: 512      # half a vCPU"
    yield "    memory: 1024  # MiB"
    yield "    desiredCount: 2   # one goes on while the other is replaced"
    yield "    minCapacity: 2"
    yield "    maxCapacity: 4"
    yield ""
    yield "  autoScaling:"
    yield "    targetCPUUtilization: 70   # percent"
    yield ""


def _networking() -> Iterator[str]:
    yield "  networking:"
    yield "    loadBalancer:"
    yield "      type: application"
    yield "      internal: true   # false needs a certificateArn, and is for the internet"
    yield ""


def _dependencies(answers: Answers) -> Iterator[str]:
    """As comments: what is needed is known, the resources' names are not."""
    known = [mention for mention in answers.aws if mention.value in _TYPES]
    if not known and not answers.kafka:
        return
    yield ""
    yield "# What the task may use; nothing else is allowed. Put in the names, and uncomment."
    yield "# dependencies:"
    for mention in known:
        type_ = _TYPES[mention.value][0]
        yield from _dependency(type_, _permissions(mention.value, answers.calls), mention.where)
    if answers.kafka:
        permissions = [f"kafka-cluster:{name}" for name in _KAFKA]
        yield from _dependency("aws_msk_cluster", permissions, answers.kafka)


def _dependency(type_: str, permissions: Sequence[str], where: str) -> Iterator[str]:
    yield f"#   - type: {type_}   # {where}"
    yield "#     name: ${ENV}-name-of-it"
    yield "#     permissions:"
    yield from (f"#       - {permission}" for permission in permissions)


def _permissions(service: str, calls: frozenset[str]) -> tuple[str, ...]:
    """The actions of the methods that the code calls, as far as they are this service's."""
    type_, usual = _TYPES[service]
    prefix = usual[0].partition(":")[0]
    actions = (
        _METHODS.get((service, call), f"{prefix}:{call.title().replace('_', '')}")
        for call in sorted(calls)
        if "_" in call or call in _SHORT
    )
    found = [
        known
        for action in actions
        for known in expand(action)
        if arn_templates(KINDS[type_], known) not in ((), (EVERYTHING,))
    ]
    if "s3:GetObject" in found:  # without it a missing object is AccessDenied, not NoSuchKey
        found.append("s3:ListBucket")
    chosen = found or [*usual, *(["s3:ListBucket"] if service == "s3" else ())]
    return tuple(dict.fromkeys(chosen))


def quoted(text: str) -> str:
    """As a YAML value: in quotes where it would be something else without."""
    plain = _PLAIN.fullmatch(text) and read_scalar(text) == text
    return text if plain else json.dumps(text, ensure_ascii=not text.isprintable())
