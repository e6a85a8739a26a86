"""Secrets and parameters that a manifest names and the embedded AWS lacks.

They get a value that says what it is, and tags that say for which services they were made, so
that the last one to go takes them along. What somebody made by hand is never touched.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from ministack.services import s3, secretsmanager, ssm

from fsd_local.patches.scope import scope
from fsd_local.ports import SecretError
from fsd_local.references import SecretReference, parse
from fsd_local.secrets import PLACEHOLDER, MiniStackSecrets, find_secret, find_version

_S3 = "arn:aws:s3:::"
TAG = "fsd:placeholder"
USERS_TAG = "fsd:placeholder-for"  # service names, with spaces between them


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    """Where a secret or a parameter is kept."""

    kind: Literal["secret", "parameter"]
    account: str
    region: str
    name: str
    arn: str


def create_placeholders(
    values_from: Iterable[str], *, service: str, account: str, region: str
) -> list[str]:
    """Make what is missing; the `valueFrom`s that were missing.

    An environment file in S3 is made empty. Two references to keys of one JSON secret make one
    secret that has both keys.
    """
    created: list[str] = []
    for value_from in values_from:
        if value_from.startswith(_S3):
            with scope(account, region):
                created += [value_from] if _create_file(value_from) else []
            continue
        reference = parse(value_from, account=account, region=region)
        with scope(reference.account, reference.region):
            is_parameter = reference.kind == "parameter"
            made = _create_parameter(reference) if is_parameter else _create_secret(reference)
            record = _find(reference)
            if record is not None and (users := _users(record)) is not None:
                _set_users(record, users | ({service} if service else set()))
        if made:
            created.append(value_from)
    return created


def find_placeholders(
    values_from: Iterable[str], *, service: str, account: str, region: str
) -> list[str]:
    """The `valueFrom`s whose value is still the one that was made up; `service` changes nothing."""
    del service
    secrets = MiniStackSecrets()
    found: list[str] = []
    for value_from in values_from:
        if value_from.startswith(_S3):
            continue
        try:
            value = secrets.resolve(value_from, account=account, region=region)
        except SecretError:
            continue
        found += [value_from] if value == PLACEHOLDER else []
    return found


def remove_placeholders(
    values_from: Iterable[str], *, service: str, account: str, region: str
) -> list[str]:
    """Take `service` off the users of its placeholders and remove those that nobody uses.

    Without `values_from`: of all placeholders. Returns the ARNs of those that are gone.
    """
    named = [parse(value, account=account, region=region) for value in values_from]
    removed: list[str] = []
    for record in [*_found(named)] if named else [*_all()]:
        with scope(record.account, record.region):
            users = _users(record)
            if users is None or (service and not named and service not in users):
                continue
            users -= {service}
            if users:
                _set_users(record, users)
            else:
                _delete(record)
                removed.append(record.arn)
    return removed


def _found(references: Iterable[SecretReference]) -> Iterator[_Record]:
    seen: set[_Record] = set()
    for reference in references:
        with scope(reference.account, reference.region):
            record = _find(reference)
        if record is not None and record not in seen:
            seen.add(record)
            yield record


def _all() -> Iterator[_Record]:
    for (account, region, name), secret in secretsmanager._secrets.all_items():
        yield _Record(kind="secret", account=account, region=region, name=name, arn=secret["ARN"])
    for (account, region, name), parameter in ssm._parameters.all_items():
        yield _Record(
            kind="parameter", account=account, region=region, name=name, arn=parameter["ARN"]
        )


def _find(reference: SecretReference) -> _Record | None:
    if reference.kind == "secret":
        found = find_secret(reference)
        name = found["Name"] if found else ""
    else:
        name, found = ssm._lookup_parameter(
            reference.arn or reference.name, allow_arn_region=True, flexible_name=True
        )
    if found is None:
        return None
    return _Record(
        kind=reference.kind,
        account=reference.account,
        region=reference.region,
        name=name,
        arn=found["ARN"],
    )


def _create_file(arn: str) -> bool:
    """An empty environment file; it stays, as a bucket may be somebody's."""
    bucket, _, key = arn.removeprefix(_S3).partition("/")
    if s3._get_object_data(bucket, key) is not None:
        return False
    if bucket not in s3._buckets:
        s3._create_bucket(bucket, b"")
    s3._put_object(bucket, key, b"", {})
    return True


def _create_parameter(reference: SecretReference) -> bool:
    if _find(reference) is not None:
        return False
    ssm._put_parameter(
        {
            "Name": reference.name,
            "Value": PLACEHOLDER,
            "Type": "SecureString",
            "Tags": [{"Key": TAG, "Value": "true"}],
        }
    )
    return True


def _create_secret(reference: SecretReference) -> bool:
    present = find_secret(reference)
    if present is not None:
        return _add_key(present, reference)
    name = reference.bare_name
    secretsmanager._secrets.pop(name, None)  # one that waits for its deletion
    value = json.dumps({reference.json_key: PLACEHOLDER}) if reference.json_key else PLACEHOLDER
    secretsmanager._store_new_secret(
        name,
        secret_string=value,
        description="A placeholder, made because a manifest names it",
        tags=[{"Key": TAG, "Value": "true"}],
    )
    if name != reference.name:
        secretsmanager._secrets[name]["ARN"] = reference.arn
    return True


def _add_key(secret: Any, reference: SecretReference) -> bool:
    """Give a placeholder one more key."""
    version = find_version(secret, reference)
    if not reference.json_key or version is None or not _is_placeholder(secret["Tags"]):
        return False
    try:
        fields = json.loads(version["SecretString"])
    except ValueError:
        fields = {}
    if reference.json_key in fields:
        return False
    version["SecretString"] = json.dumps({**fields, reference.json_key: PLACEHOLDER})
    return True


def _is_placeholder(tags: Iterable[Any]) -> bool:
    return any(tag["Key"] == TAG and tag["Value"] == "true" for tag in tags)


def _tags(record: _Record) -> dict[str, str]:
    if record.kind == "parameter":
        return dict(ssm._tags.get(record.arn) or {})
    return {tag["Key"]: tag["Value"] for tag in secretsmanager._secrets[record.name]["Tags"]}


def _users(record: _Record) -> set[str] | None:
    """The services that a placeholder is for; None where it is no placeholder."""
    tags = _tags(record)
    return set(tags.get(USERS_TAG, "").split()) if tags.get(TAG) == "true" else None


def _set_users(record: _Record, users: set[str]) -> None:
    tags = {**_tags(record), USERS_TAG: " ".join(sorted(users))}
    if record.kind == "parameter":
        ssm._tags[record.arn] = tags
    else:
        secretsmanager._secrets[record.name]["Tags"] = [
            {"Key": key, "Value": value} for key, value in tags.items()
        ]


def _delete(record: _Record) -> None:
    if record.kind == "parameter":
        ssm._delete_parameter({"Name": record.name})
    else:
        secretsmanager._secrets.pop(record.name, None)
