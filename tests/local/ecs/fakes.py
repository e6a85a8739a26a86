"""The control plane's neighbours, in memory, with scenario verbs. They block only when told to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from fsd_local.ports import (
    Alarm,
    ContainerState,
    HookError,
    LaunchError,
    LogTarget,
    RegistryLogin,
    RoleError,
    RoleSession,
    SecretError,
    Subnet,
    TargetState,
    TaskSpec,
    Terminal,
)

ACCOUNT, REGION = "000000000000", "us-east-1"
TARGET_GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/app/6d0ecf831eec9f09"


class FakeRuntime:
    """Launches at once; an image does what it was told to."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskSpec] = {}
        self._exits: dict[str, int] = {}  # task id → exit code
        self._crashes: dict[str, int] = {}  # image → exit code
        self._failures: dict[str, str] = {}  # image → reason
        self._checks: dict[str, int] = {}  # image → exit code of its health check
        self._broken: set[str] = set()
        self._missing: set[str] = set()
        self._next = 0
        self.addresses: dict[str, str] = {}  # task id → address
        self.launched: list[TaskSpec] = []
        self.logins: list[tuple[str, RegistryLogin | None]] = []  # of questions for a digest
        self.stopped: list[str] = []
        self.executed: list[tuple[str, tuple[str, ...]]] = []
        self.names: dict[str, dict[str, tuple[str, ...]]] = {}
        self.gate = threading.Event()  # closed: launches wait
        self.gate.set()

    # Scenario verbs. Images are matched by the name before `:` or `@`.

    def crash_at_start(self, image: str, exit_code: int = 1) -> None:
        self._crashes[image] = exit_code

    def fail_to_start(self, image: str, reason: str) -> None:
        self._failures[image] = reason

    def lose(self, image: str) -> None:
        """The registry does not have it."""
        self._missing.add(image)

    def fail_check(self, image: str) -> None:
        self._checks[image] = 1

    def break_down(self, image: str) -> None:
        """Raises what the port does not promise."""
        self._broken.add(image)

    def kill(self, task_id: str, exit_code: int = 137) -> None:
        with self._lock:
            self._exits[task_id] = exit_code

    def serves(self, address: str) -> bool:
        """Whether the task of this address is up."""
        with self._lock:
            return any(
                self.addresses[task_id] == address and task_id not in self._exits
                for task_id in self._tasks
            )

    @property
    def running(self) -> list[str]:
        with self._lock:
            return list(self._tasks)

    # The port.

    def set_names(self, namespace: str, names: Mapping[str, Sequence[str]]) -> None:
        self.names[namespace] = {name: tuple(found) for name, found in names.items()}

    @property
    def name(self) -> Literal["container", "process"]:
        return "process"

    def resolve(self, image: str, *, login: RegistryLogin | None = None) -> str:
        self.logins.append((image, login))
        if _name(image) in self._missing:
            raise LaunchError(f"CannotPullContainerError: {image}: not found")
        return "sha256:" + "a" * 64

    def launch(self, task: TaskSpec) -> str:
        self.gate.wait(10)
        images = [_name(container.image) for container in task.containers]
        for container, image in zip(task.containers, images, strict=True):
            if image in self._broken:
                raise OSError("the engine went away")
            if image in self._failures:
                raise LaunchError(self._failures[image], container=container.name)
        with self._lock:
            self._next += 1
            address = f"127.77.0.{self._next}"
            self._tasks[task.id] = task
            self.addresses[task.id] = address
            self.launched.append(task)
            if images[0] in self._crashes:
                self._exits[task.id] = self._crashes[images[0]]
        return address

    def inspect(self, task_id: str) -> Sequence[ContainerState]:
        with self._lock:
            return self._states(task_id)

    def execute(self, task_id: str, container: str, command: Sequence[str], timeout: float) -> int:
        del container, timeout
        with self._lock:
            self.executed.append((task_id, tuple(command)))
            task = self._tasks.get(task_id)
        return self._checks.get(_name(task.containers[0].image), 0) if task is not None else 1

    def open_terminal(self, task_id: str, container: str, command: Sequence[str]) -> Terminal:
        raise LaunchError(f"{task_id} {container} {command}: this runtime has no terminals")

    def stop(self, task_id: str) -> Sequence[ContainerState]:
        with self._lock:
            self.stopped.append(task_id)
            if task_id in self._tasks:
                self._exits.setdefault(task_id, 143)
            states = self._states(task_id)
            self._tasks.pop(task_id, None)
            return states

    def close(self) -> None:
        self._tasks.clear()

    def _states(self, task_id: str) -> Sequence[ContainerState]:
        task = self._tasks.get(task_id)
        code = self._exits.get(task_id)
        return [
            ContainerState(name=container.name, running=code is None, exit_code=code)
            for container in (task.containers if task is not None else ())
        ]


def _name(image: str) -> str:
    return image.split("@")[0].split(":")[0]


class FakeLoadBalancers:
    """A target whose task runs is healthy at once, and drains at once, unless told otherwise."""

    def __init__(self, *, serves: Callable[[str], bool]) -> None:
        self._serves = serves
        self._lock = threading.Lock()
        self._groups = {TARGET_GROUP}
        self._detached: set[str] = set()
        self._targets: dict[tuple[str, str, int], str] = {}
        self._failing = False
        self._holds_drain = False
        self.rules: dict[str, dict[str, int]] = {}

    def weights(self, rule_arn: str) -> Mapping[str, int] | None:
        return self.rules.get(rule_arn)

    def shift(self, rule_arn: str, weights: Mapping[str, int]) -> None:
        self.rules[rule_arn] = dict(weights)

    def add(self, target_group_arn: str) -> None:
        self._groups.add(target_group_arn)

    def detach(self, target_group_arn: str) -> None:
        self._groups.add(target_group_arn)
        self._detached.add(target_group_arn)

    def delete(self, target_group_arn: str) -> None:
        self._groups.discard(target_group_arn)

    def answer_500(self) -> None:
        """From now on, targets that are registered fail their checks."""
        self._failing = True

    def hold_drain(self) -> None:
        self._holds_drain = True

    def finish_drain(self) -> None:
        self._holds_drain = False

    @property
    def registered(self) -> list[str]:
        """Addresses."""
        with self._lock:
            return [key[1] for key, state in self._targets.items() if state != "draining"]

    def exists(self, target_group_arn: str) -> bool:
        return target_group_arn in self._groups

    def is_attached(self, target_group_arn: str) -> bool:
        return target_group_arn not in self._detached

    def target_type(self, target_group_arn: str) -> str:
        return "instance" if "instance" in target_group_arn else "ip"

    def register(self, target_group_arn: str, address: str, port: int) -> None:
        with self._lock:
            state = "failing" if self._failing else "healthy"
            self._targets[(target_group_arn, address, port)] = state

    def deregister(self, target_group_arn: str, address: str, port: int) -> None:
        with self._lock:
            self._targets[(target_group_arn, address, port)] = "draining"

    def state(self, target_group_arn: str, address: str, port: int) -> TargetState:
        with self._lock:
            state = self._targets.get((target_group_arn, address, port), "unused")
            if state == "draining" and not self._holds_drain:
                return TargetState(state="unused", reason="Target.NotRegistered")
        if state == "healthy" and not self._serves(address):
            return TargetState(state="initial", reason="Elb.InitialHealthChecking")
        if state == "failing":
            return TargetState(
                state="unhealthy",
                reason="Target.ResponseCodeMismatch",
                description="Health checks failed with these codes: [500]",
            )
        return TargetState(state=state)


class FakeHooks:
    """Answers in turn, the last one again and again."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any] | str | Exception] = []
        self.events: list[Mapping[str, Any]] = []

    def invoke(self, function_arn: str, event: Mapping[str, Any]) -> Mapping[str, Any]:
        self.events.append(event)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            raise HookError(f"{answer} {function_arn}")
        return answer

    def stop(self) -> None:
        pass


class FakeLogs:
    def __init__(self) -> None:
        self.groups = {"/ecs/app"}

    def exists(self, target: LogTarget) -> bool:
        return target.group in self.groups

    def write(self, target: LogTarget, lines: Sequence[tuple[int, str]]) -> None:
        del target, lines


class FakeSecrets:
    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def resolve(self, value_from: str, *, account: str, region: str) -> str:
        del account, region
        if value_from not in self.values:
            raise SecretError(
                "unable to pull secrets or registry auth: execution resource retrieval failed: "
                f"ResourceNotFoundException: Secrets Manager can't find {value_from}"
            )
        return self.values[value_from]

    def log_in(self, secret: str, *, account: str, region: str) -> RegistryLogin:
        user, _, password = self.resolve(secret, account=account, region=region).partition(":")
        return RegistryLogin(user=user, password=password)

    def read_file(self, arn: str, *, account: str, region: str) -> str:
        return self.resolve(arn, account=account, region=region)


class FakeAlarms:
    """Set `states` by name; an alarm that is not there does not exist."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}

    def read(self, names: Sequence[str], *, account: str, region: str) -> Mapping[str, Alarm]:
        del account, region
        return {n: Alarm(state=self.states[n]) for n in names if n in self.states}


class FakeSurroundings:
    """Two networks of a VPC each; `registries` and `namespaces` are empty."""

    def __init__(self) -> None:
        self.networks = {
            "subnet-1": Subnet(vpc="vpc-1", zone="us-east-1a"),
            "subnet-2": Subnet(vpc="vpc-1", zone="us-east-1b"),
            "subnet-9": Subnet(vpc="vpc-9", zone="us-east-1a"),
        }
        self.groups = {"sg-1": "vpc-1", "sg-9": "vpc-9"}
        self.registries: set[str] = set()
        self.namespaces: dict[str, str] = {}  # name → ARN

    def subnets(self, ids: Sequence[str], *, account: str, region: str) -> Mapping[str, Subnet]:
        del account, region
        return {id_: self.networks[id_] for id_ in ids if id_ in self.networks}

    def security_groups(
        self, ids: Sequence[str], *, account: str, region: str
    ) -> Mapping[str, str]:
        del account, region
        return {id_: self.groups[id_] for id_ in ids if id_ in self.groups}

    def has_registry(self, arn: str, *, account: str, region: str) -> bool:
        del account, region
        return arn in self.registries

    def namespace(self, name_or_arn: str, *, account: str, region: str) -> str:
        del account, region
        return self.namespaces.get(name_or_arn, "")


class FakeRoles:
    """Everything is allowed, but for what is in `denied`: an action, or `sts:AssumeRole`."""

    def __init__(self) -> None:
        self.denied: set[str] = set()
        self.ended: list[str] = []

    def assume(self, session: RoleSession) -> None:
        self._require("sts:AssumeRole", session)

    def check_registry(self, session: RoleSession, image: str) -> None:
        del image
        self._require("ecr:GetAuthorizationToken", session)

    def check_image(self, session: RoleSession, image: str) -> None:
        del image
        self._require("ecr:BatchGetImage", session)

    def check_secret(self, session: RoleSession, value_from: str) -> None:
        del value_from
        self._require("secretsmanager:GetSecretValue", session)

    def check_file(self, session: RoleSession, arn: str) -> None:
        del arn
        self._require("s3:GetObject", session)

    def check_stream(self, session: RoleSession, target: LogTarget) -> None:
        del target
        self._require("logs:CreateLogStream", session)

    def may_write(self, session: RoleSession, target: LogTarget) -> bool:
        del session, target
        return "logs:PutLogEvents" not in self.denied

    def may_open_channels(self, session: RoleSession) -> bool:
        del session
        return "ssmmessages:OpenDataChannel" not in self.denied

    def environment(self, session: RoleSession) -> Mapping[str, str]:
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://here/{session.role_arn}"}

    def end(self, task_id: str) -> None:
        self.ended.append(task_id)

    def _require(self, action: str, session: RoleSession) -> None:
        if action in self.denied:
            raise RoleError(f"AccessDeniedException: {session.role_arn} {action}")
