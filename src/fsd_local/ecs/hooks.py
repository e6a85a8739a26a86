"""Lifecycle hooks of a service deployment: what they may be, when they run, how they end. Pure.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-lifecycle-hooks.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from fsd_local.ecs.faults import invalid, unsupported
from fsd_local.ecs.model import HookRun, HookStatus, Json, ServiceDeployment

PRE_SHIFT = "PRE_PRODUCTION_TRAFFIC_SHIFT"  # a stage of hooks only
_PAUSE = "PAUSE"
_NO_PAUSE = {"RECONCILE_SERVICE", "TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT"}
_MINUTE = 60.0
_DAY = 24 * 60  # minutes
_LONGEST_PAUSE = 14 * _DAY
_LONGEST_DELAY = _DAY * _MINUTE  # seconds
CALL_AGAIN = 30.0  # seconds, where a hook that is in progress does not say
_ROLE = re.compile(r"arn:[a-z-]+:iam::\d{12}:role/.+")


def check_hooks(configuration: Json) -> None:
    """Raises ApiError. The words are those of
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html
    """
    hooks = configuration.get("lifecycleHooks") or ()
    if hooks and configuration["strategy"] == "ROLLING":
        raise unsupported(
            "The embedded AWS runs lifecycleHooks only with the strategies BLUE_GREEN, CANARY and "
            "LINEAR."
        )
    for hook in hooks:
        stages = hook.get("lifecycleStages") or ()
        if not stages:
            raise invalid("lifecycleStages must not be empty.")
        if hook.get("targetType") == _PAUSE:
            _check_pause(hook, stages)
        else:
            _check_lambda(hook)


def _check_pause(hook: Json, stages: Sequence[str]) -> None:
    if _NO_PAUSE & set(stages):
        raise invalid("Invalid lifecycle stage provided for Pause Hook")
    if hook.get("hookTargetArn") or hook.get("roleArn"):
        raise invalid("hookTargetArn and roleArn are not applicable for PAUSE hooks.")
    minutes = (hook.get("timeoutConfiguration") or {}).get("timeoutInMinutes", _DAY)
    if not 1 <= minutes <= _LONGEST_PAUSE:
        raise invalid(f"timeoutInMinutes must be between 1 and {_LONGEST_PAUSE}.")


def _check_lambda(hook: Json) -> None:
    if ":lambda:" not in hook.get("hookTargetArn", ""):
        raise invalid("hookTargetArn must be the ARN of a Lambda function.")
    if not _ROLE.fullmatch(hook.get("roleArn", "")):
        raise invalid("roleArn must be the ARN of an IAM role.")


def hooks_at(deployment: ServiceDeployment, stages: Sequence[str]) -> Iterator[tuple[Json, str]]:
    """(hook, stage) of each hook that runs at one of the stages."""
    for stage in stages:
        for hook in deployment.configuration.get("lifecycleHooks") or ():
            if stage in hook["lifecycleStages"]:
                yield hook, stage


def begin(hook: Json, stage: str, now: float, *, token: str, speed: float) -> HookRun:
    is_pause = hook.get("targetType") == _PAUSE
    timeout = hook.get("timeoutConfiguration") or {}
    minutes = timeout.get("timeoutInMinutes", _DAY)
    return HookRun(
        id=f"ecs-{'pause' if is_pause else 'lambda'}-{token}",
        is_pause=is_pause,
        stage=stage,
        target_arn=hook.get("hookTargetArn", ""),
        details=hook.get("hookDetails"),
        status=HookStatus.AWAITING_ACTION if is_pause else HookStatus.IN_PROGRESS,
        expires_at=now + minutes * _MINUTE / speed,
        timeout_action=timeout.get("action", "ROLLBACK"),
        next_call=now,
    )


def failed_reason(runs: Sequence[HookRun]) -> str:
    """Why the deployment rolls back, of AWS's words; "" where no hook asks for it."""
    for run in runs:
        if run.status is HookStatus.FAILED and run.reason:
            return (
                f"Service deployment rolled back because {run.stage} lifecycle hook(s) failed. "
                f"{run.reason}"
            )
        if run.status is HookStatus.TIMED_OUT and run.timeout_action == "ROLLBACK":
            kind = "pause" if run.is_pause else "lifecycle"
            return f"Service deployment rolled back because {run.stage} {kind} hook timed out."
    return ""


def event(run: HookRun, deployment: ServiceDeployment, service_arn: str) -> Json:
    """What a Lambda hook is called with, as AWS's blog shows it:
    https://aws.amazon.com/blogs/aws/accelerate-safe-software-releases-with-new-built-in-blue-green-deployments-in-amazon-ecs/
    """
    traffic = deployment.traffic
    shown: Json = {
        "executionDetails": {
            "testTrafficWeights": _weights(run, "TEST_TRAFFIC_SHIFT", traffic.test, deployment),
            "productionTrafficWeights": _weights(
                run, "PRODUCTION_TRAFFIC_SHIFT", traffic.production, deployment
            ),
            "serviceArn": service_arn,
            "targetServiceRevisionArn": deployment.target.arn,
        },
        "executionId": run.id,
        "lifecycleStage": run.stage,
        "resourceArn": deployment.arn,
    }
    return shown | ({"hookDetails": run.details} if run.details is not None else {})


def _weights(
    run: HookRun, stage: str, percent: float | None, deployment: ServiceDeployment
) -> dict[str, float]:
    """By revision, at the stage that shifts; {} at all others, as AWS sends it."""
    if run.stage != stage or percent is None:
        return {}
    rest = {source.arn: 100 - percent for source in deployment.sources[:1]}
    return {deployment.target.arn: percent} | rest


def answered(run: HookRun, answer: Mapping[str, object], now: float, *, speed: float) -> None:
    """Take an invocation's answer. One without a status fails; one that comes after the hook has
    ended changes nothing."""
    if not run.is_pending:
        return
    status = answer.get("hookStatus")
    if status == "SUCCEEDED":
        run.status = HookStatus.SUCCEEDED
    elif status == "IN_PROGRESS":
        _wait_on(run, answer, now, speed=speed)
    elif status == "FAILED":
        failed(run, f"Lifecycle hook target {run.target_arn} returned FAILED status.")
    else:
        failed(run, _unparsed(run, "HookStatus must not be null"))


def _wait_on(run: HookRun, answer: Mapping[str, object], now: float, *, speed: float) -> None:
    """Until the hook is called again, which may be no later than the longest hook lasts."""
    delay = answer.get("callBackDelay")
    seconds = delay if isinstance(delay, int | float) else CALL_AGAIN
    if not 0 <= seconds <= _LONGEST_DELAY:  # NaN is not, either
        failed(run, _unparsed(run, f"callBackDelay must be between 0 and {_LONGEST_DELAY:.0f}"))
        return
    run.next_call = now + seconds / speed
    details = answer.get("hookDetails")
    run.details = details if isinstance(details, dict) else run.details


def _unparsed(run: HookRun, why: str) -> str:
    return f"ECS was unable to parse the response from {run.target_arn} due to {why}"


def not_invoked(function_arn: str, why: str) -> str:
    return f"ECS was unable to invoke hook target {function_arn} due to {why}"


def failed(run: HookRun, reason: str) -> None:
    """Unless it has ended."""
    if not run.is_pending:
        return
    run.status, run.reason = HookStatus.FAILED, reason
