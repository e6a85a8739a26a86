"""The policy `promoteFrom`: an environment takes only what succeeded in the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsd.app.account import Connector
from fsd.app.environments import find_environment
from fsd.compile.desired import Image
from fsd.manifest import names
from fsd.release import promotion
from fsd.release.jobs import find_job, job_ref, read_job_releases
from fsd.release.ledger import read_history
from fsd.release.own_name import find_own_name
from fsd.release.ports import Aws
from fsd.release.result import ReleaseInfo

if TYPE_CHECKING:
    from fsd.app.deployment import DeployOptions


def require_promotion(
    options: DeployOptions, connect: Connector, *, image: Image, source: str, service: str
) -> None:
    """Raises RefusedError unless a rollout of this very digest succeeded in `source`.

    Its account is opened as the environments file says, and by this run's own identity else.
    """
    environment = find_environment(options.file, source, file=options.environments_file)
    identity = None if environment.role_arn else options.identity
    connection = connect(environment, region=options.region, identity=identity)
    cluster = environment.cluster_name
    history = _read_releases(connection.aws, service, cluster=cluster, source=source)
    promotion.require_promotion(
        image, history, service=service, environment=options.environment, source=source
    )


def _read_releases(aws: Aws, service: str, *, cluster: str, source: str) -> tuple[ReleaseInfo, ...]:
    ref = job_ref(service, environment=source, cluster=cluster)
    job = find_job(aws, ref)
    if job is not None:
        return read_job_releases(aws, ref, job)
    return read_history(
        aws.ecs,
        cluster=cluster,
        service=find_own_name(aws, cluster=cluster, service=service, environment=source),
        family=names.service_name(service, source),
    )
