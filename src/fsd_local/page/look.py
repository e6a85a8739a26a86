"""What the page shows, asked of the control plane by AWS's own API, and what its buttons do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from fsd_local.elb import ElasticLoadBalancing
from fsd_local.ports import LogTarget

Json: TypeAlias = dict[str, Any]

_EVENTS = 12
_STOPPED = 8  # tasks that have ended, the newest of them
_LINES = 200
_STOP_REASON = "Stopped on the page of the embedded AWS"


class PlaceOfService(Protocol):
    @property
    def account(self) -> str: ...

    @property
    def region(self) -> str: ...

    @property
    def cluster(self) -> str: ...

    @property
    def name(self) -> str: ...


class ShownEcs(Protocol):
    def services(self) -> Sequence[PlaceOfService]: ...

    def handle(
        self, action: str, parameters: Json, *, account: str, region: str
    ) -> tuple[int, Json]: ...

    def find_task(self, task_id: str) -> tuple[str, str, str] | None:
        """(account, Region, cluster)."""

    def log_targets(self, task_id: str) -> Mapping[str, LogTarget]: ...

    def interrupt_spot(self, task_id: str) -> bool: ...


class Shown:
    """`urls` are those of a target group's load balancers; `read_log` gives (ms, text)."""

    def __init__(
        self,
        ecs: ShownEcs,
        balancing: ElasticLoadBalancing,
        *,
        instance: Json,
        urls: Callable[[str], Sequence[str]],
        read_log: Callable[[LogTarget, int], Sequence[tuple[int, str]]],
    ) -> None:
        self._ecs = ecs
        self._balancing = balancing
        self._instance = instance
        self._urls = urls
        self._read_log = read_log

    def look(self) -> Json:
        return {
            "instance": self._instance,
            "services": [*self._services()],
        }

    def _services(self) -> Iterator[Json]:
        for place in self._ecs.services():
            with contextlib.suppress(ValueError, IndexError):  # deleted meanwhile
                yield self._service(place)

    def read_logs(self, task_id: str) -> Json:
        return {
            "lines": sorted(
                [at, container, text]
                for container, target in self._ecs.log_targets(task_id).items()
                for at, text in self._read_log(target, _LINES)
            )[-_LINES:]
        }

    def act(self, what: str, task_id: str) -> Json:
        """Raises ValueError for what there is not."""
        place = self._ecs.find_task(task_id)
        if place is None:
            raise ValueError("the task has ended")
        account, region, cluster = place
        if what == "stop":
            request = {"cluster": cluster, "task": task_id, "reason": _STOP_REASON}
            self._ecs.handle("StopTask", request, account=account, region=region)
        elif what == "interrupt-spot":
            if not self._ecs.interrupt_spot(task_id):
                raise ValueError("the task does not run on Fargate Spot")
        elif what in ("fail-health", "pass-health"):
            task = self._describe(place, [task_id])[0]
            self._balancing.set_failing(_address(task), is_failing=what == "fail-health")
        else:
            raise ValueError(f"the page has no button {what}")
        return {"done": what}

    def _service(self, place: PlaceOfService) -> Json:
        where = (place.account, place.region, place.cluster)
        service = self._call("DescribeServices", where, services=[place.name])["services"][0]
        groups = sorted(
            {group for balancer in service["loadBalancers"] for group in _groups(balancer)}
        )
        targets = {
            member.address: state.state
            for group in groups
            for member, state in self._balancing.targets(group)
        }
        tasks = self._tasks(where, place.name)
        return {
            "key": "/".join((*where, place.name)),
            "account": place.account,
            "region": place.region,
            "cluster": place.cluster,
            "name": place.name,
            "desired": service["desiredCount"],
            "running": service["runningCount"],
            "taskDefinition": _short(service["taskDefinition"]),
            "urls": sorted({url for group in groups for url in self._urls(group)}),
            "deployments": [_deployment(found) for found in service["deployments"]],
            "rollout": self._rollout(where, place.name),
            "tasks": [self._task(task, targets) for task in tasks],
            "events": [
                {"at": event["createdAt"], "message": event["message"]}
                for event in service["events"][:_EVENTS]
            ],
        }

    def _tasks(self, where: tuple[str, str, str], service: str) -> list[Json]:
        running = self._call("ListTasks", where, serviceName=service)["taskArns"]
        over = self._call("ListTasks", where, serviceName=service, desiredStatus="STOPPED")
        found = self._describe(where, [*running[:50], *over["taskArns"][:50]])
        live = [task for task in found if task["lastStatus"] != "STOPPED"]
        ended = [task for task in found if task["lastStatus"] == "STOPPED"]
        ended.sort(key=lambda task: -float(task.get("stoppedAt", 0)))
        return [*sorted(live, key=lambda task: float(task["createdAt"])), *ended[:_STOPPED]]

    def _describe(self, where: tuple[str, str, str], tasks: Sequence[str]) -> list[Json]:
        if not tasks:
            return []
        found: list[Json] = self._call("DescribeTasks", where, tasks=list(tasks))["tasks"]
        return found

    def _rollout(self, where: tuple[str, str, str], service: str) -> Json:
        """The newest service deployment; {} where there is none."""
        listed = self._call("ListServiceDeployments", where, service=service)
        arns = [found["serviceDeploymentArn"] for found in listed["serviceDeployments"][:1]]
        if not arns:
            return {}
        answer = self._call("DescribeServiceDeployments", where, serviceDeploymentArns=arns)
        (found,) = answer["serviceDeployments"]
        target = found.get("targetServiceRevision") or {}
        return {
            "status": found["status"],
            "reason": found.get("statusReason", ""),
            "stage": found.get("lifecycleStage", ""),
            "weight": target.get("requestedProductionTrafficWeight"),
        }

    def _task(self, task: Json, targets: Mapping[str, str]) -> Json:
        address = _address(task)
        codes = [str(c["exitCode"]) for c in task["containers"] if "exitCode" in c]
        return {
            "id": task["taskArn"].rpartition("/")[2],
            "status": task["lastStatus"],
            "health": task["healthStatus"],
            "target": targets.get(address, ""),
            "address": address,
            "deployment": task.get("startedBy", ""),
            "taskDefinition": _short(task["taskDefinitionArn"]),
            "provider": task.get("capacityProviderName", ""),
            "reason": task.get("stoppedReason", ""),
            "code": task.get("stopCode", ""),
            "exit": ", ".join(codes),
            "isFailing": self._balancing.is_failing(address),
        }

    def _call(self, action: str, where: tuple[str, str, str], **parameters: Any) -> Json:
        """Raises ValueError for what is gone by now."""
        account, region, cluster = where
        if action != "DescribeServiceDeployments":
            parameters["cluster"] = cluster
        status, body = self._ecs.handle(action, parameters, account=account, region=region)
        if status != 200:
            raise ValueError(body.get("message", action))
        return body


def _groups(balancer: Json) -> Iterator[str]:
    advanced = balancer.get("advancedConfiguration") or {}
    for group in (balancer.get("targetGroupArn"), advanced.get("alternateTargetGroupArn")):
        if group:
            yield str(group)


def _deployment(found: Json) -> Json:
    return {
        "id": found["id"],
        "status": found["status"],
        "rollout": found.get("rolloutState", ""),
        "reason": found.get("rolloutStateReason", ""),
        "taskDefinition": _short(found["taskDefinition"]),
        "desired": found["desiredCount"],
        "running": found["runningCount"],
        "failed": found.get("failedTasks", 0),
    }


def _address(task: Json) -> str:
    details = (detail for found in task["attachments"] for detail in found["details"])
    return next((d["value"] for d in details if d["name"] == "privateIPv4Address"), "")


def _short(arn: str) -> str:
    return arn.rpartition("/")[2]
