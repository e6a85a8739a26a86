"""What a Service YAML and its environment name beside the service: what a deployment touches too.

By exact names, as all else that a role reaches: what no manifest names, no role may touch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from enum import StrEnum

from fsd.compile.desired import Json, JsonValue
from fsd.manifest.environments import Environment
from fsd.manifest.models import Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedResources:
    """Each sorted."""

    shared: tuple[str, ...] = ()  # load balancers of several: `main:internal`, `main:public`
    listeners: tuple[str, ...] = ()  # ARNs of somebody's
    adopted: tuple[str, ...] = ()  # ECS services that another tool made
    roles: tuple[str, ...] = ()  # ARNs of roles that tasks are given
    zones: tuple[str, ...] = ()  # ids of hosted zones
    log_groups: tuple[str, ...] = ()  # names of somebody's, that tasks write to
    promoted: tuple[str, ...] = ()  # `ENVIRONMENT:CLUSTER:REGION`: what runs there may come here
    followers: tuple[str, ...] = ()  # `ENVIRONMENT:GITHUB_ENVIRONMENT`: other accounts' that
    # take what succeeds here
    scans: tuple[str, ...] = ()  # severities at which the environment refuses an image
    versions: tuple[str, ...] = ()  # what load balancers send beside HTTP/1: grpc, http2, tcp

    shifting: tuple[str, ...] = ()  # services whose traffic ECS shifts
    old_schedules: tuple[str, ...] = ()  # ARNs of rules and schedules that Jobs take over from
    old_schedule_roles: tuple[str, ...] = ()  # ARNs of the roles of such schedules

    def __bool__(self) -> bool:
        return any(getattr(self, item.name) for item in fields(self))

    @property
    def following(self) -> tuple[tuple[str, str], ...]:
        """(environment, its GitHub environment). An earlier fsd wrote environments alone: none of
        those says whom to trust."""
        pairs = (one.partition(":") for one in self.followers)
        return tuple((environment, github) for environment, mark, github in pairs if mark)


class NotFollowing(StrEnum):
    """Why an environment of another account gets no access to the one that it promotes from."""

    ACCOUNT_UNKNOWN = "account-unknown"
    SUBJECT_UNKNOWN = "subject-unknown"  # how the `sub` of its jobs ends
    BRANCHES_TRUSTED = "branches-trusted"


NOTHING = NamedResources()


def read_names(manifest: Manifest) -> NamedResources:
    service = manifest.service
    balancer, roles, logs = service.networking.load_balancer, service.roles, service.log_settings
    given = [roles.task, roles.execution] if roles is not None else []
    old = service.existing_schedule
    scheme = "internal" if balancer is None or balancer.internal else "public"
    is_network = balancer is not None and balancer.is_network
    spoken = service.main_protocol if service.main_protocol in ("grpc", "http2") else ""
    version = "tcp" if is_network else spoken
    return NamedResources(
        shared=(f"{balancer.shared}:{scheme}",) if balancer and balancer.shared else (),
        listeners=(balancer.listener_arn,) if balancer and balancer.listener_arn else (),
        adopted=(service.existing_service,) if service.existing_service else (),
        roles=tuple(sorted(arn for arn in given if arn)),
        versions=(version,) if version else (),
        log_groups=(logs.group,) if logs.enabled and logs.group else (),
        shifting=(manifest.metadata.name,) if service.deployment.shifts_traffic else (),
        old_schedules=(old.arn,) if old else (),
        old_schedule_roles=(old.role,) if old and old.role else (),
        zones=(balancer.domain.hosted_zone,) if balancer and balancer.domain else (),
    )


def read_promoted(environment: Environment, source: Environment | None) -> tuple[str, ...]:
    """Of the environment that releases come from, in the same account: to see what runs in another
    one is that account's to allow. Where an account is not written, it may be the same."""
    if source is None or _differ(source, environment):
        return ()
    return (f"{source.name}:{source.cluster_name}:{source.region or ''}",)


def read_followers(environment: Environment, every: Iterable[Environment]) -> tuple[str, ...]:
    """The environments of other accounts with `promoteFrom: environment`. Their workflows look into
    this one, and no policy of their own account can allow that."""
    return tuple(
        sorted(
            f"{one.name}:{one.github_environment}"
            for one in _promoting(environment, every)
            if one.github_environment and _differ(one, environment)
        )
    )


def find_not_following(
    environment: Environment, every: Iterable[Environment], *, trusts_branches: bool
) -> tuple[tuple[str, NotFollowing], ...]:
    """Those that promote from it, and that its deploy role does not trust. With a role that trusts
    branches, a GitHub environment adds no protection: on any branch, a workflow can name one, and
    GitHub makes it.

    https://docs.github.com/en/actions/how-tos/deploy/configure-and-manage-deployments/manage-environments
    """
    found = []
    for one in _promoting(environment, every):
        if not one.account or not environment.account:
            if one.account or environment.account:
                found.append((one.name, NotFollowing.ACCOUNT_UNKNOWN))
        elif not _differ(one, environment):
            continue
        elif trusts_branches:
            found.append((one.name, NotFollowing.BRANCHES_TRUSTED))
        elif not one.github_environment:
            found.append((one.name, NotFollowing.SUBJECT_UNKNOWN))
    return tuple(found)


def _promoting(environment: Environment, every: Iterable[Environment]) -> Iterator[Environment]:
    return (one for one in every if one.promote_from == environment.name)


def _differ(one: Environment, two: Environment) -> bool:
    """Whether both accounts are written, and are two."""
    return bool(one.account and two.account) and one.account != two.account


def read_scans(environment: Environment) -> tuple[str, ...]:
    return (environment.image_scan.block,) if environment.image_scan is not None else ()


def joined_names(one: NamedResources, two: NamedResources) -> NamedResources:
    """All of both."""
    return NamedResources(
        **{
            item.name: tuple(sorted({*getattr(one, item.name), *getattr(two, item.name)}))
            for item in fields(NamedResources)
        }
    )


def write_names(named: NamedResources) -> Json:
    """Without what nothing is named of."""
    every = {item.name: [*getattr(named, item.name)] for item in fields(named)}
    return {key: value for key, value in every.items() if value}


def load_names(value: JsonValue) -> NamedResources:
    """What `write_names` wrote; nothing for what an earlier fsd wrote."""
    found = value if isinstance(value, dict) else {}
    lists = {item.name: found.get(item.name) for item in fields(NamedResources)}
    return NamedResources(
        **{
            key: tuple(sorted(map(str, each)))
            for key, each in lists.items()
            if isinstance(each, list)
        }
    )
