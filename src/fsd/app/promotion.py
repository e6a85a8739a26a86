"""The policy `promoteFrom`: an environment takes only what succeeded in the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsd.app.account import Connector
from fsd.app.environments import find_environment
from fsd.compile.desired import Image
from fsd.manifest import names
from fsd.release import promotion
from fsd.release.ledger import read_history
from fsd.release.own_name import find_own_name

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
    history = read_history(
        connection.aws.ecs,
        cluster=cluster,
        service=find_own_name(connection.aws, cluster=cluster, service=service, environment=source),
        family=names.service_name(service, source),
    )
    promotion.require_promotion(
        image, history, service=service, environment=options.environment, source=source
    )
