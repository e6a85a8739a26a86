"""A service on an embedded AWS, and somebody else's view of both, while FSD has a bad time."""

from __future__ import annotations

import json
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fsd.release.probe import is_left_over, probe_prefix
from tests.chaos import impatient
from tests.local.cli import HELLO, ROOT, Ended, Fsd, Program
from tests.local.conftest import SPEED, commit

DESIRED = 2
CRASH = ("--override", "environment.HELLO_CRASH=1")
IN_FLIGHT = ["PENDING", "IN_PROGRESS", "STOP_REQUESTED", "ROLLBACK_REQUESTED"]


@dataclass(frozen=True, kw_only=True)
class Change:
    """Something new in the image, in the task definition and in the stack."""

    number: int

    @property
    def greeting(self) -> str:
        return f"hi-{self.number}"

    @property
    def path(self) -> str:
        """The load balancer's health check's: in the stack, and tried first on what runs."""
        return f"/health?{self.number}"

    @property
    def options(self) -> tuple[str, ...]:
        return (
            *("--override", f"environment.GREETING={self.greeting}"),
            *("--override", f"healthCheck.path={self.path}"),
        )


@dataclass
class Visitor:
    """Asks the service through its load balancer, and counts its healthy targets, all the time."""

    url: str
    targets: Any  # counts them
    asked: int = 0
    failed: list[str] = field(default_factory=list)
    fewest: int = DESIRED
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self._over.wait(0.05):
            self.asked += 1
            try:
                with urllib.request.urlopen(self.url, timeout=10):
                    pass
            except (urllib.error.URLError, OSError) as error:
                self.failed.append(str(error))
            self.fewest = min(self.fewest, self.targets())

    def stop(self) -> None:
        self._over.set()


@dataclass
class Cloud:
    """The embedded AWS, the service's folder, and clients that see what AWS has."""

    fsd: Fsd
    endpoint: str
    ecs: Any
    elbv2: Any
    cloudformation: Any
    _made: int = 0

    def change(self) -> Change:
        self._made += 1
        app = self.fsd.cwd / "app.py"
        app.write_text(f"{(HELLO / 'app.py').read_text()}# {self._made}\n")
        commit(self.fsd.cwd, f"change {self._made}")
        return Change(number=self._made)

    def start(
        self, endpoint: str, environment: str, *options: str, read_timeout: float = 0
    ) -> Program:
        """With a `read_timeout`, in seconds, also without much of a pause between attempts."""
        fsd = Fsd(self.fsd.state, self.fsd.cwd, {**self.fsd.extra, "AWS_ENDPOINT_URL": endpoint})
        if read_timeout:
            fsd.module = impatient.__name__
            fsd.extra |= {"PYTHONPATH": str(ROOT), impatient.READ_TIMEOUT: str(read_timeout)}
        return fsd.start("deploy", "--env", environment, "--format", "json", *options)

    def deploy(self, environment: str, *options: str) -> Ended:
        """With nothing in the way."""
        return self.start(self.endpoint, environment, *options).end()

    def healthy(self, group: str) -> int:
        found = self.elbv2.describe_target_health(TargetGroupArn=group)
        states = [one["TargetHealth"]["State"] for one in found["TargetHealthDescriptions"]]
        return states.count("healthy")

    def service(self, environment: str) -> Any:
        (found,) = self.ecs.describe_services(
            cluster=environment, services=[f"hello-{environment}"]
        )["services"]
        return found

    def all_of(self, environment: str) -> Any:
        """What a rollback has to restore: the revision, its target group, and the whole stack."""
        service = self.service(environment)
        stack = self.cloudformation.get_template(StackName=f"fsd-hello-{environment}")
        return (
            service["taskDefinition"],
            service["desiredCount"],
            self._path_of(environment),
            stack["TemplateBody"]["Resources"],
        )

    def revisions(self, environment: str) -> list[str]:
        pages = self.ecs.get_paginator("list_task_definitions").paginate(
            familyPrefix=f"hello-{environment}"
        )
        found: list[str] = [arn for page in pages for arn in page["taskDefinitionArns"]]
        return found

    def deployments_of(self, environment: str, task_definition: str) -> list[str]:
        """The service deployments that rolled out this revision."""
        listed = self.ecs.list_service_deployments(
            cluster=environment, service=f"hello-{environment}"
        )["serviceDeployments"]
        targets = {one["targetServiceRevisionArn"]: one["serviceDeploymentArn"] for one in listed}
        arns = list(targets)
        found = [
            revision
            for at in range(0, len(arns), 20)
            for revision in self.ecs.describe_service_revisions(
                serviceRevisionArns=arns[at : at + 20]
            )["serviceRevisions"]
        ]
        return [
            targets[revision["serviceRevisionArn"]]
            for revision in found
            if revision["taskDefinition"] == task_definition
        ]

    def _path_of(self, environment: str) -> str:
        group = self.service(environment)["loadBalancers"][0]["targetGroupArn"]
        return self.health_check_path(group)

    def health_check_path(self, target_group: str) -> str:
        (group,) = self.elbv2.describe_target_groups(TargetGroupArns=[target_group])["TargetGroups"]
        return str(group["HealthCheckPath"])

    def probes(self, *, of_killed_runs: bool = True) -> list[str]:
        """Names of what tries a health check. A run leaves none of its own; what one that was
        killed leaves stays until no run can be using it any more."""
        groups = self.elbv2.describe_target_groups()["TargetGroups"]
        names = [group["TargetGroupName"] for group in groups]
        now = datetime.now(UTC)
        return [
            name
            for name in names
            if name.startswith("fsd-probe-") and (of_killed_runs or is_left_over(name, now=now))
        ]

    def rules(self, environment: str) -> list[str]:
        """Besides the default ones and those of probes, of the load balancer."""
        (balancer,) = self.elbv2.describe_load_balancers(Names=[f"hello-{environment}"])[
            "LoadBalancers"
        ]
        listeners = self.elbv2.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])
        found = [
            rule
            for listener in listeners["Listeners"]
            for rule in self.elbv2.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]
        ]
        return [
            rule["RuleArn"]
            for rule in found
            if not rule["IsDefault"]
            and not any(
                ":targetgroup/fsd-probe-" in action.get("TargetGroupArn", "")
                for action in rule["Actions"]
            )
        ]

    @contextmanager
    def visited(self, environment: str) -> Iterator[Visitor]:
        group = self.service(environment)["loadBalancers"][0]["targetGroupArn"]
        url = f"{self.endpoint}/_alb/hello-{environment}/"
        visitor = Visitor(url, lambda: self.healthy(group))
        thread = threading.Thread(target=visitor.run)
        thread.start()
        try:
            yield visitor
        finally:
            visitor.stop()
            thread.join()

    def assert_converged(self, environment: str, change: Change, ended: Ended) -> None:
        """It says so, and everything on AWS is what `change` asked for, and only that."""
        assert ended.code == 0, ended.text
        result = ended.json()
        assert result["outcome"] in {"succeeded", "unchanged"}, ended.text
        service = self.service(environment)
        assert result["running"]["taskDefinitionArn"] == service["taskDefinition"]
        self._assert_steady(environment, service)
        self._assert_runs(service, change, image=result["image"])
        self._assert_one_stack(environment)
        # Another environment's, of a run that was killed, waits for that environment's next run.
        prefix = probe_prefix(f"fsd-hello-{environment}")
        left = [name for name in self.probes(of_killed_runs=False) if name.startswith(prefix)]
        assert (left, self.rules(environment)) == ([], []), ended.text

    def _assert_steady(self, environment: str, service: Any) -> None:
        name = service["serviceName"]
        assert [one["status"] for one in service["deployments"]] == ["PRIMARY"], service
        assert (service["runningCount"], service["desiredCount"]) == (DESIRED, DESIRED)
        in_flight = self.ecs.list_service_deployments(
            cluster=environment, service=name, status=IN_FLIGHT
        )
        assert in_flight["serviceDeployments"] == []
        tasks = self.ecs.list_tasks(cluster=environment, serviceName=name)["taskArns"]
        assert len(tasks) == DESIRED

    def _assert_runs(self, service: Any, change: Change, *, image: str) -> None:
        definition = self.ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
        container = definition["taskDefinition"]["containerDefinitions"][0]
        assert {"name": "GREETING", "value": change.greeting} in container["environment"]
        assert container["image"] == image
        group = service["loadBalancers"][0]["targetGroupArn"]
        assert self.health_check_path(group) == change.path

    def _assert_one_stack(self, environment: str) -> None:
        pages = self.cloudformation.get_paginator("list_stacks").paginate()
        found = [
            (one["StackName"], one["StackStatus"])
            for page in pages
            for one in page["StackSummaries"]
            if one["StackName"].endswith(f"hello-{environment}")
        ]
        assert [name for name, _ in found] == [f"fsd-hello-{environment}"], json.dumps(found)
        assert found[0][1] in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


@contextmanager
def open_cloud(folder: Path) -> Iterator[Cloud]:
    """With the example service in `folder`; nothing is deployed yet."""
    shutil.copytree(HELLO, folder / "hello")
    commit(folder / "hello", "first")
    fsd = Fsd(state=folder / "state", cwd=folder / "hello")
    fsd.ok("local", "up", "--runtime", "process", "--speed", SPEED)
    try:
        endpoint = fsd.status()["endpoint"]
        # The proxy of the faults has another `Host` than was signed: the token proves the caller.
        fsd.extra = {**fsd.aws_environment(), "AWS_SESSION_TOKEN": fsd.secret()}
        with (
            fsd.client("ecs") as ecs,
            fsd.client("elbv2") as elbv2,
            fsd.client("cloudformation") as cloudformation,
        ):
            yield Cloud(fsd, endpoint, ecs, elbv2, cloudformation)
    finally:
        fsd.ok("local", "down")
