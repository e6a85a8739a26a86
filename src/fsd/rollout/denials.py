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


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    action: str  # ecr:BatchGetImage
    who: str  # the role's name; "" where it is not said
    policy: Policy | None  # None: AWS does not say
    is_explicit: bool  # a Deny somewhere, not a missing Allow


_ACTION = re.compile(r"not authorized to perform:? (?P<action>[a-z0-9-]+:[A-Za-z0-9*]+)")
_WHO = re.compile(r":(?:assumed-role|role|user)/(?P<who>[\w+=,.@/-]+)")
_KINDS = "|".join(re.escape(kind) for kind in Policy)
_CLAUSE = re.compile(
    rf"(?:because no|with an explicit deny in an?) (?P<policy>{_KINDS})s?", re.IGNORECASE
)


def find_denial(text: str) -> Denial | None:
    """None where the text names no action that was denied."""
    action = _ACTION.search(text)
    if action is None:
        return None
    who = _WHO.search(text[: action.start()])
    clause = _CLAUSE.search(text)
    kinds = {str(kind).lower(): kind for kind in Policy}
    return Denial(
        action=action["action"],
        who=who["who"].partition("/")[0] if who else "",
        policy=kinds[clause["policy"].lower()] if clause else None,
        is_explicit="explicit deny" in text,
    )


def advise_denial(denial: Denial) -> str:
    """What to change, and where: one sentence that ends without a full stop."""
    who = f"of {denial.who}" if denial.who else "of the role"
    if denial.policy is None:
        return f"allow {denial.action} in a policy {who}"
    if denial.is_explicit:
        return (
            f"remove the explicit deny of {denial.action} from the {denial.policy}; an allow "
            "elsewhere cannot outweigh it"
        )
    match denial.policy:
        case Policy.IDENTITY:
            return f"allow {denial.action} in a policy {who}"
        case Policy.RESOURCE:
            return f"allow {denial.action} in the resource-based policy of the resource"
        case Policy.ENDPOINT:
            return f"allow {denial.action} in the VPC endpoint's policy"
    return f"allow {denial.action} in the {denial.policy} too; the policy {who} is not enough"
