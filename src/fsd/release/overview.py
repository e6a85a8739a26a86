"""What runs in an environment: the services and Jobs that FSD deployed to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fsd.errors import CallFailedError
from fsd.quoted import Quoted
from fsd.release.jobs import JobLook, read_jobs
from fsd.release.ports import Aws
from fsd.snapshot import ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What `fsd status` shows of an environment, by name."""

    environment: str
    cluster: str
    services: tuple[ServiceState, ...]
    jobs: tuple[JobLook, ...] = ()
    unknown: tuple[Quoted, ...] = ()  # why there may be more Jobs

    @property
    def is_settled(self) -> bool:
        """Nothing is in flight."""
        primaries = [service.primary for service in self.services]
        return all(p is None or p.rollout_state != "IN_PROGRESS" for p in primaries)


def read_overview(
    aws: Aws,
    *,
    environment: str,
    cluster: str,
    now: datetime,
    names: Sequence[str] | None = None,
) -> Overview:
    """A call for ten services; without `names` also the calls that list them. For each Job five.

    A cluster may have services of other environments, and of somebody else.
    """
    listed = aws.ecs.service_names(cluster) if names is None else names
    found = aws.ecs.find_services(cluster, listed)
    mine = [s for s in found if dict(s.tags).get("fsd:environment") == environment]
    jobs: tuple[JobLook, ...] = ()
    unknown: tuple[Quoted, ...] = ()
    try:
        found_jobs = read_jobs(aws, environment=environment, cluster=cluster, now=now)
        jobs = found_jobs.jobs
        unknown = (Quoted.of(found_jobs.unread),) if found_jobs.unread else ()
    except CallFailedError as error:
        unknown = (Quoted.of(error),)
    return Overview(
        environment=environment,
        cluster=cluster,
        services=tuple(sorted(mine, key=lambda service: service.name)),
        jobs=jobs,
        unknown=unknown,
    )
