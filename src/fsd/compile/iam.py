"""Dependencies → policy statements, each permission only where the action works.

Which ARNs those are is known to `fsd.manifest.dependencies`. What cannot be granted raises a
ManifestError; `fsd.lint` finds the same before, with a line and a column.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fsd.compile.desired import Json, JsonValue, Target
from fsd.errors import ErrorCode, ManifestError
from fsd.manifest.dependencies import (
    EVERYTHING,
    KINDS,
    DependencyType,
    arns,
    condition,
)
from fsd.manifest.kafka_actions import missing_kafka_actions
from fsd.manifest.models import Dependency
from fsd.manifest.permissions import (
    PermissionFault,
    describe_elsewhere,
    describe_unknown,
    read_permission,
)

# Characters without white space, all inline policies of a role together.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
INLINE_POLICY_LIMIT = 10_240


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class GrantScope:
    """Where a grant holds. A condition is (operator, key, value)."""

    resources: tuple[str, ...]
    conditions: tuple[tuple[str, str, str], ...] = ()


def compile_statements(dependencies: Sequence[Dependency], *, target: Target) -> list[JsonValue]:
    """Statements in an order that does not depend on the manifest's.

    Dependencies on the same resource are one, and resources with the same permissions share a
    statement. Raises ManifestError for a permission that cannot exist or does not fit. Whether one
    that is not known stops a deployment is the finding's to say: AWS adds actions every week.
    """
    grants: dict[GrantScope, set[str]] = {}
    for dependency, permissions in _merged(dependencies).items():
        for action, scope in _grants(*dependency, permissions, target=target):
            grants.setdefault(scope, set()).add(action)
    return [
        statement(sorted(actions), scope=scope)
        for actions, scope in sorted(_join_resources(grants), key=lambda grant: grant)
    ]


def statement(actions: Sequence[str], *, scope: GrantScope) -> Json:
    result: Json = {
        "Effect": "Allow",
        "Action": list(actions),
        "Resource": list(scope.resources),
    }
    if scope.conditions:
        conditions: dict[str, JsonValue] = {}
        for operator, key, value in scope.conditions:
            operands = conditions.setdefault(operator, {})
            if isinstance(operands, dict):
                operands[key] = value
        result["Condition"] = conditions
    return result


def policy_document(statements: Sequence[JsonValue], *, role: str) -> Json:
    """Raises ManifestError where IAM would not take it, before a stack has to roll back."""
    document: Json = {"Version": "2012-10-17", "Statement": list(statements)}
    size = policy_size(document)
    if size > INLINE_POLICY_LIMIT:
        raise ManifestError(
            f"the policy of the role {role} has {size} characters; IAM takes {INLINE_POLICY_LIMIT}",
            where="dependencies",
            fix="name the actions that the service calls, instead of `*`",
            code=ErrorCode.POLICY_TOO_LONG,
        )
    return document


def policy_size(document: Json) -> int:
    """In characters as IAM counts them: without whitespace."""
    return len("".join(json.dumps(document).split()))


def _merged(dependencies: Sequence[Dependency]) -> Mapping[tuple[str, str], set[str]]:
    merged: dict[tuple[str, str], set[str]] = {}
    for dependency in dependencies:
        found = merged.setdefault((dependency.type, dependency.name), set())
        found.update(dependency.permissions)
    return merged


def _grants(
    type_: str, name: str, permissions: set[str], *, target: Target
) -> Iterator[tuple[str, GrantScope]]:
    kind = _kind(type_, name)
    actions = {
        action
        for permission in sorted(permissions)
        for action in _actions(kind, permission, name=name)
    }
    for action in sorted(actions | set(missing_kafka_actions(actions))):
        resources = tuple(sorted(_in_account(arn, target) for arn in arns(kind, action, name=name)))
        yield action, _scope(kind, resources, name=name)


def _actions(kind: DependencyType, written: str, *, name: str) -> tuple[str, ...]:
    actions, fault = read_permission(kind, written)
    where = f"dependencies: {kind.type} {name}"
    if fault is PermissionFault.UNKNOWN:
        message, near = describe_unknown(written, kind)
        fix = near or f"take an action of {', '.join(sorted(kind.services))}"
        raise ManifestError(message, where=where, fix=fix, code=ErrorCode.UNKNOWN_PERMISSION)
    if fault is PermissionFault.ELSEWHERE:
        message, fix = describe_elsewhere(written, kind)
        raise ManifestError(message, where=where, fix=fix, code=ErrorCode.PERMISSION_TYPE_MISMATCH)
    return actions


def _scope(kind: DependencyType, resources: tuple[str, ...], *, name: str) -> GrantScope:
    if resources == (EVERYTHING,):
        return GrantScope(resources=resources)
    conditions = condition(kind, name=name) or {}
    return GrantScope(
        resources=resources,
        conditions=tuple(
            (operator, key, value)
            for operator, operands in sorted(conditions.items())
            for key, value in sorted(operands.items())
        ),
    )


def _join_resources(
    grants: Mapping[GrantScope, set[str]],
) -> Iterator[tuple[tuple[str, ...], GrantScope]]:
    """One statement for all resources on which the same actions are allowed."""
    joined: dict[tuple[tuple[str, ...], tuple[tuple[str, str, str], ...]], set[str]] = {}
    for scope, actions in grants.items():
        key = (tuple(sorted(actions)), scope.conditions)
        joined.setdefault(key, set()).update(scope.resources)
    for (actions_, conditions), resources in joined.items():
        yield actions_, GrantScope(resources=tuple(sorted(resources)), conditions=conditions)


def _in_account(arn: str, target: Target) -> str:
    """ARNs without pseudo parameters read in a plan as what they are."""
    return (
        arn.replace("${AWS::Partition}", target.partition)
        .replace("${AWS::Region}", target.region)
        .replace("${AWS::AccountId}", target.account)
    )


def _kind(type_: str, name: str) -> DependencyType:
    kind = KINDS.get(type_)
    if kind is None:
        raise ManifestError(
            f"`{type_}` is not a dependency type",
            where=f"dependencies: {name}",
            fix=f"one of {', '.join(sorted(KINDS))}",
            code=ErrorCode.UNKNOWN_DEPENDENCY_TYPE,
        )
    return kind
