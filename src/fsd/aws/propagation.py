"""IAM is eventually consistent: a role that was made a moment ago is refused for some seconds.

ECS, Application Auto Scaling, EventBridge Scheduler and CloudFormation then say that they cannot
assume it. The first CreateCluster of an account is the known case: it makes ECS's service-linked
role, and cannot use it yet. Each is waited for, a minute at the most; a role that is really wrong
is refused then too.
https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
https://github.com/aws/containers-roadmap/issues/2614
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from fsd.aws.errors import aws_code, aws_message
from fsd.errors import CallFailedError
from fsd.release.ports import Clock

PAUSES = tuple(timedelta(seconds=s) for s in (2, 4, 8, 15, 15, 15))  # 59 s

# What refuses a role, and how: all of them refuse a parameter. AccessDenied is about the caller.
_CODES = frozenset(
    {
        "ClientException",  # ECS
        "InvalidParameterException",
        "ValidationError",  # CloudFormation
        "ValidationException",  # Application Auto Scaling, EventBridge Scheduler
    }
)
_NOT_THERE_YET = re.compile(
    r"unable to assume (?:[\w-]+ ){0,4}role\b"
    r"|must allow AWS EventBridge Scheduler to assume the role"
    r"|\brole (?:arn:\S+ )?is (?:not valid|invalid or cannot be assumed)",
    re.IGNORECASE,
)

T = TypeVar("T")


def once_roles_are_known(ask: Callable[[], T], *, clock: Clock) -> T:
    """`ask`, again for a minute while AWS does not know a role yet. Raises its last error.

    A refused parameter means that nothing was done, so asking again is safe.
    """
    for pause in PAUSES:
        try:
            return ask()
        except CallFailedError as error:
            if not is_unknown_role(error):
                raise
        clock.wait(pause)
    return ask()


def is_unknown_role(error: CallFailedError) -> bool:
    """Whether AWS says that it cannot use a role, which may be too new."""
    return aws_code(error) in _CODES and bool(_NOT_THERE_YET.search(aws_message(error)))
