"""Secrets Manager and Parameter Store for the tasks of the embedded AWS, read in process.

A secret is found by its full ARN, or by its name where only the random suffix differs: a manifest
is written with the ARN of a real account, whose suffix nobody can ask for here.
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import s3, secretsmanager, ssm

from fsd_local.ecs import messages
from fsd_local.patches.scope import scope
from fsd_local.ports import RegistryLogin, SecretError
from fsd_local.references import SecretReference, parse, whole_secret

PLACEHOLDER = "placeholder"  # the value of a secret that was made up
# ECS's own words: its troubleshooting page and diagnoses match on them.
_FROM_SECRETS_MANAGER = (
    "unable to pull secrets or registry auth: execution resource retrieval failed: "
    "unable to retrieve secret from asm: service call has been retried 1 time(s): "
)
_FROM_REGISTRY_SECRET = (
    "unable to pull secrets or registry auth: execution resource retrieval failed: "
    "unable to get registry auth from asm: service call has been retried 1 time(s): "
)
_FROM_PARAMETER_STORE = (
    "unable to pull secrets or registry auth: execution resource retrieval failed: "
    "unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
)


class MiniStackSecrets:
    """Implements the `Secrets` port. Thread-safe, as MiniStack's stores are."""

    def resolve(self, value_from: str, *, account: str, region: str) -> str:
        reference = parse(value_from, account=account, region=region)
        with scope(reference.account, reference.region):
            if reference.kind == "parameter":
                return _parameter(reference)
            return _secret(reference)

    def log_in(self, secret: str, *, account: str, region: str) -> RegistryLogin | None:
        """https://docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html"""
        reference = parse(whole_secret(secret, account, region), account=account, region=region)
        with scope(reference.account, reference.region):
            record = find_secret(reference)
            version = find_version(record, reference) if record else None
        if version is None:
            raise SecretError(
                f"{_FROM_REGISTRY_SECRET}asm fetching secret from the service for {secret}: "
                "ResourceNotFoundException: Secrets Manager can't find the specified secret."
            )
        text = str(version.get("SecretString") or "")
        return None if text == PLACEHOLDER else _login(text)

    def read_file(self, arn: str, *, account: str, region: str) -> str:
        bucket, _, key = arn.partition(":::")[2].partition("/")
        with scope(account, region):
            content = s3._get_object_data(bucket, key)
        if content is None:
            raise SecretError(
                messages.file_not_read("NoSuchKey: The specified key does not exist.")
            )
        return str(content, "utf-8", "replace")


def _login(text: str) -> RegistryLogin:
    """In the words of ECS's agent, and nothing of the secret.

    https://github.com/aws/amazon-ecs-agent/blob/master/agent/asm/asm.go
    """
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise SecretError(
            f"{_FROM_REGISTRY_SECRET}asm fetching authorization data: unable to unmarshal secret "
            "value, invalid schema"
        )
    for key in ("username", "password"):
        if not isinstance(found.get(key), str) or not found[key]:
            raise SecretError(
                f"{_FROM_REGISTRY_SECRET}asm fetching {key}: AuthorizationData is malformed, "
                "empty field"
            )
    return RegistryLogin(user=found["username"], password=found["password"])


def _parameter(reference: SecretReference) -> str:
    value = ssm.resolve_parameter_value(reference.arn or reference.name, decrypt=True)
    if value is None:
        raise SecretError(
            f"{_FROM_PARAMETER_STORE}invalid parameters: {reference.arn or reference.name}"
        )
    return str(value)


def _secret(reference: SecretReference) -> str:
    record = find_secret(reference)
    version = find_version(record, reference) if record else None
    if version is None:
        raise SecretError(
            f"{_FROM_SECRETS_MANAGER}failed to fetch secret {reference.arn} from secrets manager: "
            "ResourceNotFoundException: Secrets Manager can't find the specified secret."
        )
    text = version.get("SecretString")
    if text is None:
        raise SecretError(
            f"{_FROM_SECRETS_MANAGER}secret {reference.arn} has no SecretString to inject"
        )
    return _field(str(text), reference.json_key) if reference.json_key else str(text)


def find_secret(reference: SecretReference) -> Any:
    """By the ARN, by the whole name (its end may only look like a suffix), by the bare name."""
    records = secretsmanager._secrets
    exact = next((r for r in records.values() if r["ARN"] == reference.arn), None)
    record = exact or records.get(reference.name) or records.get(reference.bare_name)
    return None if record is None or record.get("DeletedDate") else record


def find_version(record: Any, reference: SecretReference) -> Any:
    if reference.version:
        return record["Versions"].get(reference.version)
    _, version = secretsmanager._find_stage_version(record, reference.stage or "AWSCURRENT")
    return version


def _field(text: str, key: str) -> str:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise SecretError(f"{_FROM_SECRETS_MANAGER}{_json_complaint(text)}") from error
    if not isinstance(value, dict) or key not in value:
        raise SecretError(
            f"{_FROM_SECRETS_MANAGER}retrieved secret from Secrets Manager did not contain "
            f"json key {key}"
        )
    found = value[key]
    return found if isinstance(found, str) else json.dumps(found)


def _json_complaint(text: str) -> str:
    """The ECS agent's (Go's) words; only the first character is told, never the secret."""
    first = text.lstrip()[:1]
    if not first:
        return "unexpected end of JSON input"
    return f"invalid character '{first}' looking for beginning of value"
