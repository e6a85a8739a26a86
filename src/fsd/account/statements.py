"""A policy that is read, not evaluated: what its statements say of a principal and an action. Pure.

A condition whose keys a request would bring is taken to hold: what cannot be known from here
must not be reported as a trouble.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from fsd.compile.desired import Json, JsonValue


def statements(policy: Json) -> Iterator[Json]:
    found = policy.get("Statement", [])
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, dict):
            yield one


def texts(value: JsonValue) -> tuple[str, ...]:
    """IAM writes one value without its list."""
    if value is None:
        return ()
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def fits(pattern: str, text: str) -> bool:
    """With IAM's two wildcards; `[` is none. fnmatch matches many stars without trying every way:
    the pattern is of somebody's policy."""
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def is_about(statement: Json, action: str) -> bool:
    """Whether it has this action; IAM compares actions without their case."""
    asked = action.lower()
    if "NotAction" in statement:
        return not any(fits(one.lower(), asked) for one in texts(statement["NotAction"]))
    return any(fits(one.lower(), asked) for one in texts(statement.get("Action")))


def covers_bucket(statement: Json, bucket: str) -> bool:
    """Whether it is about the whole bucket, or all its objects; not about a folder in it."""
    named = texts(statement.get("Resource"))
    wholes = (f":::{bucket}", f":::{bucket}/*")
    return any(one == "*" or one.endswith(wholes) for one in named)


def covers_whole(statement: Json, resource: str) -> bool:
    """Whether it is about all of `resource`, which is the end of an ARN, as `table/offers`; not
    about an index or a consumer of it."""
    return any(
        one == "*" or fits(one.split(":", 5)[-1], resource)
        for one in texts(statement.get("Resource"))
    )


def names_role(statement: Json, role_arn: str, *, or_account: bool = False) -> bool:
    """Whether its principal is this role itself, or everybody.

    The role's account as principal is everybody of it where a statement denies; where it allows, it
    only leaves the decision to the role's own policies.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    principal = statement.get("Principal")
    if principal == "*":
        return True
    named = texts(principal.get("AWS")) if isinstance(principal, dict) else ()
    account = role_arn.split(":")[4] if role_arn else ""
    wanted = {"*", role_arn}
    if or_account and account:
        wanted |= {account, f"arn:{role_arn.split(':')[1]}:iam::{account}:root"}
    return not wanted.isdisjoint(named)


def principal_condition(statement: Json, role_arn: str) -> bool | None:
    """Whether its conditions hold for a request of the role; None where they ask for more than the
    caller's ARN, which only the request shows."""
    conditions = statement.get("Condition")
    if not isinstance(conditions, dict) or not conditions:
        return True
    held: list[bool | None] = []
    for operator, operands in conditions.items():
        for key, value in operands.items() if isinstance(operands, dict) else ():
            if key.lower() != "aws:principalarn":
                held.append(None)
                continue
            is_named = any(fits(one, role_arn) for one in texts(value))
            held.append(is_named is not ("not" in operator.lower()))
    if False in held:
        return False
    return None if None in held else True
