"""The threads under the control plane: they carry out what the scheduler decides.

One loop looks, decides and starts work; launches, stops and probes run in bounded pools. `lock`
guards the state and is never held while the runtime or a target group is asked.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any

from fsd_local.ecs import alarms, health, hooks, lifecycle, messages
from fsd_local.ecs.actions import Deregister, Effect, Launch, Register, Shift, StopInRuntime
from fsd_local.ecs.agent import Agent
from fsd_local.ecs.arns import Ids
from fsd_local.ecs.connect import find_names, namespace_of
from fsd_local.ecs.model import (
    EcsServiceRecord,
    HookRun,
    Registration,
    Revision,
    Scope,
    ServiceDeployment,
    ServiceRollout,
    State,
    Task,
    TaskContainer,
    TaskStatus,
)
from fsd_local.ecs.tasks import Resolved, digest_of, log_target, service_task, task_spec
from fsd_local.ecs.transitions import emit, emit_deregistered, schedule
from fsd_local.ports import (
    ContainerState,
    HookError,
    LaunchError,
    Neighbours,
    RegistryLogin,
    SecretError,
    SimulatedClock,
    TargetState,
    TaskSpec,
)

_BUSY_TICK = 0.1  # seconds between looks while anything changes
_IDLE_TICK = 0.5
_WORKERS = 8
_FIRST_LOOK, _LAST_LOOK = 0.2, 2.0  # at a task's processes: young ones more often
_STOPPED_KEPT = (
    3600.0  # https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html
)

_log = logging.getLogger(__name__)


class Engine:
    """Runs until `close`. `wake` after every change of the state; `lock` guards it."""

    def __init__(
        self,
        *,
        state: State,
        neighbours: Neighbours,
        clock: SimulatedClock,
        ids: Ids,
        speed: float,
    ) -> None:
        self.lock = threading.RLock()
        self.is_broken = False
        self._state = state
        self._runtime = neighbours.runtime
        self._logs = neighbours.logs
        self._secrets = neighbours.secrets
        self._roles = neighbours.roles
        self._load_balancers = neighbours.load_balancers
        self._alarms = neighbours.alarms
        self._hooks = neighbours.hooks
        self._clock = clock
        self._ids = ids
        self._speed = speed
        self._outbox: list[Effect] = []
        self._names: dict[str, dict[str, tuple[str, ...]]] = {}  # as the runtime was told
        self._jobs: set[Future[None]] = set()
        self._is_closing = False
        self._is_paused = False
        self._resting = threading.Condition(self.lock)
        self._is_ticking = False
        self._wake = threading.Event()
        self._launches = ThreadPoolExecutor(_WORKERS, thread_name_prefix="ecs-launch")
        self._stops = ThreadPoolExecutor(_WORKERS, thread_name_prefix="ecs-stop")
        self._probes = ThreadPoolExecutor(_WORKERS, thread_name_prefix="ecs-probe")
        self._hook_calls = ThreadPoolExecutor(_WORKERS, thread_name_prefix="ecs-hook")
        self._thread = threading.Thread(target=self._run, name="ecs-scheduler", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._wake.set()

    def enqueue(self, effects: Sequence[Effect]) -> None:
        """Hand over what an API call decided. The caller holds `lock`."""
        self._outbox.extend(effects)

    def close(self) -> None:
        """Stop working and join every thread. What still runs is the runtime's to remove."""
        self._is_closing = True
        self._wake.set()
        self._thread.join()
        self._hooks.stop()
        for pool in (self._launches, self._probes, self._stops, self._hook_calls):
            pool.shutdown(wait=True, cancel_futures=True)

    def reset(self) -> None:
        """Stop every task, forget everything. Returns when nothing runs any more."""
        with self.lock:
            self._is_paused = True
            while self._is_ticking:
                self._resting.wait()
            forgotten = [task for _, task in self._state.tasks() if not task.is_stopped]
            self._state.scopes.clear()
            self._outbox.clear()
            running = list(self._jobs)
        wait(running)
        for task in forgotten:
            for registration in task.registrations:
                if registration.is_registered and not registration.is_deregistered:
                    self._deregister(task, registration)
        list(self._stops.map(self._runtime.stop, [task.id for task in forgotten]))
        with self.lock:
            self._is_paused = False
        self._wake.set()

    # The loop.

    def _run(self) -> None:
        finished = False
        try:
            pace = _IDLE_TICK
            while not self._is_closing:
                self._wake.wait(pace)
                self._wake.clear()
                if self._begin_tick():
                    try:
                        pace = self._tick()
                    finally:
                        self._end_tick()
            finished = True
        finally:
            self.is_broken = not finished

    def _begin_tick(self) -> bool:
        with self.lock:
            self._is_ticking = not self._is_paused
            return self._is_ticking

    def _end_tick(self) -> None:
        with self.lock:
            self._is_ticking = False
            self._resting.notify_all()

    def _tick(self) -> float:
        with self.lock:
            outbox, self._outbox = self._outbox, []
            polls = self._due_polls(self._clock.time())
            watches = self._watches()
        self._perform(outbox)
        seen = [(registration, self._poll(*where)) for registration, where in polls]
        alarms_seen = [
            (watched, self._alarms.read(names, account=account, region=region))
            for watched, names, account, region in watches
        ]
        with self.lock:
            now = self._clock.time()
            for registration, state in seen:
                registration.state = state
            for watched, found in alarms_seen:
                watched.alarms = found
            effects = self._schedule(now)
            self._expire(now)
            is_busy = self._is_busy()
            self._start_probes(now)
            self._start_hooks(now)
            names = {
                namespace: found
                for scope in self._state.scopes.values()
                for namespace, found in find_names(scope).items()
            }
        self._tell_names(names)
        self._perform(effects)
        return _BUSY_TICK if is_busy or effects else _IDLE_TICK

    def _tell_names(self, names: dict[str, dict[str, tuple[str, ...]]]) -> None:
        for namespace in names.keys() | self._names.keys():
            found = names.get(namespace, {})
            if found != self._names.get(namespace, {}):
                self._runtime.set_names(namespace, found)
        self._names = names

    def _schedule(self, now: float) -> list[Effect]:
        effects: list[Effect] = []
        for scope, service in self._state.services():
            if service.is_steady and now < service.next_poll:
                continue
            service.next_poll = now + _IDLE_TICK
            make_task = self._task_maker(scope)
            effects.extend(
                schedule(service, now, speed=self._speed, ids=self._ids, make_task=make_task)
            )
        for _, task in self._state.tasks():
            if not task.deployment_id and task.status is TaskStatus.DEACTIVATING:
                effects.extend(lifecycle.release(task))
        return effects

    def _task_maker(
        self, scope: Scope
    ) -> Callable[[EcsServiceRecord, ServiceRollout, float], Task]:
        def make(service: EcsServiceRecord, deployment: ServiceRollout, now: float) -> Task:
            task = service_task(service, deployment, now, ids=self._ids)
            scope.tasks[task.id] = task
            return task

        return make

    def _is_busy(self) -> bool:
        return any(
            not service.is_steady and service.status != "INACTIVE"
            for _, service in self._state.services()
        )

    def _expire(self, now: float) -> None:
        """Stopped tasks and deleted services stay describable for an hour."""
        for scope in self._state.scopes.values():
            old = [
                task.id
                for task in scope.tasks.values()
                if task.stopped_at is not None and now - task.stopped_at > _STOPPED_KEPT
            ]
            for task_id in old:
                del scope.tasks[task_id]
            gone = [
                key
                for key, service in scope.services.items()
                if service.inactive_at is not None and now - service.inactive_at > _STOPPED_KEPT
            ]
            for key in gone:
                del scope.services[key]

    def _watches(self) -> list[tuple[ServiceDeployment, Sequence[str], str, str]]:
        """Whose alarms are to be looked at: (service deployment, names, account, Region)."""
        return [
            (*found, service.account, service.region)
            for _, service in self._state.services()
            if (found := alarms.watched(service)) is not None
        ]

    # Target groups.

    def _due_polls(self, now: float) -> list[tuple[Registration, tuple[str, str, int]]]:
        return [
            (found, (found.target_group_arn, task.address, found.port))
            for _, service in self._state.services()
            if not service.is_steady or now >= service.next_poll
            for task in service.tasks.values()
            for found in task.registrations
            if found.is_registered and not task.is_stopped
        ]

    def _poll(self, target_group_arn: str, address: str, port: int) -> TargetState:
        if not self._load_balancers.exists(target_group_arn):
            return TargetState(state="unused", reason="Target.NotRegistered")
        return self._load_balancers.state(target_group_arn, address, port)

    def _perform(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Launch():
                    self._submit(self._launches, self._launch, effect.task)
                case StopInRuntime():
                    self._submit(self._stops, self._stop, effect.task)
                case Register():
                    self._register(effect.task, effect.registration)
                case Deregister():
                    self._deregister(effect.task, effect.registration)
                case Shift():
                    self._load_balancers.shift(effect.rule_arn, effect.weights)

    def _register(self, task: Task, registration: Registration) -> None:
        arn = registration.target_group_arn
        if self._load_balancers.exists(arn):
            self._load_balancers.register(arn, task.address, registration.port)
            return
        with self.lock:
            service = self._find_service(task)
            if service is not None:
                message = messages.event_target_group_missing(task.id, arn)
                emit(service, message, self._clock.time(), ids=self._ids)

    def _deregister(self, task: Task, registration: Registration) -> None:
        if self._load_balancers.exists(registration.target_group_arn):
            self._load_balancers.deregister(
                registration.target_group_arn, task.address, registration.port
            )

    # Jobs: each takes one task, and blocks as long as the runtime does.

    def _submit(self, pool: ThreadPoolExecutor, job: Callable[[Task], None], task: Task) -> None:
        if self._is_closing:
            return
        future = pool.submit(job, task)
        with self.lock:
            self._jobs.add(future)
        future.add_done_callback(lambda done: self._finished(done, task))

    def _finished(self, done: Future[None], task: Task) -> None:
        """A job that raised what no port promises must not leave its task hanging."""
        with self.lock:
            self._jobs.discard(done)
            error = None if done.cancelled() else done.exception()
            if error is not None:
                _log.error("ECS task %s", task.arn, exc_info=error)
                if task.is_starting:
                    reason = f"InternalError: {type(error).__name__}: {error}"
                    lifecycle.failed_to_start(task, reason, self._clock.time())
                elif task.status is TaskStatus.STOPPING:
                    lifecycle.stopped(task, (), self._clock.time())
        self._wake.set()

    def _launch(self, task: Task) -> None:
        with self.lock:
            revision = self._find_revision(task)
            if not task.is_wanted or not self._is_known(task):
                lifecycle.stopped(task, (), self._clock.time())
                return
            lifecycle.launching(task, self._clock.time())
        try:
            spec = self._specify(task, revision)
            address = self._runtime.launch(spec)
        except LaunchError as error:
            self._record_failure(task, error)
            return
        for container in spec.containers:
            if container.log is not None:
                self._logs.write(container.log, ())  # its stream is there before its first line
        with self.lock:
            if self._is_known(task):
                effects = lifecycle.launched(task, address, self._clock.time())
                task.next_look = self._clock.time() + _FIRST_LOOK
                self._plan_checks(task)
                self._outbox.extend(effects)
                return
        self._runtime.stop(task.id)

    def _record_failure(self, task: Task, error: LaunchError) -> None:
        self._roles.end(task.id)
        with self.lock:
            lifecycle.failed_to_start(
                task,
                error.reason,
                self._clock.time(),
                container=error.container,
                exit_code=error.exit_code,
            )

    def _specify(self, task: Task, revision: Revision | None) -> TaskSpec:
        """Digests, then secrets, then log groups, as Fargate's agent does. Raises LaunchError."""
        with self.lock:
            scope = self._state.scope(task.account, task.region)
            settings = revision.settings if revision is not None else {}
            namespace = namespace_of(settings, scope.clusters.get(task.cluster))
            names = list(find_names(scope).get(namespace, {}))
        agent = Agent(self._roles, task)
        agent.log_in()
        logins = self._log_in(task, agent)
        digests = self._resolve(task, revision, logins)
        agent.check_images()
        secrets = {
            definition["name"]: {
                secret["name"]: self._secret(task, secret["valueFrom"], agent)
                for secret in definition.get("secrets") or ()
            }
            for definition in task.task_definition.containers
        }
        files = {
            definition["name"]: [
                self._read_file(task, file["value"], agent)
                for file in definition.get("environmentFiles") or ()
            ]
            for definition in task.task_definition.containers
        }
        for definition in task.task_definition.containers:
            target = log_target(task, definition)
            if target is None:
                continue
            agent.check_stream(target)
            if not self._logs.exists(target):
                raise LaunchError(messages.NO_LOG_GROUP)
        task.has_exec_agent = task.enable_execute_command and agent.connects()
        resolved = Resolved(
            digests=digests,
            logins=logins,
            secrets=secrets,
            files=files,
            credentials=agent.credentials(),
            silent=agent.find_silent(),
            namespace=namespace,
            known_names=names,
        )
        return task_spec(task, resolved, speed=self._speed)

    def _log_in(self, task: Task, agent: Agent) -> dict[str, RegistryLogin | None]:
        """By container, those that name a secret for their registry."""
        found: dict[str, RegistryLogin | None] = {}
        for definition in task.task_definition.containers:
            credentials = definition.get("repositoryCredentials")
            if not credentials:
                continue
            secret = credentials["credentialsParameter"]
            agent.check_registry_secret(secret)
            try:
                found[definition["name"]] = self._secrets.log_in(
                    secret, account=task.account, region=task.region
                )
            except SecretError as error:
                raise LaunchError(messages.initialization_failed(str(error))) from error
        return found

    def _resolve(
        self, task: Task, revision: Revision | None, logins: Mapping[str, RegistryLogin | None]
    ) -> dict[str, str]:
        if revision is not None and revision.is_resolved:
            digests = dict(revision.digests)
        else:
            digests = self._ask_digests(task, logins)
        with self.lock:
            if revision is not None:
                revision.digests = digests
            for container in task.containers:
                container.digest = digests.get(container.name, "")
        self._wake.set()  # the other tasks of the revision need not wait for this one to run
        return digests

    def _ask_digests(
        self, task: Task, logins: Mapping[str, RegistryLogin | None]
    ) -> dict[str, str]:
        digests = {}
        for definition in task.task_definition.containers:
            image = definition["image"]
            if definition.get("versionConsistency") == "disabled":
                continue
            try:
                login = logins.get(definition["name"])
                digests[definition["name"]] = digest_of(image) or self._runtime.resolve(
                    image, login=login
                )
            except LaunchError as error:
                task.failed_resolving = True
                raise LaunchError(error.reason, container=definition["name"]) from error
        return digests

    def _secret(self, task: Task, value_from: str, agent: Agent) -> str:
        agent.check_secret(value_from)
        try:
            return self._secrets.resolve(value_from, account=task.account, region=task.region)
        except SecretError as error:
            raise LaunchError(messages.initialization_failed(str(error))) from error

    def _read_file(self, task: Task, arn: str, agent: Agent) -> str:
        agent.check_file(arn)
        try:
            return self._secrets.read_file(arn, account=task.account, region=task.region)
        except SecretError as error:
            raise LaunchError(messages.initialization_failed(str(error))) from error

    def _stop(self, task: Task) -> None:
        states = self._runtime.stop(task.id)
        self._roles.end(task.id)
        with self.lock:
            lifecycle.stopped(task, states, self._clock.time())

    # Probes: exits and container health checks.

    def _start_probes(self, now: float) -> None:
        for _, task in self._state.tasks():
            if task.status not in {TaskStatus.RUNNING, TaskStatus.DEACTIVATING}:
                continue
            if now >= task.next_look and not task.is_looked_at:
                task.is_looked_at = True
                self._submit(self._probes, self._look, task)
            if task.status is not TaskStatus.RUNNING:
                continue
            for container in task.containers:
                if self._is_check_due(container, now):
                    container.is_checking = True
                    self._submit(self._probes, self._checker(container), task)

    def _look(self, task: Task) -> None:
        try:
            states = self._runtime.inspect(task.id)
            self._record_look(task, states)
        finally:
            task.is_looked_at = False

    def _record_look(self, task: Task, states: Sequence[ContainerState]) -> None:
        with self.lock:
            now = self._clock.time()
            age = now - (task.started_at or now)
            task.next_look = now + min(max(age / 10, _FIRST_LOOK), _LAST_LOOK)
            health.record_listening(task, [state.listens for state in states], now=now)
            effects = lifecycle.observed(task, states, now)
            service = self._find_service(task)
            if effects and service is not None:
                emit_deregistered(service, effects, now, ids=self._ids)
                service.next_poll = 0.0
            self._outbox.extend(effects)

    def _plan_checks(self, task: Task) -> None:
        for container in task.containers:
            check = container.health_check
            if check is not None:
                container.next_check = self._clock.time() + health.interval(check, self._speed)

    @staticmethod
    def _is_check_due(container: TaskContainer, now: float) -> bool:
        return (
            container.health_check is not None
            and container.status == "RUNNING"
            and not container.is_checking
            and now >= container.next_check
        )

    def _checker(self, container: TaskContainer) -> Callable[[Task], None]:
        def check(task: Task) -> None:
            try:
                self._check(task, container)
            finally:
                container.is_checking = False

        return check

    def _check(self, task: Task, container: TaskContainer) -> None:
        check = container.health_check
        if check is None or task.started_at is None:
            return
        limit = health.timeout(check, self._speed)
        exit_code = self._runtime.execute(task.id, container.name, check.command, limit)
        with self.lock:
            now = self._clock.time()
            if task.status is not TaskStatus.RUNNING:
                return
            before = container.health
            health.record_check(
                container, exit_code, started_at=task.started_at, now=now, speed=self._speed
            )
            container.next_check = now + health.interval(check, self._speed)
            service = self._find_service(task)
            if service is not None and container.health is not before:
                service.next_poll = 0.0

    # Lifecycle hooks.

    def _start_hooks(self, now: float) -> None:
        for _, service in self._state.services():
            primary = service.primary
            deployment = primary.service_deployment if primary is not None else None
            for run in deployment.traffic.hooks if deployment is not None else ():
                is_due = run.is_pending and not run.is_pause and now >= run.next_call
                if deployment is None or not is_due or run.is_called or self._is_closing:
                    continue
                run.is_called = True
                event = hooks.event(run, deployment, service.arn)
                call = self._hook_calls.submit(self._call_hook, run, event)
                call.add_done_callback(partial(self._called_hook, run))

    def _call_hook(self, run: HookRun, event: Mapping[str, Any]) -> None:
        try:
            answer, reason = self._hooks.invoke(run.target_arn, event), ""
        except HookError as error:
            answer, reason = {}, str(error)
        with self.lock:
            run.is_called = False
            if reason:
                hooks.failed(run, reason)
            else:
                hooks.answered(run, answer, self._clock.time(), speed=self._speed)
        self._wake.set()

    def _called_hook(self, run: HookRun, call: Future[None]) -> None:
        """What nobody foresaw ends the hook: it would hang, or be called for ever."""
        error = None if call.cancelled() else call.exception()
        if error is None:
            return
        _log.error("lifecycle hook %s", run.target_arn, exc_info=error)
        with self.lock:
            run.is_called = False
            hooks.failed(run, hooks.not_invoked(run.target_arn, f"{type(error).__name__}: {error}"))
        self._wake.set()

    # Looking things up. The caller holds `lock`.

    def _is_known(self, task: Task) -> bool:
        scope = self._state.scopes.get((task.account, task.region))
        return scope is not None and scope.tasks.get(task.id) is task

    def _find_service(self, task: Task) -> EcsServiceRecord | None:
        scope = self._state.scopes.get((task.account, task.region))
        if scope is None or not task.deployment_id:
            return None
        found = scope.services.get((task.cluster, task.group.removeprefix("service:")))
        return found if found is not None and task.id in found.tasks else None

    def _find_revision(self, task: Task) -> Revision | None:
        service = self._find_service(task)
        return service.revisions.get(task.revision_arn) if service is not None else None
