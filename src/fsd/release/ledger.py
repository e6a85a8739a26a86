"""The release ledger: task definition tags say what a revision is, service deployments how it went.

No database of ours. Service deployments are kept for 90 days and go with the service
(https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html); after that an
outcome is unknown, and is said to be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from fsd.compile.desired import STEADY_TAG, Json
from fsd.errors import CallFailedError, ErrorCode, UsageError
from fsd.plan.observed import ObservedRevision
from fsd.plan.verdict import Mark, mark_of
from fsd.quoted import Quoted
from fsd.release.notes import CouldNot, Undone
from fsd.release.ports import Ecs, TaskDefinition
from fsd.release.promotion_path import PROMOTED_FROM, read_path
from fsd.release.result import PastOutcome, ReleaseInfo
from fsd.rollout.diagnose import family_revision
from fsd.snapshot import DeploymentStatus, ServiceDeployment, ServiceState

HISTORY_LENGTH = 20
DEPLOYMENTS_READ = 100

_OUTCOMES = {
    DeploymentStatus.SUCCESSFUL: PastOutcome.SUCCEEDED,
    DeploymentStatus.ROLLBACK_SUCCESSFUL: PastOutcome.ROLLED_BACK,
    DeploymentStatus.ROLLBACK_FAILED: PastOutcome.ROLLBACK_FAILED,
    DeploymentStatus.STOPPED: PastOutcome.STOPPED,
}


def release_info(
    definition: TaskDefinition | ObservedRevision, *, outcome: PastOutcome = PastOutcome.UNKNOWN
) -> ReleaseInfo:
    tags = definition.tags
    return ReleaseInfo(
        version=tags.get("fsd:version", ""),
        commit=tags.get("fsd:commit", ""),
        revision=family_revision(definition.arn),
        task_definition_arn=definition.arn,
        digest=_digest(definition.definition),
        cpu=_number(definition.definition.get("cpu")),
        memory=_number(definition.definition.get("memory")),
        at=definition.registered_at,
        run=tags.get("fsd:run", ""),
        steady_for=_number(tags.get(STEADY_TAG)),
        forced=tags.get("fsd:forced", ""),
        promoted_from=read_path(tags.get(PROMOTED_FROM, "")),
        outcome=outcome,
    )


def read_history(
    ecs: Ecs, *, cluster: str, service: str, family: str = "", limit: int = HISTORY_LENGTH
) -> tuple[ReleaseInfo, ...]:
    """Releases, newest first. () where the family has none. The family is called like the service
    where nothing else is said."""
    now = ecs.find_service(cluster, service)
    arns = ecs.service_deployment_arns(cluster, service) if now else ()
    deployments = describe_newest(ecs, arns)
    releases = []
    for arn in revisions_of(ecs, family or service, deployments)[:limit]:
        definition = ecs.find_task_definition(arn)
        if definition is not None:
            outcome = read_outcome(definition, deployments, now)
            releases.append(release_info(definition, outcome=outcome))
    return tuple(releases)


def revisions_of(
    ecs: Ecs, family: str, deployments: Sequence[ServiceDeployment]
) -> tuple[str, ...]:
    """The family's, newest first, then what the service ran before it was taken over.

    ECS keeps a service's deployments for 90 days, with whatever tool they were made.
    """
    own = ecs.list_task_definitions(family)
    before = (d.task_definition_arn for d in deployments)
    others = (arn for arn in before if arn and family_of(arn) != family)
    return (*own, *dict.fromkeys(others))


def family_of(arn: str) -> str:
    """Of a task definition's ARN, or of `family:revision`."""
    return arn.rpartition("/")[2].rpartition(":")[0]


def describe_newest(ecs: Ecs, arns: Sequence[str]) -> tuple[ServiceDeployment, ...]:
    """The newest of these, newest first."""
    found = ecs.service_deployments(list(arns)[:DEPLOYMENTS_READ]) if arns else ()
    return tuple(sorted(found, key=lambda deployment: deployment.created_at, reverse=True))


def resolve_version(releases: Sequence[ReleaseInfo], wanted: str) -> ReleaseInfo:
    """Find a release by version label, commit (7+ characters), digest or revision.

    Raises UsageError where nothing or more than one thing matches; of several revisions of one
    version or commit the newest that succeeded wins, else the newest.
    """
    matches = [release for release in releases if _matches(release, wanted)]
    if not matches:
        known = ", ".join(dict.fromkeys(r.version or r.revision for r in releases[:8])) or "none"
        raise UsageError(
            f"no release `{wanted}`; known: {known}",
            where="--to-version",
            fix="take a version, commit, digest or revision from `fsd history`",
            code=ErrorCode.RELEASE_UNKNOWN,
        )
    digests = {release.digest for release in matches}
    if len(digests) > 1 and not any(release.version == wanted for release in matches):
        revisions = ", ".join(release.revision for release in matches)
        raise UsageError(
            f"`{wanted}` is more than one release: {revisions}",
            where="--to-version",
            fix="give the revision, or more characters of the commit",
            code=ErrorCode.RELEASE_AMBIGUOUS,
        )
    return next((r for r in matches if r.outcome is PastOutcome.SUCCEEDED), matches[0])


def _matches(release: ReleaseInfo, wanted: str) -> bool:
    if wanted in {release.version, release.revision, release.digest, release.task_definition_arn}:
        return True
    if wanted.isdigit() and release.revision.rpartition(":")[2] == wanted:
        return True
    if re.fullmatch(r"[0-9a-f]{7,40}", wanted) and release.commit.startswith(wanted):
        return True
    return wanted.startswith("sha256:") and len(wanted) >= 14 and release.digest.startswith(wanted)


def read_outcome(
    definition: TaskDefinition,
    deployments: Sequence[ServiceDeployment],
    service: ServiceState | None,
) -> PastOutcome:
    """ECS's word, but where the mark says that it is not the whole of it."""
    mine = [d for d in deployments if d.task_definition_arn == definition.arn]
    if not mine:
        return PastOutcome.UNKNOWN
    if not any(d.status is DeploymentStatus.SUCCESSFUL for d in mine):
        return deployment_outcome(mine[0])
    match mark_of(definition.tags):
        case Mark.FAILED:
            return PastOutcome.FAILED
        case Mark.WATCHED:
            return PastOutcome.NOT_JUDGED
        case Mark.NOT_STARTED:
            has_tasks = _has_tasks(service, definition.arn)
            return PastOutcome.NOT_JUDGED if has_tasks else PastOutcome.NOT_STARTED
    return PastOutcome.SUCCEEDED


def deployment_outcome(deployment: ServiceDeployment) -> PastOutcome:
    return _OUTCOMES.get(deployment.status, PastOutcome.IN_PROGRESS)


def _has_tasks(service: ServiceState | None, arn: str) -> bool:
    """Somebody, or auto scaling, has started what was rolled out at count 0."""
    listed = service.deployments if service else ()
    return any(d.task_definition_arn == arn and d.running for d in listed)


def _digest(definition: Json) -> str:
    containers = definition.get("containerDefinitions")
    first = containers[0] if isinstance(containers, list) and containers else None
    image = str(first.get("image", "")) if isinstance(first, dict) else ""
    return image.partition("@")[2]


def _number(value: object) -> int:
    return int(value) if isinstance(value, str | int) and str(value).isdigit() else 0


def write_tags(ecs: Ecs, arn: str, tags: Mapping[str, str]) -> CouldNot | None:
    """Returns what to tell where AWS does not let us: what was done is done all the same."""
    try:
        ecs.tag_task_definition(arn, tags=tags)
    except CallFailedError as error:
        return untold(error)
    return None


def untold(error: CallFailedError) -> CouldNot:
    return CouldNot(what=Undone.LEDGER, error=Quoted.of(error))
