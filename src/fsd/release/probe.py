"""A health check that moves is tried first, on the tasks that run.

It belongs to the target group, so the stack's change would have it judge the old tasks at once, and
ECS stops what fails it: a mistyped path ends what serves. So before anything changes, the running
tasks are asked in a target group of its own, behind a listener rule that no request matches.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
https://github.com/aws/copilot-cli/issues/4838 is such an end: rolled back, and not healthy.

Each run has a probe of its own, so that runs side by side never touch each other's, and removes it
whatever happens. A run that is killed leaves it: its name says until when it could be in use, and
the first run after that removes it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fsd.compile.desired import OUTPUT_TARGET_GROUP, Desired, Json
from fsd.errors import CallFailedError, ErrorCode, Interrupted, RefusedError
from fsd.plan.moved_check import MovedCheck, find_moved_checks, open_port
from fsd.plan.observed import Observed
from fsd.plan.serving import serving_group
from fsd.plan.steps import ApplyStack, Plan
from fsd.plan.transition import is_same_template
from fsd.quoted import Quoted
from fsd.release.notes import CheckPassed, CheckTried, PortOpened, ProbeLeft, Remark
from fsd.release.pace import Pace
from fsd.release.ports import Aws, Clock, PermissionDenied, TargetGroupGone, Throttled
from fsd.release.reporter import Reporter
from fsd.rollout.diagnose import group_name
from fsd.snapshot import TargetHealth

INSIST = "--allow-interruption"

# A new target is healthy after one passing check, and unhealthy after this many failing ones.
CHECKS = 2
_REGISTRATION = timedelta(seconds=60)  # until a load balancer begins to check a new target
# A process answers in real time, whatever the speed of an embedded AWS.
_SHORTEST_LIMIT = timedelta(seconds=20)
_TRIES = 3  # where somebody removes the probe meanwhile
# Two runners' clocks may differ, and a run needs some calls besides the time that it waits.
_MARGIN = timedelta(seconds=60)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheckTrial:
    """What trying a health check needs."""

    aws: Aws
    clock: Clock
    reporter: Reporter
    pace: Pace
    desired: Desired
    change_stack: Callable[[Json], None]  # to this template, until the answer is there


def probe_prefix(stack_name: str) -> str:
    """What the names of a stack's probes begin with; the stack's name itself may be too long."""
    return f"fsd-probe-{hashlib.sha256(stack_name.encode()).hexdigest()[:8]}-"


def probe_name(stack_name: str, *, until: datetime) -> str:
    """Of a target group, unique to one try: 32 characters, which is all that ELB takes.

    `until` (to the second) is when its run has given up at the latest. ELB tells no creation time,
    so the name does.
    """
    return f"{probe_prefix(stack_name)}{int(until.timestamp()):x}-{secrets.token_hex(2)}"


def is_left_over(name: str, *, now: datetime) -> bool:
    """Whether no run can be using the probe any more. Also where the name says no time."""
    found = re.search(r"-([0-9a-f]{8})-[0-9a-f]{4}$", name)
    return found is None or datetime.fromtimestamp(int(found[1], 16), UTC) < now


def start_sweep(aws: Aws, stack_name: str) -> Callable[[], Sequence[str]]:
    """The read of what `sweep` looks at."""
    return aws.reads.start(lambda: aws.probes.names(probe_prefix(stack_name)))


def sweep(
    aws: Aws,
    names: Callable[[], Sequence[str]],
    *,
    now: datetime | None,
    reporter: Reporter,
) -> None:
    """Remove what killed runs left. One call where there is nothing.

    Without `now` every probe goes, of whatever age: the service itself is being deleted.
    A role that may not look has made none. What AWS refuses is told, and stops nothing.
    """
    try:
        for name in names():
            if (now is None or is_left_over(name, now=now)) and aws.probes.remove(name):
                reporter.note(Remark.PROBE_SWEPT)
    except PermissionDenied:
        return
    except CallFailedError as error:
        reporter.note(ProbeLeft(error=Quoted.with_place(error), is_own=False))


def try_moved_check(trial: HealthCheckTrial, observed: Observed, plan: Plan) -> None:
    """Ask the running tasks what the plan's stack will ask them; nothing where nothing moves.

    Raises RefusedError where a task that is healthy now fails, CallFailedError where that cannot be
    found out. Tasks that fail today are not asked: there is nothing to lose.
    """
    group = observed.stack.outputs.get(OUTPUT_TARGET_GROUP, "") if observed.stack else ""
    group = observed.serving or group
    moved = _find_moved(observed, plan)
    service = observed.service
    attached = (*service.target_group_arns, observed.serving) if service else ()
    if moved is None or group not in attached:
        return
    healthy = _healthy(trial.aws.targets.health(group))
    if not healthy:
        return
    trial.reporter.note(CheckTried(moved=moved, tasks=len(healthy)))
    _open_port(trial, observed, plan, moved)
    failing = _ask(trial, group, moved, healthy)
    if not failing:
        trial.reporter.note(CheckPassed(moved=moved, tasks=len(healthy)))
        return
    # What was stopped meanwhile, by scaling in for example, could not answer.
    still = {(target.address, target.port) for target in _healthy(trial.aws.targets.health(group))}
    failing = [target for target in failing if (target.address, target.port) in still]
    if failing:
        raise _refusal(failing, of=len(healthy), moved=moved, group=group)


def _open_port(trial: HealthCheckTrial, observed: Observed, plan: Plan, moved: MovedCheck) -> None:
    """A port of its own is asked through the security groups, which let nobody there yet."""
    stack, step = observed.stack, _stack_step(plan)
    if stack is None or step is None or moved.after.port in {"traffic-port", moved.before.port}:
        return
    opened = open_port(stack.template, step.template)
    if not is_same_template(opened, stack.template):
        trial.reporter.note(PortOpened(port=moved.after.port))
        trial.change_stack(opened)


def _stack_step(plan: Plan) -> ApplyStack | None:
    return next((s for s in plan.steps if isinstance(s, ApplyStack) and not s.cleans_up), None)


def _find_moved(observed: Observed, plan: Plan) -> MovedCheck | None:
    """The check of the target group that the service is attached to, in the stack of now."""
    stack, step = observed.stack, _stack_step(plan)
    if stack is None or step is None:
        return None
    for moved in find_moved_checks(stack.template, step.template):
        if moved.target_group == serving_group(observed):
            return moved
    return None


def _ask(
    trial: HealthCheckTrial, group: str, moved: MovedCheck, targets: Sequence[TargetHealth]
) -> list[TargetHealth]:
    """Those that fail. Raises CallFailedError where the load balancer does not say."""
    for _ in range(_TRIES):
        try:
            return _ask_once(trial, group, moved, targets)
        except TargetGroupGone:
            trial.reporter.note(Remark.PROBE_GONE)
    raise CallFailedError(
        f"the health check's probe was removed {_TRIES} times while it was used",
        where=f"target group {probe_prefix(trial.desired.stack_name)}…",
        fix=f"find what removes it (CloudTrail: DeleteTargetGroup), or take the risk with {INSIST}",
        code=ErrorCode.HEALTH_CHECK_NOT_TRIED,
    )


def _ask_once(
    trial: HealthCheckTrial, group: str, moved: MovedCheck, targets: Sequence[TargetHealth]
) -> list[TargetHealth]:
    probes, limit = trial.aws.probes, _limit(moved.after.timeout, trial.pace.speed)
    name = probe_name(trial.desired.stack_name, until=trial.clock.now() + limit + _MARGIN)
    tags = {"fsd:probe": trial.desired.stack_name, **trial.desired.stack_tags}
    try:
        arn = probes.start(name, like=group, check=moved.after, targets=targets, tags=tags)
        return _wait_for_answers(trial, arn, moved, targets)
    except TargetGroupGone:
        raise
    except CallFailedError as error:
        if error.code is ErrorCode.HEALTH_CHECK_NOT_TRIED:
            raise
        raise _could_not_try(error, moved) from error
    finally:
        _remove(trial, name)


def _remove(trial: HealthCheckTrial, name: str) -> None:
    """Also where the signal comes just now. What AWS refuses is told: a later run tries again."""
    try:
        trial.aws.probes.remove(name)
    except Interrupted:
        trial.aws.probes.remove(name)
        raise
    except CallFailedError as error:
        trial.reporter.note(ProbeLeft(error=Quoted.with_place(error), is_own=True))


def _wait_for_answers(
    trial: HealthCheckTrial, arn: str, moved: MovedCheck, targets: Sequence[TargetHealth]
) -> list[TargetHealth]:
    began = trial.clock.now()
    limit = _limit(moved.after.timeout, trial.pace.speed)
    wanted = {(target.address, target.port) for target in targets}
    while True:
        seen = _look(trial, arn)
        judged = [t for key, t in seen.items() if key in wanted and t.state in _JUDGED]
        if len(judged) == len(wanted):
            return [target for target in judged if target.state != "healthy"]
        if trial.clock.now() - began >= limit:
            raise _no_answer(seen, judged, limit=limit, moved=moved)
        trial.clock.wait(trial.pace.interval(trial.clock.now() - began))


_JUDGED = frozenset({"healthy", "unhealthy"})


def _look(trial: HealthCheckTrial, arn: str) -> dict[tuple[str, int], TargetHealth]:
    """Throttling is a later look, and not an error."""
    try:
        seen = trial.aws.targets.find_health(arn)
    except Throttled:
        return {}
    if seen is None:
        raise TargetGroupGone("it is not there", where=arn, fix="run it again")
    return {(target.address, target.port): target for target in seen}


def check_interval(timeout: int) -> int:
    """Seconds between two checks: as short as ELB takes, and longer than one may last.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
    """
    return max(5, timeout + 1)


def _limit(timeout: int, speed: float) -> timedelta:
    checks = timedelta(seconds=(CHECKS + 1) * check_interval(timeout))
    return max(_SHORTEST_LIMIT, (_REGISTRATION + checks) / speed)


def _healthy(targets: Sequence[TargetHealth]) -> list[TargetHealth]:
    return [target for target in targets if target.state == "healthy"]


def _refusal(
    failing: Sequence[TargetHealth], *, of: int, moved: MovedCheck, group: str
) -> RefusedError:
    reasons = dict.fromkeys(target.description or target.reason for target in failing)
    which = f"{len(failing)} of {_count(of, 'running task')}"
    verb = "fails" if len(failing) == 1 else "fail"
    return RefusedError(
        f"{which} {verb} the new health check {moved.change}: {'; '.join(reasons)}. ECS would stop "
        "the running tasks, so FSD changed nothing",
        where=f"{', '.join(f'{t.address}:{t.port}' for t in failing)} · "
        f"target group {group_name(group)}",
        fix="if the path has a typo, correct it. Otherwise, release code that answers "
        f"{moved.after.text}, and change the check in the release after that. To accept an "
        f"interruption, add {INSIST}",
        code=ErrorCode.HEALTH_CHECK_WOULD_END_OLD_TASKS,
    )


def _no_answer(
    seen: dict[tuple[str, int], TargetHealth],
    judged: Sequence[TargetHealth],
    *,
    limit: timedelta,
    moved: MovedCheck,
) -> CallFailedError:
    waits = [target for target in seen.values() if target not in judged]
    states = dict.fromkeys(f"{t.state} {t.description or t.reason}".strip() for t in waits)
    why = "; ".join(states) or "AWS throttles"
    return CallFailedError(
        f"the load balancer did not say within {limit.total_seconds():.0f} s whether the running "
        f"tasks pass {moved.after.text}: {why}; nothing was changed",
        where=", ".join(f"{t.address}:{t.port}" for t in waits) or "DescribeTargetHealth",
        fix=f"run it again, or take the risk with {INSIST}",
        code=ErrorCode.HEALTH_CHECK_NOT_TRIED,
    )


def _could_not_try(error: CallFailedError, moved: MovedCheck) -> CallFailedError:
    """What AWS says, with what it stands in the way of."""
    translated = type(error)(
        f"the running tasks could not be asked for {moved.after.text}, and nothing was changed: "
        f"{error.what}",
        where=error.where,
        fix=f"{error.fix}; or take the risk with {INSIST}",
        code=error.code,
    )
    translated.may_pass = error.may_pass
    return translated


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
