"""ECS over time, as boto3's client shows it: what happens is scripted by second, not by call.

The real adapters run over it, so that what they make of ECS's answers is part of the test. Time is
the fake clock's. Every call is counted and may be made to fail.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

from fsd.release.ports import LogLine
from tests.fakes.clock import Unlimited

START = datetime(2026, 11, 22, 14, 0, 0, tzinfo=UTC)
ACCOUNT = "arn:aws:ecs:us-east-1:123456789012:"
SERVICE = "web-dev"
STEADY = "has reached a steady state."

Answer = dict[str, Any]


def task_definition_arn(name: str) -> str:
    return f"{ACCOUNT}task-definition/{name}"


def deployment_arn(name: str) -> str:
    return f"{ACCOUNT}service-deployment/dev/{SERVICE}/{name}"


@dataclass(kw_only=True)
class Rollout:
    """One service deployment, as it is at this moment."""

    name: str  # before, ours, other, back
    number: int
    revision: str  # web-dev:42
    created_at: datetime
    status: str = "PENDING"
    running: int = 0
    requested: int = 2
    fields: Answer = field(default_factory=dict)  # of DescribeServiceDeployments, verbatim
    failed: int = 0
    reason: str = ""

    @property
    def arn(self) -> str:
        return deployment_arn(self.name)

    @property
    def is_final(self) -> bool:
        return self.status in {"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"}


class EcsWorld:
    """A service `web-dev` in cluster `dev`; `client` is what boto3 would give for ECS."""

    def __init__(self, clock: WorldClock) -> None:
        self.clock = clock
        self.rollouts: list[Rollout] = []  # oldest first
        self.definitions: dict[str, Answer] = {}
        self.exists = False
        self.status = "ACTIVE"
        self.desired = 0
        self.events: list[Answer] = []
        self.stopped: list[Answer] = []
        self.tasks: list[Answer] = []
        self.calls: Counter[str] = Counter()
        self.made: list[tuple[str, Answer]] = []  # the calls that change something
        self.fails: dict[str, list[Exception]] = {}
        self.denied = False
        self.hides: set[str] = set()  # keys that this ECS leaves out of its answers
        self.deploys: Iterator[str] = iter(("ours", "back", "again"))
        self.on_deploy: Callable[[str], None] = lambda _: None
        self.on_stop: Callable[[], None] = lambda: None
        self.frozen_until = START
        self.unlisted_until = START
        self._frozen: Answer = {}
        self._numbers = itertools.count(1)
        self._ids = itertools.count(1)

    # --- the scenario's verbs --------------------------------------------------------------

    def declare_running(self, revision: str, definition: Answer, *, count: int = 2) -> None:
        """The service runs this revision, whose deployment succeeded an hour ago."""
        self.define(revision, definition)
        self.exists, self.desired = True, count
        before = self.begin("before", revision, at=self.clock.now() - timedelta(hours=1))
        before.status, before.running, before.requested = "SUCCESSFUL", count, count

    def define(self, revision: str, definition: Answer) -> None:
        version = f"v{revision.rpartition(':')[2]}"
        self.definitions[revision] = {
            **definition,
            "taskDefinitionArn": task_definition_arn(revision),
            "family": SERVICE,
            "revision": int(revision.rpartition(":")[2]),
            "status": "ACTIVE",
            "tags": [{"key": "fsd:version", "value": version}],
        }

    def begin(self, name: str, revision: str, *, at: datetime | None = None) -> Rollout:
        rollout = Rollout(
            name=name, number=next(self._numbers), revision=revision,
            created_at=at or self.clock.now(), requested=self.desired,
        )  # fmt: skip
        self.rollouts.append(rollout)
        return rollout

    def find(self, name: str) -> Rollout | None:
        return next((r for r in self.rollouts if r.name == name), None)

    def say(self, message: str) -> None:
        event = {
            "id": f"event-{next(self._ids)}",
            "createdAt": self.clock.now(),
            "message": f"(service {SERVICE}) {message}",
        }
        self.events.insert(0, event)

    def stop_task(
        self, revision: str, code: str, reason: str, *, exit_code: int | None = None
    ) -> None:
        number = next(self._ids)
        container: Answer = {"name": "web"}
        if exit_code is not None:
            container["exitCode"] = exit_code
        self.stopped.append(
            {
                "taskArn": f"{ACCOUNT}task/dev/{number:032x}",
                "taskDefinitionArn": task_definition_arn(revision),
                "stopCode": code,
                "stoppedReason": reason,
                "stoppedAt": self.clock.now(),
                "createdAt": self.clock.now(),
                "lastStatus": "STOPPED",
                "containers": [container],
            }
        )

    def fail(self, operation: str, code: str, *, times: int = 1) -> None:
        answer: Any = {"Error": {"Code": code, "Message": f"{code} planted"}}
        answer["ResponseMetadata"] = {"HTTPStatusCode": 500 if code == "ServerException" else 400}
        error = ClientError(answer, operation)
        self.fails.setdefault(operation, []).extend([error] * times)

    def freeze(self, duration: timedelta) -> None:
        """DescribeServices answers with what is now: ECS is eventually consistent."""
        self._frozen = self._describe()
        self.frozen_until = self.clock.now() + duration

    # --- what ECS derives from its deployments ------------------------------------------------

    def listed(self) -> list[Answer]:
        """`services[].deployments`, as ECS lists them beside its service deployments."""
        newest = self.rollouts[-1]
        before = self._last_good(newest)
        rows: list[Answer]
        match newest.status:
            case "ROLLBACK_IN_PROGRESS" | "ROLLBACK_SUCCESSFUL" | "ROLLBACK_FAILED" if before:
                state = {"ROLLBACK_IN_PROGRESS": "IN_PROGRESS", "ROLLBACK_FAILED": "FAILED"}
                reason = f"rolling back to deploymentId ecs-svc/{before.number}."
                rows = [
                    _row(before, "PRIMARY", state.get(newest.status, "COMPLETED"),
                         id_=f"ecs-svc/{newest.number}00", reason=reason)
                ]  # fmt: skip
                if newest.status != "ROLLBACK_SUCCESSFUL":
                    rows.append(_row(newest, "ACTIVE", "FAILED"))
                return rows
            case "SUCCESSFUL":
                return [_row(newest, "PRIMARY", "COMPLETED")]
            case "STOPPED" | "ROLLBACK_FAILED":
                rows = [_row(newest, "PRIMARY", "FAILED", reason=newest.reason)]
            case _:
                rows = [_row(newest, "PRIMARY", "IN_PROGRESS")]
        older = [r for r in self.rollouts[:-1] if not r.is_final]
        rows += [_row(r, "ACTIVE", "IN_PROGRESS") for r in older]
        return [*rows, *([_row(before, "ACTIVE", "COMPLETED")] if before else [])]

    def _last_good(self, newest: Rollout) -> Rollout | None:
        older = self.rollouts[: self.rollouts.index(newest)]
        return next((r for r in reversed(older) if r.status == "SUCCESSFUL"), None)

    def _describe(self) -> Answer:
        if not self.exists:
            return {"services": [], "failures": [{"arn": SERVICE, "reason": "MISSING"}]}
        deployments = self.listed()
        service = {
            "serviceName": SERVICE,
            "serviceArn": f"{ACCOUNT}service/dev/{SERVICE}",
            "clusterArn": f"{ACCOUNT}cluster/dev",
            "status": self.status,
            "taskDefinition": deployments[0]["taskDefinition"],
            "desiredCount": self.desired,
            "runningCount": min(self.desired, sum(d["runningCount"] for d in deployments)),
            "pendingCount": min(self.desired, sum(d["pendingCount"] for d in deployments)),
            "deployments": deployments,
            "events": list(self.events[:100]),
            "currentServiceDeployment": self.rollouts[-1].arn,
            "networkConfiguration": {
                "awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}
            },
        }
        return {"services": [self._show(service)], "failures": []}

    def _show(self, answer: Answer) -> Answer:
        return {key: value for key, value in answer.items() if key not in self.hides}

    # --- boto3's client -------------------------------------------------------------------------

    @property
    def client(self) -> Any:
        return _Client(self)

    def call(self, operation: str, parameters: Answer) -> Answer:
        self.calls[operation] += 1
        if self.fails.get(operation):
            raise self.fails[operation].pop(0)
        if self.denied and "service_deployment" in operation:
            error = {"Code": "AccessDeniedException", "Message": "User: x is not authorized"}
            raise ClientError({"Error": error}, operation)
        answer: Answer = getattr(self, f"_{operation}")(**parameters)
        return answer

    def _describe_clusters(self, **_: Any) -> Answer:
        cluster = {"clusterName": "dev", "clusterArn": f"{ACCOUNT}cluster/dev", "status": "ACTIVE"}
        return {"clusters": [cluster], "failures": []}

    def _describe_services(self, **_: Any) -> Answer:
        return self._frozen if self.clock.now() < self.frozen_until else self._describe()

    def _list_service_deployments(self, **_: Any) -> Answer:
        briefs = [
            {"serviceDeploymentArn": r.arn, "createdAt": r.created_at, "status": r.status}
            for r in self._visible()
        ]
        return {"serviceDeployments": briefs}

    def _describe_service_deployments(self, *, serviceDeploymentArns: list[str]) -> Answer:
        found = [self._full(r) for r in self._visible() if r.arn in serviceDeploymentArns]
        return {"serviceDeployments": [self._show(answer) for answer in found], "failures": []}

    def _visible(self) -> list[Rollout]:
        if self.clock.now() >= self.unlisted_until:
            return self.rollouts
        return [r for r in self.rollouts if r.name != "ours"]

    def _full(self, rollout: Rollout) -> Answer:
        return {
            "serviceDeploymentArn": rollout.arn,
            "createdAt": rollout.created_at,
            "status": rollout.status,
            "statusReason": rollout.reason,
            "targetServiceRevision": {
                "arn": f"{ACCOUNT}service-revision/dev/{SERVICE}/{rollout.name}",
                "requestedTaskCount": rollout.requested,
                "runningTaskCount": rollout.running,
                "pendingTaskCount": max(0, rollout.requested - rollout.running),
            },
            "deploymentCircuitBreaker": {
                "status": "MONITORING", "failureCount": rollout.failed, "threshold": 3,
            },
            **rollout.fields,
        }  # fmt: skip

    def _describe_service_revisions(self, *, serviceRevisionArns: list[str]) -> Answer:
        found = [
            {
                "serviceRevisionArn": f"{ACCOUNT}service-revision/dev/{SERVICE}/{r.name}",
                "taskDefinition": task_definition_arn(r.revision),
            }
            for r in self.rollouts
        ]
        wanted = [r for r in found if r["serviceRevisionArn"] in serviceRevisionArns]
        return {"serviceRevisions": wanted, "failures": []}

    def _list_task_definitions(self, **_: Any) -> Answer:
        arns = [task_definition_arn(name) for name in reversed(self.definitions)]
        return {"taskDefinitionArns": arns}

    def _describe_task_definition(self, *, taskDefinition: str, **_: Any) -> Answer:
        found = self.definitions.get(taskDefinition.rpartition("/")[2])
        if found is None:
            message = "Unable to describe task definition."
            error = {"Code": "ClientException", "Message": message}
            raise ClientError({"Error": error}, "DescribeTaskDefinition")
        definition = {key: value for key, value in found.items() if key != "tags"}
        return {"taskDefinition": definition, "tags": found["tags"]}

    def _register_task_definition(self, *, tags: list[Answer], **definition: Any) -> Answer:
        number = max((d["revision"] for d in self.definitions.values()), default=0) + 1
        name = f"{SERVICE}:{number}"
        self.define(name, definition)
        self.definitions[name]["tags"] = tags
        return self._describe_task_definition(taskDefinition=task_definition_arn(name))

    def _tag_resource(self, *, resourceArn: str, tags: list[Answer]) -> Answer:
        """A note in the ledger; it is not among what is `made`, which changes what runs."""
        found = self.definitions[resourceArn.rpartition("/")[2]]
        new = {tag["key"] for tag in tags}
        found["tags"] = [*(tag for tag in found["tags"] if tag["key"] not in new), *tags]
        return {}

    def _create_service(self, **parameters: Any) -> Answer:
        self.made.append(("create_service", parameters))
        self.exists, self.desired = True, parameters["desiredCount"]
        return self._deploy(parameters["taskDefinition"])

    def _update_service(self, **parameters: Any) -> Answer:
        self.made.append(("update_service", parameters))
        self.desired = parameters.get("desiredCount", self.desired)
        wanted = parameters.get("taskDefinition", "").rpartition("/")[2]
        if parameters.get("forceNewDeployment") or wanted not in {"", self.rollouts[-1].revision}:
            return self._deploy(wanted or self.rollouts[-1].revision)
        return {"service": self._describe()["services"][0]}

    def _deploy(self, definition: str) -> Answer:
        name = next(self.deploys)
        self.begin(name, definition.rpartition("/")[2])
        self.on_deploy(name)
        return {"service": self._describe()["services"][0]}

    def _stop_service_deployment(self, *, serviceDeploymentArn: str, **_: Any) -> Answer:
        self.made.append(("stop_service_deployment", {"arn": serviceDeploymentArn}))
        found = next(r for r in self.rollouts if r.arn == serviceDeploymentArn)
        if found.is_final:
            error = {"Code": "ConflictException", "Message": "it is over"}
            raise ClientError({"Error": error}, "StopServiceDeployment")
        self.on_stop()
        return {"serviceDeploymentArn": serviceDeploymentArn}

    def _list_tasks(self, *, desiredStatus: str, **_: Any) -> Answer:
        tasks = self.stopped if desiredStatus == "STOPPED" else self.tasks
        return {"taskArns": [task["taskArn"] for task in tasks]}

    def _describe_tasks(self, *, tasks: list[str], **_: Any) -> Answer:
        found = [t for t in (*self.stopped, *self.tasks) if t["taskArn"] in tasks]
        return {"tasks": [self._show(task) for task in found], "failures": []}


def _row(rollout: Rollout, status: str, state: str, *, id_: str = "", reason: str = "") -> Answer:
    return {
        "id": id_ or f"ecs-svc/{rollout.number}",
        "status": status,
        "taskDefinition": task_definition_arn(rollout.revision),
        "rolloutState": state,
        "rolloutStateReason": reason or rollout.reason,
        "desiredCount": rollout.requested,
        "runningCount": rollout.running,
        "pendingCount": max(0, rollout.requested - rollout.running),
        "failedTasks": rollout.failed,
        "createdAt": rollout.created_at,
    }


class _Client:
    """Operations as methods, the way boto3 spells them."""

    def __init__(self, world: EcsWorld) -> None:
        self._world = world
        self.meta = SimpleNamespace(method_to_api_mapping={})

    def __getattr__(self, operation: str) -> Callable[..., Answer]:
        return lambda **parameters: self._world.call(operation, parameters)

    def get_paginator(self, operation: str) -> Any:
        def paginate(**parameters: Any) -> Iterator[Answer]:
            yield self._world.call(operation, parameters)

        return SimpleNamespace(paginate=paginate)


class WorldClients:
    """`fsd.aws.session.Clients` with the world's ECS in it."""

    def __init__(self, world: EcsWorld) -> None:
        self._client = world.client

    def client(self, service: str, *, attempts: int = 0, region: str = "") -> Any:
        del attempts, region
        if service != "ecs":
            raise AssertionError(service)
        return self._client


class WorldClock(Unlimited):
    """Waiting takes no time, and passes by everything that was to happen meanwhile."""

    def __init__(self) -> None:
        self.time = START
        self._due: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        return self.time

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """`action` may raise what interrupts the wait."""
        self._due.append((moment, next(self._order), action))
        self._due.sort(key=lambda due: due[:2])

    def wait(self, duration: timedelta) -> None:
        until = self.time + duration
        while self._due and self._due[0][0] <= until:
            moment, _, action = self._due.pop(0)
            self.time = max(self.time, moment)
            action()
        self.time = until

    def settle(self) -> None:
        """Do what is due at this very moment."""
        self.wait(timedelta())


@dataclass
class WorldTargets:
    """Target health that moves with the world, one entry an address."""

    healths: dict[str, Any] = field(default_factory=dict)
    calls: int = 0

    def health(self, target_group_arn: str) -> list[Any]:
        del target_group_arn
        self.calls += 1
        return list(self.healths.values())

    def weights(self, rule_arn: str) -> dict[str, int]:
        del rule_arn
        return {}

    def find_health(self, target_group_arn: str) -> list[Any] | None:
        return self.health(target_group_arn)


@dataclass
class WorldLogs:
    lines: list[LogLine] = field(default_factory=list)

    def tail(self, group: str, stream: str, limit: int) -> list[LogLine]:
        del group, stream
        return self.lines[-limit:]

    def has_group(self, name: str) -> bool:
        del name
        return True

    def since(self, group: str, start: datetime, prefix: str = "") -> list[LogLine]:
        del group, prefix
        return [line for line in self.lines if line.at >= start]
