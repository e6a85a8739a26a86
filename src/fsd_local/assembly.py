"""Puts the embedded AWS together: MiniStack's services, our ECS and load balancing, one gateway.

Importing this imports MiniStack, but not its CloudFormation: that one imports all hundred services
and takes longer than the rest together. It is loaded while the instance answers already; the AWS
APIs wait for it.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from fsd_local import autoscaling, instance, quotas
from fsd_local.authorizations import AuthorizationLog
from fsd_local.autoscaling import ScalingEngine
from fsd_local.balancing.rules import BalancedRequest
from fsd_local.dataplane import DataPlane, Listener
from fsd_local.ecs import EcsService
from fsd_local.ecs.handlers import HostClock
from fsd_local.elb import ElasticLoadBalancing
from fsd_local.gateway import TRUSTED, Admission, Answer, AwsApis, Gateway
from fsd_local.instance import ACCOUNT, REGION, Instance
from fsd_local.lambda_hooks import LocalHooks
from fsd_local.logs import MiniStackLogs
from fsd_local.network_plane import NetworkPlane
from fsd_local.page.live_page import LivePage
from fsd_local.page.look import Shown
from fsd_local.patches import (
    alias_records,
    callers,
    cloudwatch,
    ecr,
    ecr_gate,
    ecr_scans,
    elbv2,
    elbv2_checks,
    elbv2_limits,
    iam,
    registry,
    scheduler,
    services,
)
from fsd_local.patches.access_logs import AccessLogWriter
from fsd_local.patches.scheduler import MiniStackSchedules
from fsd_local.patches.surroundings import MiniStackSurroundings
from fsd_local.peers import is_same_user
from fsd_local.placeholders import create_placeholders, find_placeholders, remove_placeholders
from fsd_local.ports import Neighbours, Terminal
from fsd_local.quotas import Quotas
from fsd_local.roles import LocalRoles
from fsd_local.runtime import choose, reaches_aws
from fsd_local.schedules import ScheduleEngine
from fsd_local.secrets import MiniStackSecrets
from fsd_local.sessions.channel import DataChannels
from fsd_local.sessions.store import Session, Sessions
from fsd_local.settings import SPEED, ServerPlace

_WORKER_THREADS = 16
_NOT_ENFORCED = (
    "anyone who has the instance's secret can do anything; a 12-digit access key is the account"
)
_ENFORCED = (
    "IAM is enforced: roles and users can do what their policies allow; a 12-digit access key is "
    "the account's root user, who can do anything"
)
_ECS_PREFIX = "AmazonEC2ContainerServiceV20141113"


class Assembly:
    """Everything that one instance is made of. `close` stops it all."""

    def __init__(self, place: ServerPlace) -> None:
        settings, speed = place.settings, place.settings.speed or SPEED
        self._port = place.port
        self._started = time.monotonic()
        self._closing = threading.Event()
        self._loaded: asyncio.Future[None] | None = None
        self._count: Callable[[], dict[str, int]] = dict  # until it is loaded
        self._authorizations = AuthorizationLog()
        logs = MiniStackLogs()
        alarms = cloudwatch.MiniStackAlarms()
        # Of whoever runs the tasks: their roles are asked before it pulls.
        self._password = secrets.token_urlsafe(32)
        self._runtime = choose(
            settings.runtime,
            registry_password=self._password,
            aws_port=place.port,
            logs=logs,
            state=place.state_dir / "tasks",
            instance=instance.identify(place.state_dir),
        )
        endpoint = f"http://127.0.0.1:{place.port}"
        self._roles = LocalRoles(
            is_enforced=bool(settings.enforce_iam),
            endpoint=endpoint if reaches_aws(self._runtime) else "",
            repository=registry.find_repository,
        )
        self._balancing = ElasticLoadBalancing(elbv2.MiniStackTargetGroups(), speed=speed)
        self._hooks = LocalHooks()
        self._scans = ecr_scans.PlantedScans()
        sessions = Sessions(f"ws://127.0.0.1:{place.port}")
        self._ecs = EcsService(
            neighbours=Neighbours(
                runtime=self._runtime,
                logs=logs,
                secrets=MiniStackSecrets(),
                roles=self._roles,
                load_balancers=self._balancing,
                alarms=alarms,
                surroundings=MiniStackSurroundings(),
                hooks=self._hooks,
            ),
            speed=speed,
            sessions=sessions,
        )
        self._scaling = ScalingEngine(self._ecs, alarms, speed=speed)
        self._network = NetworkPlane(elbv2.network_listeners, self._balancing.targets)
        self._schedules = ScheduleEngine(
            store=MiniStackSchedules(is_enforced=bool(settings.enforce_iam)),
            ecs=self._ecs,
            clock=HostClock(),
            speed=speed,
        )
        self.instance = Instance(
            endpoint=endpoint,
            region=REGION,
            account=ACCOUNT,
            runtime=self._runtime.name,
            speed=speed,
            enforce_iam=bool(settings.enforce_iam),
            slow_stacks=settings.slow_stacks or 0.0,
            pid=os.getpid(),
            state_dir=str(place.state_dir),
            started_at=instance.now(),
            secret=place.secret,
        )
        self._mount()
        self.application = Gateway(
            calls={
                ("GET", "/_fsd/status"): self._status,
                ("POST", "/_fsd/reset"): self._reset_all,
                ("POST", "/_fsd/interrupt-spot"): self._interrupt_spot,
                ("POST", "/_fsd/run-schedule"): self._run_schedule,
                ("POST", "/_fsd/authorizations"): self._take_authorizations,
                ("POST", "/_fsd/hook"): self._register_hook,
                ("POST", "/_fsd/image-scan"): self._plant_scan,
                ("POST", "/_fsd/placeholders"): _create_placeholders,
                ("POST", "/_fsd/placeholders/find"): _find_placeholders,
                ("POST", "/_fsd/placeholders/remove"): _remove_placeholders,
            },
            reset=self._reset_ours,
            data_plane=DataPlane(
                _choose_listener,
                self._balancing.targets,
                self._balancing.version,
                AccessLogWriter(speed=speed).add,
            ),
            find_alias=alias_records.find_balancer_name,
            channels=DataChannels(sessions, self._open_terminal),
            page=self._page(logs),
            aws=AwsApis(serve=services.serve, find_fault=self._find_fault, ready=self.ready),
            admission=Admission(secret=self.instance.secret, credentials=self._roles.credentials),
        )

    def _page(self, logs: MiniStackLogs) -> LivePage:
        shown = Shown(
            self._ecs,
            self._balancing,
            instance={
                "account": self.instance.account,
                "region": self.instance.region,
                "runtime": self.instance.runtime,
                "speed": self.instance.speed,
            },
            urls=self._group_urls,
            read_log=logs.read,
        )
        return LivePage(
            self.instance.secret, look=shown.look, read_logs=shown.read_logs, act=shown.act
        )

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        services.start(loop, threads=_WORKER_THREADS)
        self._network.start(loop)
        self._scaling.start()
        self._schedules.start()
        self._loaded = loop.run_in_executor(None, self._load_the_rest)

    async def ready(self) -> None:
        if self._loaded is not None:
            await asyncio.shield(self._loaded)

    def _load_the_rest(self) -> None:
        from fsd_local.patches import cloudformation, elbv2_resources, inventory

        elbv2_resources.mount(port=self._port)
        alias_records.mount()
        # After what it wraps.
        cloudformation.mount(
            self._ecs,
            self._scaling,
            is_enforced=self.instance.enforce_iam,
            speed=self.instance.speed,
            closing=self._closing,
        )
        if self.instance.slow_stacks:
            cloudformation.slow_down(self.instance.slow_stacks)
        self._count = inventory.count_resources

    def close(self) -> None:
        self._closing.set()
        self._network.close()
        self._scaling.close()
        self._schedules.close()
        self._ecs.close()
        self._runtime.close()
        self._balancing.close()

    def _mount(self) -> None:
        cloudwatch.mount()
        ecr.mount()
        ecr_scans.mount(self._scans)
        scheduler.mount()
        registry.mount(
            port=self._port, is_enforced=self.instance.enforce_iam, password=self._password
        )
        elbv2.mount(self._balancing, port=self._port)
        limits = Quotas()
        elbv2_limits.mount(limits.value)
        elbv2_checks.mount_gate()
        ecr_gate.mount(is_enforced=self.instance.enforce_iam)
        ours = {
            "ecs": (self._ecs.handle, _ECS_PREFIX),
            "application-autoscaling": (self._scaling.handle, autoscaling.TARGET_PREFIX),
            "servicequotas": (limits.handle, quotas.TARGET_PREFIX),
        }
        authorize = iam.authorize if self.instance.enforce_iam else None
        for name, (handle, prefix) in ours.items():
            services.mount(name, handle, target_prefix=prefix, authorize=authorize)
        if self.instance.enforce_iam:
            iam.mount(self._ecs.handle, self._authorizations)

    # ---- FSD's own calls

    def _find_fault(self, scope: Mapping[str, Any], body: bytes) -> Answer | None:
        call = callers.read_call(scope, body)
        fault = callers.find_fault(
            call,
            root_secret=self.instance.secret,
            is_same_user=not call.is_unsigned_login
            or is_same_user(tuple(scope["client"]), tuple(scope["server"])),
        )
        return None if fault is None else (403, *callers.error_answer(call, *fault))

    def _open_terminal(self, session: Session) -> Terminal:
        return self._runtime.open_terminal(session.task_id, session.container, session.command)

    def _status(self, request: Mapping[str, Any]) -> dict[str, Any]:
        own = {key: value for key, value in asdict(self.instance).items() if key != "secret"}
        if not request.get(TRUSTED):
            return {
                **own,
                "started_at": self.instance.started_at.isoformat(),
                "uptime": round(time.monotonic() - self._started, 1),
                "services": [],
                "resources": {},
                "notes": [],
            }
        return {
            **own,
            "started_at": self.instance.started_at.isoformat(),
            "uptime": round(time.monotonic() - self._started, 1),
            "services": [self._service(summary) for summary in self._ecs.services()],
            "resources": self._resources(),
            "notes": self._notes(),
        }

    def _service(self, summary: Any) -> dict[str, Any]:
        urls = [url for arn in summary.target_group_arns for url in self._group_urls(arn)]
        return {**asdict(summary), "urls": urls}

    def _group_urls(self, target_group_arn: str) -> list[str]:
        balancers = elbv2.load_balancers_of(target_group_arn)
        return [url for balancer in balancers for url in self._urls(balancer)]

    def _urls(self, balancer: elbv2.BalancerName) -> tuple[str, ...]:
        listeners = elbv2.network_listeners()
        mine = [arn for arn, each in listeners.items() if each.balancer == balancer.arn]
        if not mine:
            return (
                f"http://{balancer.dns_name}",
                f"http://127.0.0.1:{self._port}/_alb/{balancer.label}/",
            )
        ports = filter(None, map(self._network.port, mine))
        return tuple(f"tcp://127.0.0.1:{port}" for port in ports)

    def _resources(self) -> dict[str, int]:
        return {
            **self._ecs.counts(),
            **self._count(),
            "scalable_targets": self._scaling.count(),
            "schedules": self._schedules.count(),
        }

    def _notes(self) -> list[str]:
        notes = [
            f"health checks, grace periods, draining, bake times and cooldowns run "
            f"{self.instance.speed:g} times as fast",
            _ENFORCED if self.instance.enforce_iam else _NOT_ENFORCED,
            "target tracking follows metrics that are put into CloudWatch; nothing measures load",
        ]
        if self.instance.slow_stacks:
            seconds = f"{self.instance.slow_stacks:g} s"
            notes.append(f"every CloudFormation operation is in progress for {seconds}")
        if elbv2.has_https_listener():
            notes.append("HTTPS listeners answer plain HTTP on the one port")
        return notes

    def _interrupt_spot(self, request: Mapping[str, Any]) -> dict[str, Any]:
        return {"interrupted": self._ecs.interrupt_spot(str(request.get("task", "")))}

    def _run_schedule(self, request: Mapping[str, Any]) -> dict[str, Any]:
        started = self._schedules.fire(
            str(request.get("name", "")),
            account=str(request.get("account") or ACCOUNT),
            region=str(request.get("region") or REGION),
        )
        return {"tasks": started}

    def _take_authorizations(self, _request: Mapping[str, Any]) -> dict[str, Any]:
        return {"authorizations": [one.written() for one in self._authorizations.take()]}

    def _register_hook(self, request: Mapping[str, Any]) -> dict[str, Any]:
        function, command = str(request.get("function", "")), request.get("command", [])
        if not function or not isinstance(command, list):
            raise ValueError("function (a name or an ARN) and command (a list) are needed")
        self._hooks.register(function, [str(word) for word in command], str(request["folder"]))
        return {"function": function}

    def _plant_scan(self, request: Mapping[str, Any]) -> dict[str, Any]:
        statuses, findings = request.get("statuses", ["COMPLETE"]), request.get("findings", [])
        if not request.get("repository") or not isinstance(findings, list) or not statuses:
            raise ValueError("repository (a name), statuses and findings (lists) are needed")
        scan = ecr_scans.PlantedScan(
            statuses=[str(status) for status in statuses],
            description=str(request.get("description", "")),
            findings=findings,
            is_enhanced=bool(request.get("enhanced")),
        )
        repository = str(request["repository"])
        account, region = (
            str(request.get("account") or ACCOUNT),
            str(request.get("region") or REGION),
        )
        self._scans.plant(scan, account=account, region=region, repository=repository)
        return {"repository": repository}

    def _reset_ours(self) -> None:
        self._scans.reset()
        self._hooks.reset()
        self._authorizations.take()
        self._schedules.reset()
        self._ecs.reset()
        self._scaling.reset()
        self._roles.reset()
        self._balancing.reset()

    def _reset_all(self, _request: Mapping[str, Any]) -> dict[str, Any]:
        self._reset_ours()
        services.reset()
        return {"reset": True}


def _create_placeholders(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"created": create_placeholders(**_placeholders(request))}


def _find_placeholders(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"found": find_placeholders(**_placeholders(request))}


def _remove_placeholders(request: Mapping[str, Any]) -> dict[str, Any]:
    return {"removed": remove_placeholders(**_placeholders(request))}


def _placeholders(request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "values_from": [str(value) for value in request.get("valuesFrom", [])],
        "service": str(request.get("service", "")),
        "account": ACCOUNT,
        "region": REGION,
    }


def _choose_listener(name: str, request: BalancedRequest) -> Listener | None:
    balancer = elbv2.find_load_balancer(name)
    if balancer is None:
        raise LookupError(name)
    return elbv2.choose_listener(balancer, request)
