"""EventBridge Scheduler's clock: starts what is due, as the schedule's role may.

Schedules are MiniStack's records; what is due and what is started is decided here. A schedule whose
start fails is tried again, as often as its retry policy says.
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-group.html
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from fsd_files.timetable import due_after, interval_of
from fsd_local.ports import SimulatedClock

Json = dict[str, Any]
_TICK = 1.0  # seconds
_DEFAULT_RETRIES = 185
_BACK_OFF = timedelta(seconds=1)  # doubled each time, on the divided clock
_log = logging.getLogger("fsd.schedules")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundSchedule:
    account: str
    region: str
    record: Json  # as GetSchedule answers
    service: str = "scheduler.amazonaws.com"  # that assumes the target's role

    @property
    def key(self) -> tuple[str, str, str, str]:
        group, name = str(self.record["GroupName"]), str(self.record["Name"])
        return self.account, self.region, group, name


class ScheduleStore(Protocol):
    def all(self) -> Iterable[FoundSchedule]:
        """Of every account and Region."""

    def refusal(self, found: FoundSchedule, task_definition: str) -> str:
        """Why the schedule's role may not start this; "" where it may."""

    def remove(self, found: FoundSchedule) -> None: ...


class TaskStarter(Protocol):
    def handle(
        self, action: str, parameters: Json, *, account: str, region: str
    ) -> tuple[int, Json]: ...


@dataclass(slots=True)
class _Past:
    since: datetime  # from when on it is looked at
    version: object  # of the record: another begins anew
    tries: int = 0
    again_at: datetime | None = None


@dataclass(slots=True)
class ScheduleEngine:
    """`start` has the schedules looked at until `close`; without it, `tick` does so once.

    `speed` divides the intervals of `rate`; a `cron` is due by the real clock.
    """

    store: ScheduleStore
    ecs: TaskStarter
    clock: SimulatedClock
    speed: float = 1.0
    _past: dict[tuple[str, str, str, str], _Past] = field(default_factory=dict)
    _closing: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="schedules", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def reset(self) -> None:
        with self._lock:
            self._past.clear()

    def count(self) -> int:
        return sum(1 for _ in self.store.all())

    def _run(self) -> None:
        while not self._closing.wait(min(_TICK, _TICK * 10 / self.speed)):
            self.tick()

    def tick(self) -> None:
        """Start what is due."""
        now = datetime.fromtimestamp(self.clock.time(), UTC)
        with self._lock:
            for found in list(self.store.all()):
                self._look_at(found, now)

    def fire(self, name: str, *, account: str, region: str) -> list[str]:
        """Start it now, due or not; the tasks' ARNs. Raises ValueError where it cannot."""
        for found in self.store.all():
            is_meant = (found.account, found.region) == (account, region)
            if is_meant and found.record["Name"] == name:
                return self._start(found)
        raise ValueError(f"there is no schedule {name} in {account}, {region}")

    def _look_at(self, found: FoundSchedule, now: datetime) -> None:
        record = found.record
        version = (record["ScheduleExpression"], record.get("ScheduleExpressionTimezone"))
        past = self._past.get(found.key)
        if past is None or past.version != version:
            since = now if past else datetime.fromtimestamp(record["CreationDate"], UTC)
            past = self._past[found.key] = _Past(since, version)
        if record.get("State") != "ENABLED":
            past.since, past.again_at = now, None
            return
        due = past.again_at or self._due(record, past.since)
        if due is not None and due <= now:
            self._try(found, past, now)

    def _due(self, record: Json, since: datetime) -> datetime | None:
        expression = str(record["ScheduleExpression"])
        interval = interval_of(expression)
        if interval is not None:
            return since + interval / self.speed
        zone = ZoneInfo(record.get("ScheduleExpressionTimezone") or "UTC")
        return due_after(expression, since, zone)

    def _try(self, found: FoundSchedule, past: _Past, now: datetime) -> None:
        past.since = now
        try:
            self._start(found)
        except ValueError as error:
            self._failed(found, past, now, error)
            return
        past.tries, past.again_at = 0, None
        is_once = found.record["ScheduleExpression"].startswith("at(")
        if is_once and found.record.get("ActionAfterCompletion") == "DELETE":
            self.store.remove(found)

    def _failed(self, found: FoundSchedule, past: _Past, now: datetime, error: ValueError) -> None:
        _log.warning("the schedule %s started nothing: %s", found.record["Name"], error)
        policy = found.record["Target"].get("RetryPolicy") or {}
        if past.tries >= policy.get("MaximumRetryAttempts", _DEFAULT_RETRIES):
            past.tries, past.again_at = 0, None
            return
        past.again_at = now + _BACK_OFF * 2 ** min(past.tries, 10) / self.speed
        past.tries += 1

    def _start(self, found: FoundSchedule) -> list[str]:
        parameters = run_task(found.record)
        refused = self.store.refusal(found, parameters["taskDefinition"])
        if refused:
            raise ValueError(refused)
        status, answer = self.ecs.handle(
            "RunTask", parameters, account=found.account, region=found.region
        )
        if status != 200:
            raise ValueError(f"{answer.get('__type')}: {answer.get('message')}")
        return [str(task["taskArn"]) for task in answer["tasks"]]


# EcsParameters of the Scheduler → parameters of RunTask.
_SAME: dict[str, Callable[[Any], Any]] = {
    "LaunchType": str,
    "CapacityProviderStrategy": list,
    "EnableECSManagedTags": bool,
    "EnableExecuteCommand": bool,
    "Group": str,
    "PlatformVersion": str,
    "PropagateTags": str,
    "ReferenceId": str,
    "Tags": list,
}
_SPELLING = {
    "EnableECSManagedTags": "enableECSManagedTags",
    "Tags": "tags",
}


def run_task(record: Json) -> Json:
    """What RunTask is told. Raises ValueError for a target that is not ECS's."""
    target = record["Target"]
    ecs = target.get("EcsParameters")
    if not ecs:
        raise ValueError(f"the embedded AWS starts tasks only, not {target.get('Arn')}")
    parameters: Json = {
        "cluster": target["Arn"],
        "taskDefinition": ecs["TaskDefinitionArn"],
        "count": ecs.get("TaskCount", 1),
        "startedBy": str(record.get("StartedBy") or f"chronos-schedule/{record['Name']}")[:36],
    }
    for name, load in _SAME.items():
        if name in ecs:
            parameters[_SPELLING.get(name, name[:1].lower() + name[1:])] = load(ecs[name])
    vpc = (ecs.get("NetworkConfiguration") or {}).get("awsvpcConfiguration")
    if vpc:
        lowered = {name[:1].lower() + name[1:]: value for name, value in vpc.items()}
        parameters["networkConfiguration"] = {"awsvpcConfiguration": lowered}
    if target.get("Input"):
        parameters["overrides"] = json.loads(target["Input"])
    return parameters
