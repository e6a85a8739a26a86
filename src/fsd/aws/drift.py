"""CloudFormation's own comparison of a stack with reality. It asks for every resource, and may take
minutes.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/detect-drift-stack.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fsd.aws.errors import call
from fsd.aws.wait import wait_for
from fsd.errors import CallFailedError, ErrorCode
from fsd.release.ports import Clock, Deviation, Drifted, StackDrift

LIMIT = timedelta(minutes=10)
_DIFFERS = {"MODIFIED", "DELETED"}
_SAME = "IN_SYNC"


def detect_drift(client: Any, name: str, *, clock: Clock, poll: timedelta) -> StackDrift:
    """Each resource is read with the caller's permissions. One that these do not suffice for is
    named only in the reason of the detection, which has then failed although the others were
    compared: `is_complete` is False.

    Raises CallFailedError where nothing could be compared, or the role may not ask.
    """
    started = call(client, "detect_stack_drift", name, StackName=name)
    detection = str(started["StackDriftDetectionId"])

    def look() -> dict[str, Any] | None:
        answer = call(
            client,
            "describe_stack_drift_detection_status",
            name,
            StackDriftDetectionId=detection,
        )
        return None if answer["DetectionStatus"] == "DETECTION_IN_PROGRESS" else answer

    done = wait_for(look, clock=clock, poll=poll, limit=LIMIT, where=name)
    reason = str(done.get("DetectionStatusReason", ""))
    has_failed = done["DetectionStatus"] == "DETECTION_FAILED"
    resources = _resources(client, name)
    if has_failed and not resources:
        raise CallFailedError(
            f"CloudFormation could not compare the stack: {reason or 'it gave no reason'}",
            where=name,
            fix="give the role that asks read access to what the reason names",
            code=ErrorCode.DRIFT_UNKNOWN,
        )
    return StackDrift(
        drifted=tuple(_drifted(r) for r in resources if r["StackResourceDriftStatus"] in _DIFFERS),
        unchecked=tuple(
            sorted(
                r["LogicalResourceId"]
                for r in resources
                if r["StackResourceDriftStatus"] not in _DIFFERS | {_SAME}
            )
        ),
        is_complete=not has_failed,
        reason=reason,
    )


def _resources(client: Any, name: str) -> list[dict[str, Any]]:
    """Every page; botocore has no paginator for it."""
    found: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        page = call(client, "describe_stack_resource_drifts", name, StackName=name, **more)
        found += page["StackResourceDrifts"]
        if not page.get("NextToken"):
            return sorted(found, key=lambda resource: str(resource["LogicalResourceId"]))
        more = {"NextToken": page["NextToken"]}


def _drifted(resource: dict[str, Any]) -> Drifted:
    return Drifted(
        resource=resource["LogicalResourceId"],
        type=resource["ResourceType"],
        is_gone=resource["StackResourceDriftStatus"] == "DELETED",
        differences=tuple(
            Deviation(
                path=one["PropertyPath"],
                expected=str(one.get("ExpectedValue", "")),
                actual=str(one.get("ActualValue", "")),
            )
            for one in resource.get("PropertyDifferences", [])
        ),
    )
