"""When a rollback leaves no healthy task: say since when, and bring the last good revision back.

ECS's own rollback may fail by what the release has broken: its tasks were judged by a health check
that was not theirs. So the check goes back first, then the revision is rolled out once more.
Another run's deployment is never touched.

What ECS calls failed may serve all the same: what is seen at the end decides, not ECS's word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from fsd.errors import CallFailedError, TimedOutError
from fsd.plan.diff import health_path
from fsd.plan.moved_check import find_moved_checks
from fsd.plan.previous_stack import split_previous
from fsd.plan.transition import is_same_template, transition_template
from fsd.quoted import Quoted
from fsd.release.concurrency.races import find_lost_race
from fsd.release.healthy import read_serving, read_targets
from fsd.release.messages import (
    BackAndHealth,
    CheckNotRestored,
    Down,
    HealthUnknown,
    NotRolledOutAgain,
    ServesAllTheSame,
    Since,
    StepRefused,
    WasDown,
)
from fsd.release.notes import ServiceIsDown
from fsd.release.result import Outcome
from fsd.release.rollback import asking_again, could_not_go_back, update_to, verified
from fsd.release.rollback_stack import apply_stack_of_both
from fsd.release.rollback_target import GoBack, RolledBackTo
from fsd.rollout.assess import Unproved
from fsd.rollout.diagnose import family_revision
from fsd.rollout.steadiness import count_healthy

# What ECS says is back may be starting again: a start, and a check or two.
_RESTART = timedelta(minutes=2)
_STAYS = timedelta(seconds=30)  # what has served for so long is not between two crashes
_SHORTEST_RESTART = timedelta(seconds=10)  # a process starts in real time


def bring_back(back: GoBack, ended: RolledBackTo) -> RolledBackTo:
    """`ended`, or what became of it where no task was healthy. Raises nothing that AWS does."""
    can_be_down = ended.outcome is Outcome.ROLLBACK_FAILED or (
        ended.outcome is Outcome.ROLLED_BACK and back.stack is not None
    )
    if not can_be_down:
        return ended
    try:
        back = asking_again(back)
        good = back.good
        if good is None or not back.can_redeploy:
            return ended
        if _is_down(back):
            if _is_anothers(back, good):
                return ended
            ended = _bring_back(back, good, ended)
        return _as_it_serves(back, good, ended)
    except (CallFailedError, TimedOutError) as error:
        return _with_health(ended, HealthUnknown(error=Quoted.with_place(error)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenServing:
    """What one look shows of a service."""

    revision: str  # that it is on
    desired: int
    healthy: int  # tasks of that revision
    others: int  # tasks of other revisions that run
    tasks: frozenset[str]  # of that revision, by id


def outcome_of_serving(
    ended: Outcome, looks: Sequence[SeenServing], *, good: str, failed: str
) -> Outcome:
    """Whether what ECS could not roll back is back all the same: exit 6, and not 7.

    It is where every look, of two or more, shows the good revision alone, in full count and
    healthy, and where no task came or went between them: tasks that crash run between two crashes.
    Every other outcome stays. So does it where the good revision is the one that failed, as after
    a restart: then nothing tells its tasks apart.
    """
    if ended is not Outcome.ROLLBACK_FAILED or good == failed or len(looks) < 2:
        return ended
    serves = all(
        one.revision == good and one.others == 0 and 0 < one.desired <= one.healthy for one in looks
    )
    stays = len({one.tasks for one in looks}) == 1
    return Outcome.ROLLED_BACK if serves and stays else ended


def _as_it_serves(back: GoBack, good: str, ended: RolledBackTo) -> RolledBackTo:
    """`ended`, or what became of it where the good revision serves. Then the rest goes back too."""
    failed = back.ours.task_definition_arn
    first = _stand(back) if ended.outcome is Outcome.ROLLBACK_FAILED else None
    # The first look counts twice: whether the second one is worth the wait.
    if first is None or not _is_back(ended, [first, first], good=good, failed=failed):
        return ended
    back.operation.clock.wait(max(_SHORTEST_RESTART, _STAYS / back.operation.pace.speed))
    looks = [first, *filter(None, [_stand(back)])]
    if not _is_back(ended, looks, good=good, failed=failed) or _is_anothers(back, good):
        return ended
    try:
        apply_stack_of_both(back)  # going back may have ended before it came to the stack
        done = verified(back)
        if not _is_stack_back(back):
            return ended
    except (CallFailedError, TimedOutError) as error:
        return could_not_go_back(back, StepRefused(error=Quoted.with_place(error)))
    if done.outcome is not Outcome.ROLLED_BACK:
        return done
    if isinstance(ended.message, BackAndHealth):  # since when it was down, and until when
        return replace(done, message=ended.message)
    serves = ServesAllTheSame(
        revision=family_revision(good), healthy=first.healthy, desired=first.desired
    )
    return replace(done, message=BackAndHealth(ended=ended.message, health=serves))


def _is_stack_back(back: GoBack) -> bool:
    """Raises CallFailedError."""
    before, now = back.observed.stack, back.aws.stacks.find(back.ref.stack_name)
    if back.stack is None or before is None or now is None:
        return True
    return is_same_template(split_previous(now.template)[0], back.good_template)


def _is_back(ended: RolledBackTo, looks: Sequence[SeenServing], *, good: str, failed: str) -> bool:
    found = outcome_of_serving(ended.outcome, looks, good=good, failed=failed)
    return found is not ended.outcome


def _stand(back: GoBack) -> SeenServing | None:
    """None where the service is gone. Raises CallFailedError."""
    service = back.aws.ecs.find_service(back.ref.cluster, back.ref.name)
    if service is None:
        return None
    tasks = back.aws.ecs.tasks(service.cluster, service.name)
    targets = read_targets(back.aws, service)
    revision = service.task_definition_arn
    own = frozenset(task.id for task in tasks if task.task_definition_arn == revision)
    return SeenServing(
        revision=revision,
        desired=service.desired,
        healthy=min(count_healthy(service, targets, tasks), len(own)),
        others=len(tasks) - len(own),
        tasks=own,
    )


def _bring_back(back: GoBack, good: str, ended: RolledBackTo) -> RolledBackTo:
    since = _down_since(back, good)
    down = ServiceIsDown(
        service=back.ref.name,
        revision=family_revision(good),
        since=since.at,
        is_since_known=since.is_known,
    )
    back.operation.reporter.note(down)
    tried = _restore_check(back)
    if tried is None and ended.outcome is Outcome.ROLLED_BACK and _comes_up(back):
        return _up_again(back, ended, since)
    tried = tried or _roll_out_again(back, good)
    if tried.outcome is Outcome.ROLLED_BACK and _comes_up(back):
        return _up_again(back, tried, since)
    if tried.outcome not in {Outcome.ROLLED_BACK, Outcome.ROLLBACK_FAILED}:
        return tried
    if not _is_down(back):
        return _up_again(back, ended, since)
    return _still_down(back, good, since, tried)


def _roll_out_again(back: GoBack, good: str) -> RolledBackTo:
    try:
        return update_to(back, good)
    except (CallFailedError, TimedOutError) as error:
        revision, quoted = family_revision(good), Quoted.with_place(error)
        return could_not_go_back(back, NotRolledOutAgain(revision=revision, error=quoted))


def _is_down(back: GoBack) -> bool:
    """No task that gets requests is healthy, and some should be."""
    service = back.aws.ecs.find_service(back.ref.cluster, back.ref.name)
    if service is None or service.desired == 0:
        return False
    if not service.target_group_arns:
        return service.running == 0
    return not any(target.state == "healthy" for target in read_serving(back.aws, service))


def _is_anothers(back: GoBack, good: str) -> bool:
    is_over = isinstance(back.verdict, Unproved)
    lost = find_lost_race(
        back.aws.ecs, back.ours, cluster=back.ref.cluster, good=good, is_over=is_over
    )
    return lost is not None


def _down_since(back: GoBack, good: str) -> Since:
    """When the last task that had served before the release stopped, by ECS's own clock."""
    began = _began(back)
    times = [
        task.stopped_at
        for task in back.aws.ecs.stopped_tasks(back.ref.cluster, back.ref.name)
        if task.task_definition_arn == good
        and task.created_at is not None
        and task.stopped_at is not None
        and began is not None
        and task.created_at < began < task.stopped_at
    ]
    return Since(at=max(times, default=back.operation.clock.now()), is_known=bool(times))


def _began(back: GoBack) -> datetime | None:
    found = back.aws.ecs.service_deployments([back.ours.arn])
    return found[0].created_at if found else None


def _restore_check(back: GoBack) -> RolledBackTo | None:
    """As the good revision had it, where it is not so by now; all else in the stack can wait.

    None where that is so; else why not.
    """
    stack, name = back.observed.stack, back.ref.stack_name
    try:
        now = back.aws.stacks.find(name)
        if stack is None or now is None:
            return None
        template, _ = split_previous(now.template)
        if find_moved_checks(template, back.good_template) or find_moved_checks(
            back.good_template, template
        ):
            wanted = transition_template(template, back.good_template)
            back.aws.stacks.apply(name, template=wanted, tags=dict(stack.tags))
    except (CallFailedError, TimedOutError) as error:
        return could_not_go_back(back, CheckNotRestored(error=Quoted.with_place(error)))
    return None


def _comes_up(back: GoBack) -> bool:
    """Look until a task is healthy, for as long as a start takes."""
    pace, began = back.operation.pace, back.operation.clock.now()
    limit = began + max(_SHORTEST_RESTART, _RESTART / pace.speed)
    while _is_down(back):
        if back.operation.clock.now() >= limit:
            return False
        back.operation.clock.wait(pace.interval(back.operation.clock.now() - began))
    return True


def _up_again(back: GoBack, ended: RolledBackTo, since: Since) -> RolledBackTo:
    return _with_health(ended, WasDown(since=since, until=back.operation.clock.now()))


def _with_health(ended: RolledBackTo, health: WasDown | HealthUnknown) -> RolledBackTo:
    if isinstance(ended.message, BackAndHealth):
        return ended
    return replace(ended, message=BackAndHealth(ended=ended.message, health=health))


def _still_down(back: GoBack, good: str, since: Since, tried: RolledBackTo) -> RolledBackTo:
    found = back.aws.ecs.find_task_definition(good)
    ended = tried.message.ended if isinstance(tried.message, BackAndHealth) else tried.message
    return RolledBackTo(
        outcome=Outcome.ROLLBACK_FAILED,
        message=Down(
            service=back.ref.name,
            since=since,
            revision=family_revision(good),
            tried=ended,
            health_path=health_path(found.definition) if found else "",
        ),
        next=(
            back.ref.command("logs", ("since", "1h")),
            back.ref.command("history"),
            back.ref.command("rollback", ("to-version", "VERSION")),
        ),
    )
