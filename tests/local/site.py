"""One service in an environment of its own in an embedded AWS that many share, by the real CLI."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.local.cli import TIMEOUT, Ended, Fsd
from tests.waiting import eventually

PATIENCE = 90.0  # seconds for one condition; far more than any needs


@dataclass
class Site:
    """`fsd` has the embedded AWS's address and keys; `client` gives somebody else's clients."""

    fsd: Fsd
    env: str
    client: Callable[[str], Any]
    running: str = ""  # the revision that serves before the case begins
    more: tuple[str, ...] = field(default=())

    @property
    def service(self) -> str:
        return f"planted-{self.env}"

    @property
    def names(self) -> dict[str, str]:
        """How ECS's API takes the service."""
        return {"cluster": self.env, "service": self.service}

    def command(self, *overrides: str) -> tuple[str, ...]:
        options = [part for one in overrides for part in ("--override", one)]
        return ("deploy", "--env", self.env, "--format", "json", *self.more, *options)

    # ---- what one does

    def with_base(self, *overrides: str) -> Site:
        """Version 1 serves."""
        base = self.fsd.ok(*self.command(*overrides)).json()
        return replace(self, running=base["running"]["revision"])

    def deploy(self, *overrides: str) -> Ended:
        return self.fsd.run(*self.command(*overrides))

    def deploy_and(
        self, act: Callable[[Site], object], *overrides: str, when: str = "rollout"
    ) -> Ended:
        """Deploy; when a line on the way has `when`, somebody acts."""
        with self.fsd.start(*self.command(*overrides)) as process:
            said = []
            for line in process.stderr or ():
                said.append(line)
                if when in line:
                    act(self)
                    break
            out, err = process.communicate(timeout=TIMEOUT)
        return Ended(process.returncode, out, "".join(said) + err)

    def diagnose(self) -> Ended:
        who = ("--service", "planted", "--env", self.env)
        return self.fsd.run("diagnose", *who, "--format", "json")

    # ---- what others do and see

    def described(self) -> Any:
        (found,) = self.client("ecs").describe_services(cluster=self.env, services=[self.service])[
            "services"
        ]
        return found

    def primary(self) -> Any:
        found = self.described()
        (primary,) = [one for one in found["deployments"] if one["status"] == "PRIMARY"]
        return primary

    def configuration(self) -> Any:
        """How the service is deployed; without hooks that are none any more."""
        found = self.described()["deploymentConfiguration"]
        return {key: value for key, value in found.items() if value != []}

    def serves(self) -> str:
        """The revision whose rollout ECS completed."""
        return str(self.primary()["taskDefinition"]).rpartition("/")[2]

    def update(self, **changes: Any) -> Any:
        return self.client("ecs").update_service(**self.names, **changes)["service"]

    def stop_deployment(self) -> None:
        ecs = self.client("ecs")
        newest = ecs.list_service_deployments(**self.names)["serviceDeployments"][0]
        ecs.stop_service_deployment(
            serviceDeploymentArn=newest["serviceDeploymentArn"], stopType="ROLLBACK"
        )

    def remove(self) -> None:
        """Also where the deployment made none: then its own words say why."""
        ecs = self.client("ecs")
        with contextlib.suppress(ecs.exceptions.ServiceNotFoundException):
            ecs.delete_service(cluster=self.env, service=self.service, force=True)

    def until_a_task_runs(self) -> None:
        self.until(lambda: self.primary()["runningCount"] > 0)

    def until(self, condition: Callable[[], object]) -> None:
        eventually(condition, pause=0.1, said=lambda: f"{self.env}: it did not become true")
