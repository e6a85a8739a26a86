"""BLUE_GREEN, LINEAR and CANARY: new tasks beside the old ones, then the traffic moves. Pure.

The new (green) tasks are in the other target group of each pair. A service deployment goes through
its stages; until the old (blue) tasks are stopped, one shift of the traffic takes it back.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from fsd_local.ecs import alarms, rolling
from fsd_local.ecs.actions import (
    Action,
    BeginHooks,
    CompleteDeployment,
    EnterStage,
    SetTraffic,
    StartTasks,
    TimeOutHook,
)
from fsd_local.ecs.hooks import PRE_SHIFT, hooks_at
from fsd_local.ecs.model import (
    Json,
    ServiceDeploymentStatus,
    ServiceRollout,
    Stage,
    Task,
)
from fsd_local.ecs.rolling import View

_WHOLE = 100.0
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-lifecycle-hooks.html
_HOOKS_OF_ROLLBACK = ("PRODUCTION_TRAFFIC_SHIFT", "TEST_TRAFFIC_SHIFT")
_MINUTE = 60.0
_LONGEST_RECONCILIATION = 5 * _MINUTE
_LONGEST_STAGE = 24 * 60 * _MINUTE
_STAGES = (
    Stage.RECONCILE_SERVICE,
    Stage.PRE_SCALE_UP,
    Stage.SCALE_UP,
    Stage.POST_SCALE_UP,
    Stage.TEST_TRAFFIC_SHIFT,
    Stage.POST_TEST_TRAFFIC_SHIFT,
    Stage.PRODUCTION_TRAFFIC_SHIFT,
    Stage.POST_PRODUCTION_TRAFFIC_SHIFT,
    Stage.BAKE_TIME,
    Stage.CLEAN_UP,
)
_BEFORE_TASKS = {None, Stage.RECONCILE_SERVICE, Stage.PRE_SCALE_UP}
_UNDER_WAY = {ServiceDeploymentStatus.IN_PROGRESS, ServiceDeploymentStatus.ROLLBACK_REQUESTED}
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LinearConfiguration.html
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CanaryConfiguration.html
LINEAR: Json = {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}
CANARY: Json = {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}


def decide(view: View) -> Sequence[Action]:
    if view.is_completed:
        return rolling.decide(view)
    steps = _BACK if view.primary.is_rollback else _FORTH
    return next((actions for step in steps if (actions := step(view))), ())


def is_past_return(primary: ServiceRollout) -> bool:
    """The old tasks are being stopped: the deployment succeeds, whatever happens now."""
    deployment = primary.service_deployment
    return not primary.is_rollback and deployment.traffic.stage is Stage.CLEAN_UP


def is_stuck(primary: ServiceRollout, now: float, *, speed: float) -> bool:
    """In one stage, or in one step of its traffic. A hook has a time limit of its own."""
    traffic = primary.service_deployment.traffic
    if traffic.stage is None or any(hook.is_pending for hook in traffic.hooks):
        return False
    return now - traffic.since >= _LONGEST_STAGE / speed


def percentages(configuration: Mapping[str, object]) -> tuple[float, ...]:
    """Of the production traffic that the target has after each shift; the last is 100."""
    match configuration["strategy"]:
        case "LINEAR":
            step = float(_settings(configuration, "linearConfiguration", LINEAR)["stepPercent"])
            count = int(_WHOLE / step)
            below = tuple(round(step * (number + 1), 1) for number in range(count))
            return (*(percent for percent in below if percent < _WHOLE), _WHOLE)
        case "CANARY":
            first = _settings(configuration, "canaryConfiguration", CANARY)["canaryPercent"]
            return (float(first), _WHOLE) if first < _WHOLE else (_WHOLE,)
        case _:
            return (_WHOLE,)


def step_seconds(configuration: Mapping[str, object]) -> float:
    """Between two shifts of the production traffic; not yet divided by speed."""
    linear = _settings(configuration, "linearConfiguration", LINEAR)["stepBakeTimeInMinutes"]
    canary = _settings(configuration, "canaryConfiguration", CANARY)["canaryBakeTimeInMinutes"]
    return _MINUTE * float(linear if configuration["strategy"] == "LINEAR" else canary)


def _settings(configuration: Mapping[str, object], member: str, defaults: Json) -> Json:
    found = configuration.get(member)
    return defaults | found if isinstance(found, dict) else defaults


def weights(percent: float) -> tuple[int, int]:
    """Of a percentage to one decimal, and of the rest, as a rule has them: 0 to 999."""
    tenths = round(percent * 10)
    if tenths % 10 == 0:
        return tenths // 10, 100 - tenths // 10
    return tenths, 1000 - tenths


# ---- both ways


def _source(view: View) -> ServiceRollout | None:
    """What production traffic goes to before the first shift."""
    found = view.service.last_completed
    return found if found is not view.primary and found in view.service.deployments else None


def _keep_source(view: View) -> Sequence[Action]:
    source = _source(view)
    if source is None or view.primary.service_deployment.traffic.stage is Stage.CLEAN_UP:
        return ()
    return _keep(view, source, [task for task in view.old if task.deployment_id == source.id])


def _keep_target(view: View) -> Sequence[Action]:
    waits = view.primary.service_deployment.traffic.stage in _BEFORE_TASKS
    if not view.is_in_progress or (waits and not view.primary.is_rollback):
        return ()
    return _keep(view, view.primary, view.new)


def _keep(view: View, owner: ServiceRollout, tasks: Sequence[Task]) -> Sequence[Action]:
    """As many tasks as the service wants, of each of the two sides."""
    kept = [task for task in tasks if task.id not in view.unhealthy]
    missing = view.service.desired_count - len(kept)
    if missing < 0:
        kept.sort(key=lambda task: (task.id in view.healthy, -task.created_at))
        return rolling.stop(view, kept[:-missing])
    if not owner.revision.is_resolved:
        # One task first: it turns tags into digests.
        missing = 0 if tasks else min(missing, 1)
    if missing == 0 or not rolling.may_start(view):
        return ()
    return (StartTasks(deployment_id=owner.id, count=missing),)


# ---- forth


def _advance(view: View) -> Sequence[Action]:
    deployment = view.primary.service_deployment
    if not view.is_in_progress or deployment.status not in _UNDER_WAY:
        return ()
    stage = deployment.traffic.stage
    if stage is None:
        first = Stage.RECONCILE_SERVICE if _left_over(view) else Stage.PRE_SCALE_UP
        return (EnterStage(stage=first),)
    if any(hook.is_pending for hook in deployment.traffic.hooks):
        return _time_out(view)
    shift = _due_shift(view, stage)
    if shift is not None:
        is_production = stage is Stage.PRODUCTION_TRAFFIC_SHIFT
        before = _begin_hooks(view, PRE_SHIFT, shift.step) if is_production else ()
        return before or (shift,)
    hooks = _begin_hooks(view, stage, deployment.traffic.step)
    if hooks:
        return hooks
    work = _work(view, stage)
    if work or not _is_over(view, stage):
        return work
    if stage is Stage.CLEAN_UP:
        return (CompleteDeployment(deployment_id=view.primary.id),)
    return (EnterStage(stage=_STAGES[_STAGES.index(stage) + 1]),)


def _time_out(view: View) -> Sequence[Action]:
    return tuple(
        TimeOutHook(hook_id=hook.id)
        for hook in view.primary.service_deployment.traffic.hooks
        if hook.is_pending and view.now >= hook.expires_at
    )


def _begin_hooks(view: View, stage: str, step: int) -> Sequence[Action]:
    deployment = view.primary.service_deployment
    is_new = deployment.traffic.hooked != (str(stage), step)
    if not is_new or not any(hooks_at(deployment, (stage,))):
        return ()
    return (BeginHooks(stages=(str(stage),), step=step, speed=view.speed),)


def _due_shift(view: View, stage: Stage) -> SetTraffic | None:
    deployment = view.primary.service_deployment
    traffic, configuration = deployment.traffic, deployment.configuration
    match stage:
        case Stage.RECONCILE_SERVICE | Stage.PRE_SCALE_UP:
            is_ready = stage is Stage.PRE_SCALE_UP or _serves(view)
            is_due = traffic.production is None and _source(view) is not None and is_ready
            return SetTraffic(production=0.0, test=0.0) if is_due else None
        case Stage.TEST_TRAFFIC_SHIFT:
            return SetTraffic(test=_WHOLE) if traffic.test != _WHOLE else None
        case Stage.PRODUCTION_TRAFFIC_SHIFT:
            steps, done = _percentages(view), traffic.step
            is_due = done == 0 or _lasted(view, step_seconds(configuration))
            if done == len(steps) or not is_due:
                return None
            return SetTraffic(production=steps[done], step=done + 1)
        case _:
            return None


def _percentages(view: View) -> tuple[float, ...]:
    """A first deployment takes no traffic from another one, so it takes all at once."""
    if _source(view) is None:
        return (_WHOLE,)
    return percentages(view.primary.service_deployment.configuration)


def _work(view: View, stage: Stage) -> Sequence[Action]:
    if stage is Stage.CLEAN_UP:
        left = list(view.old)
    else:
        left = _left_over(view) if stage is Stage.RECONCILE_SERVICE and _serves(view) else []
    return rolling.stop(view, left) if left else ()


def _serves(view: View) -> bool:
    """Whether the source can take all of the traffic from what is left over.

    A source that does not get there is not waited for.
    """
    source = _source(view)
    healthy = [
        task
        for task in view.old
        if source is not None and task.deployment_id == source.id and task.id in view.healthy
    ]
    is_enough = source is None or len(healthy) >= view.service.desired_count
    return is_enough or _lasted(view, _LONGEST_RECONCILIATION)


def _left_over(view: View) -> list[Task]:
    """Tasks of deployments that were superseded or given up."""
    source = _source(view)
    return [task for task in view.old if source is None or task.deployment_id != source.id]


def _is_over(view: View, stage: Stage) -> bool:
    match stage:
        case Stage.RECONCILE_SERVICE:
            return not _left_over(view)
        case Stage.SCALE_UP:
            return len(view.new) == view.service.desired_count == view.healthy_new
        case Stage.PRODUCTION_TRAFFIC_SHIFT:
            return view.primary.service_deployment.traffic.step == len(_percentages(view))
        case Stage.BAKE_TIME:
            return _lasted(view, alarms.bake_seconds(view.primary))
        case Stage.CLEAN_UP:
            return rolling.is_done(view)
        case _:
            return True


def _lasted(view: View, seconds: float) -> bool:
    since = view.primary.service_deployment.traffic.since
    return view.now - since >= seconds / view.speed


# ---- back


def _shift_back(view: View) -> Sequence[Action]:
    """All of it at once, as soon as there is a task that can take it."""
    traffic = view.primary.service_deployment.traffic
    can_serve = view.healthy_new > 0 or view.service.desired_count == 0
    if not (traffic.production or traffic.test) or not can_serve:
        return ()
    return (
        EnterStage(stage=Stage.PRODUCTION_TRAFFIC_SHIFT),
        SetTraffic(production=0.0, test=0.0),
        BeginHooks(stages=_HOOKS_OF_ROLLBACK, speed=view.speed),
    )


def _clean_up(view: View) -> Sequence[Action]:
    traffic = view.primary.service_deployment.traffic
    if traffic.production or traffic.test:
        return ()
    if any(hook.is_pending for hook in traffic.hooks):
        return _time_out(view)
    if traffic.stage is not Stage.CLEAN_UP:
        return (EnterStage(stage=Stage.CLEAN_UP),)
    return rolling.stop(view, list(view.old)) if view.old else ()


def _complete(view: View) -> Sequence[Action]:
    is_over = view.primary.service_deployment.status.is_final or not view.is_in_progress
    if is_over or not rolling.is_done(view):
        return ()
    return (CompleteDeployment(deployment_id=view.primary.id),)


_Step = Callable[[View], Sequence[Action]]
_FORTH: tuple[_Step, ...] = (rolling.stop_unhealthy, _keep_source, _keep_target, _advance)
_BACK: tuple[_Step, ...] = (
    rolling.stop_unhealthy,
    _keep_target,
    _shift_back,
    _clean_up,
    _complete,
)
