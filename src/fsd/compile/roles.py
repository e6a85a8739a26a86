"""The two roles of a task: what the service may do, and what ECS may do to start it.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_execution_IAM_role.html
"""

from __future__ import annotations

import re
from itertools import chain

from fsd.compile.desired import Image, Json, JsonValue, Target
from fsd.compile.iam import GrantScope, compile_statements, policy_document, statement
from fsd.compile.logs import log_group_name
from fsd.errors import ErrorCode, ManifestError
from fsd.manifest import names
from fsd.manifest.container import Roles
from fsd.manifest.dependencies import EVERYTHING
from fsd.manifest.models import Manifest, Secret, Service

_TOKEN = ("ecr:GetAuthorizationToken",)
_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_LOG = ("logs:CreateLogStream", "logs:PutLogEvents")
# None of them has a resource level.
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/trace-data.html
_TRACE = (
    "xray:GetSamplingRules",
    "xray:GetSamplingStatisticSummaries",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
)
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html#ecs-exec-required-iam-permissions
_EXEC = (
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)

_ECR_URI = re.compile(
    r"^(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)\.[a-z.-]+/(?P<name>.+)$"
)
_SECRET_FIELDS = 7  # arn:partition:secretsmanager:region:account:secret:name
_SECRET_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")
_WORD = re.compile(r":secret:.+-[a-z]{6}$")  # more likely the end of a name: `ghcr-secret`


def task_role_arn(manifest: Manifest, target: Target) -> str:
    given = manifest.service.roles
    if given is not None and given.task is not None:
        return given.task
    return _role_arn(names.task_role(manifest.metadata.name, target.environment), target)


def execution_role_arn(manifest: Manifest, target: Target) -> str:
    given = manifest.service.roles
    if given is not None and given.execution is not None:
        return given.execution
    return _role_arn(names.execution_role(manifest.metadata.name, target.environment), target)


def compile_roles(manifest: Manifest, *, target: Target, image: Image) -> Json:
    """The roles that the stack has: not one that is there already.

    What cannot be granted is refused all the same: a permission that does not exist helps nobody.
    """
    given = manifest.service.roles or Roles()
    roles: Json = {
        "TaskRole": task_role(manifest, target=target),
        "ExecutionRole": execution_role(manifest, target=target, image=image),
    }
    if given.task is not None:
        del roles["TaskRole"]
    if given.execution is not None:
        del roles["ExecutionRole"]
    return roles


def has_collector(manifest: Manifest) -> bool:
    """Whether a collector beside the service sends its traces on, with the task role."""
    traces = manifest.service.observability.traces
    return traces is not None and traces.enabled and traces.otlp_endpoint is None


def task_role(manifest: Manifest, *, target: Target) -> Json:
    """Raises ManifestError for a permission that cannot be granted."""
    statements = compile_statements(manifest.dependencies, target=target)
    if has_collector(manifest):
        statements.append(statement(_TRACE, scope=GrantScope(resources=(EVERYTHING,))))
    statements += _efs_statements(manifest.service, target)
    if manifest.service.exec:
        statements.append(statement(_EXEC, scope=GrantScope(resources=(EVERYTHING,))))
    name = names.task_role(manifest.metadata.name, target.environment)
    return make_role(manifest, name, "dependencies", statements, target=target)


def execution_role(manifest: Manifest, *, target: Target, image: Image) -> Json:
    """Raises ManifestError for a secret that is neither in Secrets Manager nor a parameter."""
    statements: list[JsonValue] = [
        statement(_TOKEN, scope=GrantScope(resources=(EVERYTHING,))),
        statement(_PULL, scope=GrantScope(resources=_repositories(manifest, target, image))),
    ]
    if manifest.service.log_settings.enabled:
        group = log_group_name(manifest, target.environment)
        streams = (
            f"arn:{target.partition}:logs:{target.region}:{target.account}"
            f":log-group:{group}:log-stream:*"
        )
        statements.append(statement(_LOG, scope=GrantScope(resources=(streams,))))
    sidecars = manifest.service.sidecars
    credentials = registry_credentials(manifest.service)
    secrets = (
        *manifest.service.secrets,
        *(Secret(name="repositoryCredentials", value_from=arn) for arn in credentials),
        *(
            Secret(name=secret.name, value_from=secret.value_from)
            for sidecar in sidecars
            for secret in sidecar.secrets
        ),
    )
    statements += _secret_statements(secrets, target)
    statements += [each for arn in credentials for each in _key_statements(arn, target)]
    files = chain(*(each.environment_files for each in sidecars))
    statements += _file_statements((*manifest.service.environment_files, *files))
    name = names.execution_role(manifest.metadata.name, target.environment)
    return make_role(manifest, name, "execution", statements, target=target)


def registry_credentials(service: Service) -> list[str]:
    """The secrets that log in at registries, each once."""
    beside = (sidecar.repository_credentials for sidecar in service.sidecars)
    found = {service.repository_credentials, *beside}
    return sorted(arn for arn in found if arn is not None)


def _key_statements(secret: str, target: Target) -> list[Json]:
    """A key of the customer's that encrypts this secret, whichever it is, and only for this secret.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html
    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    """
    region = secret.split(":")[3]
    suffix = "amazonaws.com.cn" if target.partition == "aws-cn" else "amazonaws.com"
    _, resource = secret_resource(Secret(name="repositoryCredentials", value_from=secret), target)
    return [
        statement(
            ("kms:Decrypt",),
            scope=GrantScope(
                resources=(f"arn:{target.partition}:kms:{region}:*:key/*",),
                conditions=(
                    ("StringEquals", "kms:ViaService", f"secretsmanager.{region}.{suffix}"),
                    ("StringLike", "kms:EncryptionContext:SecretARN", each),
                ),
            ),
        )
        for each in _readings(resource)
    ]


def _readings(resource: str) -> tuple[str, ...]:
    """What the ARN may mean. Six small letters at the end are AWS's, or the last word of a name to
    which AWS has added six more characters."""
    return (resource, f"{resource}-??????") if _WORD.search(resource) else (resource,)


def secret_arn(secret: Secret, target: Target) -> str:
    return parameter_arn(secret.value_from, target)


def parameter_arn(name: str, target: Target) -> str:
    """What ECS is told: a parameter by name becomes the account's ARN."""
    if not name.startswith("/"):
        return name
    return f"arn:{target.partition}:ssm:{target.region}:{target.account}:parameter{name}"


def secret_resource(secret: Secret, target: Target) -> tuple[str, str]:
    """(action, ARN in a policy) of a secret that ECS reads when a task starts.

    The tail `:json-key:stage:version` is no part of the resource. Secrets Manager ends an ARN with
    a hyphen and six characters; a name without them gets `-??????`, because `-*` would open other
    secrets too.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
    """
    value_from = secret_arn(secret, target)
    fields = value_from.split(":")
    service = fields[2] if fields[0] == "arn" and len(fields) > 5 else ""
    if service == "ssm":
        return "ssm:GetParameters", value_from
    if service == "secretsmanager" and len(fields) >= _SECRET_FIELDS:
        arn = ":".join(fields[:_SECRET_FIELDS])
        suffix = "" if _SECRET_SUFFIX.search(arn) else "-??????"
        return "secretsmanager:GetSecretValue", f"{arn}{suffix}"
    raise ManifestError(
        f"the secret {secret.name} has no ARN of Secrets Manager or of an SSM parameter",
        where=f"service.secrets: {secret.name}",
        fix="give its full ARN as valueFrom",
        code=ErrorCode.SECRET_ARN_MALFORMED,
    )


def _file_statements(files: tuple[str, ...]) -> list[JsonValue]:
    """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/use-environment-file.html"""
    if not files:
        return []
    buckets = {arn.partition("/")[0] for arn in files}
    return [
        statement(("s3:GetBucketLocation",), scope=GrantScope(resources=tuple(sorted(buckets)))),
        statement(("s3:GetObject",), scope=GrantScope(resources=tuple(sorted(set(files))))),
    ]


def _efs_statements(service: Service, target: Target) -> list[JsonValue]:
    """One a file system; writing where a container may.

    https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html
    """
    may_write: dict[str, bool] = {}
    mounts = [mount for sidecar in service.sidecars for mount in sidecar.volumes]
    for volume in service.volumes:
        if volume.efs is not None:
            name = volume.efs.file_system
            others = [mount.read_only for mount in mounts if mount.name == volume.name]
            writes = not all((volume.read_only, *others))
            may_write[name] = may_write.get(name, False) or writes
    write = ("elasticfilesystem:ClientWrite",)
    return [
        statement(
            ("elasticfilesystem:ClientMount", *(write if writes else ())),
            scope=GrantScope(
                resources=(
                    f"arn:{target.partition}:elasticfilesystem:{target.region}:{target.account}"
                    f":file-system/{name}",
                )
            ),
        )
        for name, writes in sorted(may_write.items())
    ]


def _secret_statements(secrets: tuple[Secret, ...], target: Target) -> list[JsonValue]:
    resources: dict[str, set[str]] = {}
    for secret in secrets:
        action, resource = secret_resource(secret, target)
        resources.setdefault(action, set()).update(_readings(resource))
    return [
        statement((action,), scope=GrantScope(resources=tuple(sorted(found))))
        for action, found in sorted(resources.items())
    ]


def _repositories(manifest: Manifest, target: Target, image: Image) -> tuple[str, ...]:
    """The image's repository, and always the service's own: a rollback may want it."""
    account, region = target.account, target.region
    found = {(account, region, names.repository(manifest.metadata.name))}
    others = (_bare(sidecar.image) for sidecar in manifest.service.sidecars)
    for repository in (image.repository, *others):
        match = _ECR_URI.match(repository)
        if match:
            found.add((match["account"], match["region"], match["name"]))
    return tuple(
        f"arn:{target.partition}:ecr:{region}:{account}:repository/{name}"
        for account, region, name in sorted(found)
    )


def _bare(reference: str) -> str:
    """Without a tag or a digest."""
    head, slash, last = reference.partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def _role_arn(name: str, target: Target) -> str:
    return f"arn:{target.partition}:iam::{target.account}:role{names.ROLE_PATH}{name}"


def make_role(
    manifest: Manifest,
    name: str,
    policy: str,
    statements: list[JsonValue],
    *,
    target: Target,
    trust: Json | None = None,
) -> Json:
    """An AWS::IAM::Role with one policy; without `trust` the tasks of this account have it."""
    own = manifest.service.roles.boundary if manifest.service.roles else None
    boundary = own or target.permissions_boundary
    properties: Json = {
        **({"PermissionsBoundary": boundary} if boundary else {}),
        "RoleName": name,
        "Path": names.ROLE_PATH,
        "AssumeRolePolicyDocument": trust or _trust(target),
    }
    if statements:
        document = policy_document(statements, role=name)
        properties["Policies"] = [{"PolicyName": policy, "PolicyDocument": document}]
    return {"Type": "AWS::IAM::Role", "Properties": properties}


def _trust(target: Target) -> Json:
    """Only tasks of this account: else ECS could be made to act for somebody else's.

    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html
    """
    tasks = f"arn:{target.partition}:ecs:{target.region}:{target.account}:*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": target.account},
                    "ArnLike": {"aws:SourceArn": tasks},
                },
            }
        ],
    }
