"""The policies of one environment's roles: read, and written with one action less."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.local.server.enforced import Account
from tests.privilege.record import Permission

MANAGED = ("deploy", "plan", "cloudformation", "boundary")


def policy_arns(root: Account, role: str, environment: str) -> list[str]:
    if role == "boundary":
        return [f"arn:aws:iam::{root.id}:policy/fsd-boundary-{environment}"]
    name = f"fsd-{role}-{environment}-org.offers"
    attached = root.client("iam").list_attached_role_policies(RoleName=name)
    return [one["PolicyArn"] for one in attached["AttachedPolicies"]]


def document(root: Account, arn: str) -> Any:
    iam = root.client("iam")
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


@contextmanager
def without(root: Account, permission: Permission, environment: str) -> Iterator[None]:
    """The role may do all that it may, but for this."""
    write: Callable[[Account, str, Any], None]
    if permission.role in MANAGED:
        before = {
            arn: document(root, arn) for arn in policy_arns(root, permission.role, environment)
        }
        write = _write_managed
    else:
        before = dict(_inline(root, permission.role, environment))
        write = _write_inline
    changed = {key: _less(each, permission) for key, each in before.items()}
    different = [key for key in before if changed[key] != before[key]]
    assert different, permission
    for key in different:
        write(root, key, changed[key])
    try:
        yield
    finally:
        for key in different:
            write(root, key, before[key])


def _less(policy: Any, permission: Permission) -> Any:
    found = copy.deepcopy(policy)
    statements = []
    for statement in found["Statement"]:
        if permission.sid in ("", statement.get("Sid", "")):
            actions = statement["Action"]
            actions = [actions] if isinstance(actions, str) else actions
            statement["Action"] = [one for one in actions if one != permission.action]
        if statement["Action"]:
            statements.append(statement)
    found["Statement"] = statements
    return found


def _write_managed(root: Account, arn: str, policy: Any) -> None:
    """As its only version: IAM keeps five."""
    iam = root.client("iam")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(policy), SetAsDefault=True)
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])


def _inline(root: Account, role: str, environment: str) -> Iterator[tuple[str, Any]]:
    """Of roles that a service's stack made; by role and name of the policy."""
    iam = root.client("iam")
    for one in iam.list_roles(PathPrefix="/fsd/")["Roles"]:
        name = one["RoleName"]
        if name.endswith(f"-{environment}-{role}"):
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                answer = iam.get_role_policy(RoleName=name, PolicyName=policy)
                yield f"{name}/{policy}", answer["PolicyDocument"]


def _write_inline(root: Account, key: str, policy: Any) -> None:
    role, _, name = key.partition("/")
    iam = root.client("iam")
    if not policy["Statement"]:
        iam.delete_role_policy(RoleName=role, PolicyName=name)
        return
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(policy))
