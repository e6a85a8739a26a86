"""Whose policy said no: AWS's own clause at the end of an access-denied message, read.

An allow in the role's policy helps only where the role's policy is what lacks it.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Policy(StrEnum):
    """The kind of policy that denied, as AWS spells it."""

    IDENTITY = "identity-based policy"
    RESOURCE = "resource-based policy"
    BOUNDARY = "permissions boundary"
    ORGANIZATION = "service control policy"
    RESOURCE_ORGANIZATION = "resource control policy"
    SESSION = "session policy"
    ENDPOINT = "VPC endpoint policy"
    TRUST = "role trust policy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    action: str  # ecr:BatchGetImage
    who: str  # "role deploy", "user ci"; "" where it is not said
    resource: str  # an ARN, "*", or "" where it is not said
    policy: Policy | None  # None: AWS does not say
    policy_arn: str  # of the policy that denies; "" where it is not said
    is_explicit: bool  # a Deny somewhere, not a missing Allow


# "User: … is not authorized to perform: ecs:X", "API: ec2:X You are not authorized to perform …".
_ACTION = re.compile(
    r"not authorized to perform:? (?:operation:? )?(?P<action>[a-z0-9-]+:[A-Za-z0-9*]+)"
    r"|\bAPI: (?P<api>[a-z0-9-]+:[A-Za-z0-9*]+) You are not authorized"
)
_WHO = re.compile(r":(?:assumed-)?(?P<kind>role|user)/(?P<path>[\w+=,.@/-]+)")
_RESOURCE = re.compile(r"on resource:? (?P<resource>[^\s\"',;)]+)")
_KINDS = "|".join(re.escape(kind) for kind in Policy)
_CLAUSE = re.compile(
    rf"(?:because no|with an explicit deny in (?:an?|the)) (?P<policy>{_KINDS})s?"
    r"(?:: (?P<arn>arn:[^\s\"',;)]+))?",
    re.IGNORECASE,
)
_ENCODED = re.compile(r"Encoded authorization failure message: ?(?P<message>[\w.+/=-]+)")


def find_denial(text: str) -> Denial | None:
    """None where the text names no action that was denied."""
    action = _ACTION.search(text)
    if action is None:
        return None
    clause = _CLAUSE.search(text)
    resource = _RESOURCE.search(text, action.end())
    kinds = {str(kind).lower(): kind for kind in Policy}
    return Denial(
        action=action["action"] or action["api"],
        who=_who(text[: action.start()]),
        resource=resource["resource"].rstrip(".") if resource else "",
        policy=kinds[clause["policy"].lower()] if clause else None,
        policy_arn=(clause["arn"] or "") if clause else "",
        is_explicit="explicit deny" in text,
    )


def find_encoded(text: str) -> str:
    """EC2's denial that only `sts:DecodeAuthorizationMessage` can read; "" where there is none."""
    encoded = _ENCODED.search(text)
    return encoded["message"] if encoded else ""


def advise_denial(denial: Denial) -> str:
    """What to change, and where: one sentence that ends without a full stop."""
    who = f"of {denial.who}" if denial.who else "of the role or user that asked"
    allow = f"allow {denial.action}" + (f" on {denial.resource}" if denial.resource else "")
    if denial.is_explicit:
        where = f"the {denial.policy}" if denial.policy else f"the policies {who}"
        name = f" {denial.policy_arn}" if denial.policy_arn else ""
        return (
            f"remove the explicit deny of {denial.action} from {where}{name}"
            f"{_KEEPER.get(denial.policy, '')}; an allow elsewhere cannot outweigh it"
        )
    match denial.policy:
        case None | Policy.IDENTITY:
            return f"{allow} in a policy {who}"
        case Policy.RESOURCE:
            of = denial.resource or "the resource"
            return f"allow {denial.action} in the resource-based policy of {of}"
        case Policy.ENDPOINT:
            return f"{allow} in the VPC endpoint's policy"
        case Policy.TRUST:
            return (
                f"name the caller as a principal in the role's trust policy, with {denial.action}"
            )
    keeper = _KEEPER.get(denial.policy, "")
    return f"{allow} in the {denial.policy}{keeper} too; the policy {who} is not enough"


# Who can change a policy that is not in the account's own hands.
_KEEPER: dict[Policy | None, str] = {
    Policy.ORGANIZATION: " (AWS Organizations: the management account has it)",
    Policy.RESOURCE_ORGANIZATION: " (AWS Organizations: the management account has it)",
}


def _who(text: str) -> str:
    """`…:assumed-role/deploy/session` → role deploy; `…:user/team/ci` → user ci."""
    found = _WHO.search(text)
    if found is None:
        return ""
    parts = found["path"].split("/")
    is_session = f"assumed-{found['kind']}/" in found[0]
    return f"{found['kind']} {parts[0] if is_session else parts[-1]}"
