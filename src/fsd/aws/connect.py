"""All adapters of one session, as a release wants them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from fsd.aws.alarms import CloudWatchAlarms
from fsd.aws.ecr import ContainerRegistry
from fsd.aws.ecr_scans import EcrScans
from fsd.aws.ecs_tolerant import TolerantEcs
from fsd.aws.exec_sessions import EcsExecSessions
from fsd.aws.logs import CloudWatchLogs
from fsd.aws.network import VpcNetworks
from fsd.aws.probes import TargetGroupProbes
from fsd.aws.reality import AwsReality
from fsd.aws.scaling import ApplicationAutoScaling
from fsd.aws.schedules import EventBridgeScheduler
from fsd.aws.session import AwsSession
from fsd.aws.side_by_side import SideBySide
from fsd.aws.stacks import CloudFormationStacks
from fsd.aws.targets import TargetHealthReader
from fsd.release.ports import Aws, Clock, Identity

POLL = timedelta(seconds=2)


def connect(
    session: AwsSession,
    *,
    clock: Clock,
    identity: Identity | None = None,
    cloud_formation_role_arn: str | None = None,
    poll: timedelta = POLL,
    warn: Callable[[str], None] = lambda _: None,
) -> Aws:
    """Ask AWS who we are, unless that is known, and build the rest without a call. Raises
    CallFailedError.

    `poll` is how often a stack or a service that goes away is looked at. `warn` is told of what
    FSD has to do without.
    """
    reads = SideBySide()
    return Aws(
        identity=identity or session.identity(),
        stacks=CloudFormationStacks(
            clients=session, clock=clock, poll=poll, role_arn=cloud_formation_role_arn
        ),
        reality=AwsReality(clients=session, reads=reads),
        ecs=TolerantEcs(clients=session, clock=clock, poll=poll, warn=warn),
        targets=TargetHealthReader(clients=session),
        probes=TargetGroupProbes(clients=session, clock=clock, poll=poll),
        scaling=ApplicationAutoScaling(clients=session, clock=clock),
        schedules=EventBridgeScheduler(clients=session, clock=clock),
        alarms=CloudWatchAlarms(clients=session),
        logs=CloudWatchLogs(clients=session),
        registry=ContainerRegistry(clients=session),
        scans=EcrScans(clients=session),
        networks=VpcNetworks(clients=session, reads=reads),
        exec_sessions=EcsExecSessions(clients=session, read_key=session.key),
        reads=reads,
    )
