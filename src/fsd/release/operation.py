"""What every command that changes a service works with: the service's names, and the tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from fsd.release.border import Border
from fsd.release.follow_ups import ServiceCommand
from fsd.release.pace import Pace
from fsd.release.ports import Aws, Clock
from fsd.release.reporter import Reporter
from fsd.release.retry import Retry
from fsd.rollout.cause import Cause


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRef:
    """A service that an operator names; all its AWS names are derived."""

    service: str  # metadata.name
    environment: str
    cluster: str
    name: str  # the ECS service's: <service>-<env>, or one that another tool gave it
    stack_name: str
    schedule: str = ""  # what it has where it is a Job; "" where it is named by a cluster
    own_family: str = ""  # of its task definitions, where that is not the service's name

    @property
    def family(self) -> str:
        return self.own_family or self.name

    def command(self, name: str, *options: tuple[str, str]) -> ServiceCommand:
        return ServiceCommand(
            name=name, service=self.service, environment=self.environment, options=options
        )

    @property
    def options(self) -> str:
        """As a command line names it."""
        return f"--service {self.service} --env {self.environment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """The tools of one operation."""

    aws: Aws
    ref: ServiceRef
    clock: Clock
    reporter: Reporter
    timeout: timedelta = timedelta(minutes=20)
    wait: bool = True
    pace: Pace = field(default_factory=Pace)
    border: Border = field(default_factory=lambda: Border(environment=""))
    forced: str = ""  # what the ledger notes
    # A cause in words, for the ledger.
    cause_text: Callable[[Cause], str] = lambda cause: cause.code
    by: str = ""  # who asks, for the ledger: a workflow's run, user@host

    def asking_again(self, *, limit: timedelta | None = None) -> Aws:
        """ECS and CloudFormation, asked again for minutes (or `limit`) where they do not answer."""
        speed = self.pace.speed
        retry = Retry(clock=self.clock, reporter=self.reporter, speed=speed)
        if limit is not None:
            retry = Retry(clock=self.clock, reporter=self.reporter, speed=speed, limit=limit)
        return retry.of(self.aws)
