"""Open a service that is deployed, to look at it or to change it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from fsd.app.account import Connection, Connector, WebIdentity

if TYPE_CHECKING:
    from fsd.app.environments import EnvironmentsFile
    from fsd.release.operation import Operation, ServiceRef
    from fsd.release.reporter import Reporter


def open_environment(
    connect: Connector,
    env: str,
    *,
    region: str | None,
    identity: WebIdentity | None = None,
    environments_file: EnvironmentsFile = None,
    start: bool = True,
) -> tuple[Connection, str]:
    """Connect to the environment's account; also the name of its cluster.

    `start` is False for a command that only looks: it starts no embedded AWS.
    """
    from fsd.app.environments import find_environment

    environment = find_environment(None, env, file=environments_file)
    connection = connect(environment, region=region, identity=identity, start=start)
    return connection, environment.cluster_name


def open_service(
    connect: Connector,
    service: str,
    env: str,
    *,
    region: str | None,
    identity: WebIdentity | None = None,
    environments_file: EnvironmentsFile = None,
    start: bool = True,
) -> tuple[Connection, ServiceRef]:
    """Connect to the environment's account, and derive the service's names on AWS."""
    from fsd.manifest import names
    from fsd.release.operation import ServiceRef
    from fsd.release.own_name import find_own_name

    connection, cluster = open_environment(
        connect,
        env,
        region=region,
        identity=identity,
        environments_file=environments_file,
        start=start,
    )
    ref = ServiceRef(
        service=service,
        environment=env,
        cluster=cluster,
        name=find_own_name(connection.aws, cluster=cluster, service=service, environment=env),
        own_family=names.service_name(service, env),
        stack_name=names.stack(service, env),
        schedule=names.schedule(service, env),
    )
    return connection, ref


def open_exact_service(
    connect: Connector, service: str, env: str | None, *, cluster: str, region: str | None
) -> tuple[Connection, ServiceRef]:
    """For a command that only looks at a service, named exactly, which need not be FSD's.

    The environment only says which account and role.
    """
    from fsd.app.environments import find_environment
    from fsd.manifest.environments import default_environment
    from fsd.release.operation import ServiceRef

    environment = find_environment(None, env) if env else default_environment("any")
    ref = ServiceRef(
        service=service,
        environment="",
        cluster=cluster,
        name=service,
        stack_name="",
    )
    return connect(environment, region=region, start=False), ref


def make_operation(
    connection: Connection,
    ref: ServiceRef,
    *,
    reporter: Reporter,
    timeout: timedelta | None = None,
    wait: bool = True,
    force: bool = False,
    forced: str = "",
) -> Operation:
    from fsd.app.border import border_of
    from fsd.app.clock import SystemClock
    from fsd.release.operation import Operation
    from fsd.release.waiting_time import SHORTEST
    from fsd.report.cause_summaries import cause_text

    return Operation(
        aws=connection.aws,
        ref=ref,
        clock=SystemClock(),
        reporter=reporter,
        timeout=SHORTEST if timeout is None else timeout,
        wait=wait,
        pace=connection.pace,
        cause_text=cause_text,
        border=border_of(connection.environment, forced_by=connection.run if force else ""),
        forced=forced,
        by=connection.run,
    )
