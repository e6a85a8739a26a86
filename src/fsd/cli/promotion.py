"""The policy `promoteFrom`: an environment takes only what succeeded in the one before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fsd.cli.manifest import find_environment
from fsd.cli.wiring import connect
from fsd.compile.desired import Image
from fsd.errors import RefusedError
from fsd.release.ledger import read_history
from fsd.spec import names

if TYPE_CHECKING:
    from fsd.cli.deploying import Options
    from fsd.release.result import ReleaseInfo


def require_promotion(options: Options, *, image: Image, source: str, service: str) -> None:
    """Raises RefusedError unless a rollout of this very digest succeeded in `source`.

    Its account is opened as the environments file says, and by this run's own identity else.
    """
    environment = find_environment(options.file, source, file=options.environments_file)
    identity = None if environment.role_arn else options.identity
    connection = connect(environment, region=options.region, identity=identity)
    history = read_history(
        connection.aws.ecs,
        cluster=environment.cluster_name,
        service=names.service_name(service, source),
    )
    succeeded = [release for release in history if release.outcome == "succeeded"]
    if image.digest and any(release.digest == image.digest for release in succeeded):
        return
    name = f"{service}@{image.digest[:19]}…" if image.digest else f"{service}:{image.tag}"
    raise RefusedError(
        f"{options.environment} takes only what succeeded in {source}; {name} has not"
        f"{_what_did(succeeded)}",
        where=f"promotion from {source}",
        fix=f"deploy this commit to {source} first, and let the same commit come here: "
        "a merge commit or a squash is another one",
        code="promotion-required",
    )


def _what_did(succeeded: list[ReleaseInfo]) -> str:
    if not succeeded:
        return ", and nothing else has"
    newest = succeeded[0]
    return f"; the newest that did is {newest.version or newest.revision} {newest.digest[:19]}"
