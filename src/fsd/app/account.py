"""An account, opened for one environment, and where a release goes in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from fsd.compile.desired import Target
from fsd.errors import CallFailedError, ErrorCode, RefusedError
from fsd.manifest.environments import LOCAL, Environment
from fsd.manifest.models import Networking
from fsd.release.notes import DefaultVpcUsed, Note
from fsd.release.pace import Pace
from fsd.release.ports import Aws, Network, ServiceRead
from fsd.release.reads import ONE_BY_ONE, Reads

MOST_AGE = 2.0  # seconds of an answer that a plan is made on


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """The embedded AWS behind an endpoint, where it is one."""

    endpoint: str
    runtime: str  # container | process
    speed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """An account, opened for one environment."""

    aws: Aws
    environment: Environment
    run: str  # who asks, for the ledger: the workflow's run, or user@host
    embedded: Embedded | None
    notes: tuple[Note, ...] = ()
    read: ServiceRead | None = None  # the service, where its ARN has said whose account it is
    read_at: float = 0.0  # when that was answered: seconds of the monotonic clock
    reads: Reads = ONE_BY_ONE  # of what is looked up before a release; each of several calls

    @property
    def pace(self) -> Pace:
        return Pace(speed=self.embedded.speed if self.embedded else 1.0)

    def fresh_read(self, now: float) -> ServiceRead | None:
        """The service as it was read at first; None where it was not, or so long before `now` that
        it has to be read again: the build context is hashed in between, however large it is.

        `now` is in seconds of the monotonic clock.
        """
        return self.read if now - self.read_at <= MOST_AGE else None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebIdentity:
    """How the Action proves who it is: a role, and where its OIDC token comes from."""

    role_arn: str
    token: Callable[[], str]
    session_name: str
    duration: timedelta | None = None  # of the session; AWS's own without it: an hour
    repository: str = ""  # ORG/REPO of the workflow, as the token has it


class Connector(Protocol):
    """`fsd.cli.wiring.connect`."""

    def __call__(
        self,
        environment: Environment,
        *,
        region: str | None = None,
        identity: WebIdentity | None = None,
        start: bool = True,
        service: str = "",
    ) -> Connection: ...


def make_target(connection: Connection, networking: Networking) -> tuple[Target, tuple[Note, ...]]:
    """Where a release goes, with the notes on how it was found.

    Raises CallFailedError where the environment's VPC cannot be found.
    """
    aws, environment = connection.aws, connection.environment
    network, notes = _network(aws, environment)
    balancer = networking.load_balancer
    is_internal = balancer is None or balancer.internal
    identity = aws.identity
    target = Target(
        environment=environment.name,
        account=identity.account,
        region=identity.region,
        partition=identity.partition,
        cluster=environment.cluster_name,
        vpc_id=network.vpc_id,
        vpc_cidr=network.vpc_cidr,
        task_subnets=_subnets(network, is_private=networking.vpc),
        load_balancer_subnets=_subnets(network, is_private=is_internal),
        protected=environment.protected,
        permissions_boundary=environment.permissions_boundary_arn or "",
    )
    return target, notes


def _subnets(network: Network, *, is_private: bool) -> tuple[str, ...]:
    subnets = network.private_subnets if is_private else network.public_subnets
    if not subnets:
        kind = "private" if is_private else "public"
        raise CallFailedError(
            f"{network.vpc_id} has no {kind} subnet",
            where=network.how,
            fix="name the subnets in .fsd/environments.yml: vpc.privateSubnets, vpc.publicSubnets",
            code=ErrorCode.NO_SUBNETS,
        )
    return subnets


def _network(aws: Aws, environment: Environment) -> tuple[Network, tuple[Note, ...]]:
    vpc = environment.vpc
    names_all = vpc is not None and bool(vpc.private_subnets and vpc.public_subnets)
    found = aws.networks.find(
        environment.name, vpc_id=vpc.id if vpc else None, with_subnets=not names_all
    )
    if found is None:
        raise CallFailedError(
            f"no VPC for the environment {environment.name}",
            where=f"{aws.identity.account} · {aws.identity.region}",
            fix=f"tag a VPC fsd:environment={environment.name}, or name it in "
            ".fsd/environments.yml: vpc.id",
            code=ErrorCode.VPC_NOT_FOUND,
        )
    if vpc is not None:
        return (
            Network(
                vpc_id=found.vpc_id,
                vpc_cidr=found.vpc_cidr,
                private_subnets=vpc.private_subnets or found.private_subnets,
                public_subnets=vpc.public_subnets or found.public_subnets,
                how=".fsd/environments.yml",
            ),
            (),
        )
    if found.is_default and environment.name != LOCAL:
        return found, (DefaultVpcUsed(vpc_id=found.vpc_id),)
    return found, ()


def guard_account(aws: Aws, environment: Environment) -> None:
    if environment.account is None or environment.account == aws.identity.account:
        return
    raise RefusedError(
        f"these credentials are of account {aws.identity.account}, "
        f"and {environment.name} is in {environment.account}",
        where=".fsd/environments.yml",
        fix="use the credentials (or the roleArn) of that account",
        code=ErrorCode.WRONG_ACCOUNT,
    )
