"""A stack as it is, for who only wants to know: in any state, and from answers that lack something.

https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fsd.aws.ecs_shapes import utc
from fsd.aws.errors import aws_code, aws_message, call
from fsd.errors import CallFailedError
from fsd.release.mask import mask
from fsd.snapshot import StackLook

# CloudFormation starts an operation with one of these for the stack itself.
_BEGINS = frozenset(
    {"REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}
)
_CANCELLED = ("resource creation cancelled", "resource update cancelled")


def look_at_stack(client: Any, name: str) -> StackLook | None:
    """None where there is no stack of that name. Raises CallFailedError."""
    try:
        answer = call(client, "describe_stacks", name, StackName=name)
    except CallFailedError as error:
        if aws_code(error) == "ValidationError" and "does not exist" in aws_message(error):
            return None
        raise
    stack = next(iter(answer.get("Stacks", [])), None)
    if stack is None:
        raise CallFailedError(
            "the answer names no stack, and not that there is none",
            where=f"DescribeStacks {name}",
            fix="run it again",
        )
    return _to_look(client, name, stack)


def _to_look(client: Any, name: str, stack: dict[str, Any]) -> StackLook:
    drift = stack.get("DriftInformation", {})
    outputs = stack.get("Outputs", [])
    look = StackLook(
        name=name,
        status=str(stack.get("StackStatus", "")),
        outputs=tuple((o.get("OutputKey", ""), o.get("OutputValue", "")) for o in outputs),
        drift=drift.get("StackDriftStatus", ""),
        drift_checked_at=utc(drift.get("LastCheckTimestamp")),
    )
    return replace(look, reason=_why(client, name, stack)) if look.is_broken else look


def _why(client: Any, name: str, stack: dict[str, Any]) -> str:
    """The resource that failed first and AWS's words; else the stack's own reason."""
    own = str(stack.get("StackStatusReason", ""))
    try:
        page = call(client, "describe_stack_events", name, StackName=stack.get("StackId", name))
    except CallFailedError:
        return mask(own)  # the status is said all the same
    failed = _of_last_operation(page.get("StackEvents", []), name)
    if not failed:
        return mask(own)
    first = failed[-1]
    what = first.get("LogicalResourceId") or "a resource"
    kind = f" ({first['ResourceType']})" if first.get("ResourceType") else ""
    reason = first.get("ResourceStatusReason", "")
    return mask(f"{what}{kind} {first['ResourceStatus']}{': ' if reason else ''}{reason}")


def _of_last_operation(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Its failures, newest first as CloudFormation answers; not what was cancelled because of
    them, nor the stack itself."""
    found = []
    for event in events:
        status = str(event.get("ResourceStatus", ""))
        if event.get("LogicalResourceId") == name:
            if status in _BEGINS:
                break
            continue
        reason = str(event.get("ResourceStatusReason", ""))
        if status.endswith("_FAILED") and not reason.lower().startswith(_CANCELLED):
            found.append(event)
    return found
