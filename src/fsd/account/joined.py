"""Who may deploy to an environment: repositories on GitHub, each with its services."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from fsd.account.named import NOTHING, NamedResources, joined_names, load_names, write_names
from fsd.compile.desired import Json, JsonValue
from fsd.errors import UsageError
from fsd.manifest import names

# `org/offers`, or with the ids that GitHub never gives to another: `org@1234/offers@5678`.
# https://docs.github.com/en/actions/reference/security/oidc
_REPOSITORY = re.compile(
    r"(?P<owner>[A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))(?:@(?P<owner_id>\d+))?"
    r"/(?P<name>[A-Za-z0-9._-]{1,100})(?:@(?P<id>\d+))?"
)
_CUT = re.compile(r".*-[0-9a-f]{8}")  # how a name ends that was over the limit
_SERVICE = re.compile(r"[a-z][a-z0-9-]{0,253}[a-z0-9]")  # as `metadata.name`


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHubRepository:
    """The ids are "" where they were not given."""

    owner: str
    name: str
    owner_id: str = ""
    id: str = ""

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"

    @property
    def written(self) -> str:
        """As `parse_repository` takes it."""
        return f"{self.owner}@{self.owner_id}/{self.name}@{self.id}" if self.id else str(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A repository whose workflows deploy to an environment, and how far it is trusted."""

    repository: GitHubRepository
    services: tuple[str, ...]
    github_environment: str  # "" where branches are trusted instead
    branches: tuple[str, ...] = ()
    workflow: str = ""  # job_workflow_ref; "" for any workflow of the repository
    named: NamedResources = NOTHING  # by the services' manifests

    def role(self, kind: str, environment: str) -> str:
        """Name of a role; a GitHub owner has no dot, so no two repositories have the same."""
        repository = f"{self.repository.owner}.{self.repository.name}".lower()
        return _role_name(kind, environment, repository)


def find_counterpart(
    role: str, *, environment: str, other: str, account: str, repository: str
) -> str:
    """ARN of the deploy role that the same repository has for `other` in another account, by the
    one that bootstrap made for `environment`; "" where `role` is no such role.

    `repository` is ORG/REPO, or "" where it is not known. Its name tells what a long role's name
    was cut from. A role may also have the name that the repository had before: that is in the
    role's name, unless it was cut.
    """
    head, mark, name = role.partition(":role/")
    service, _, own = head.rpartition(":")
    prefix = f"fsd-deploy-{environment}-"
    if not mark or own == account or not name.startswith(prefix):
        return ""
    here = repository.replace("/", ".", 1).lower()
    if here and name == _role_name("deploy", environment, here):
        found = _role_name("deploy", other, here)
    elif _CUT.fullmatch(name) and len(name) >= names.ROLE_LIMIT - 1:
        return ""
    else:
        found = _role_name("deploy", other, name.removeprefix(prefix))
    return f"{service}:{account}:role/{found}"


def _role_name(kind: str, environment: str, repository: str) -> str:
    """`repository` is OWNER.NAME in lower case."""
    return names.fit(f"fsd-{kind}-{environment}-{repository}", limit=names.ROLE_LIMIT)


def parse_repository(text: str) -> GitHubRepository:
    """Raises UsageError for what is no repository, and where only one of the two ids is there."""
    match = _REPOSITORY.fullmatch(text)
    if match is None or bool(match["owner_id"]) != bool(match["id"]):
        raise UsageError(
            f"`{text}` is not a repository",
            where="--repo",
            fix="write ORG/REPO, or with both ids ORG@ID/REPO@ID, as "
            "`gh api repos/ORG/REPO --jq .id,.owner.id` prints them",
        )
    return GitHubRepository(
        owner=match["owner"],
        name=match["name"],
        owner_id=match["owner_id"] or "",
        id=match["id"] or "",
    )


def require_service_name(name: str) -> str:
    """Raises UsageError: a name with a wildcard in it would open other services' resources."""
    if _SERVICE.fullmatch(name) is None:
        raise UsageError(
            f"`{name}` is not the name of a service",
            where="--service",
            fix="use lower case letters, digits and hyphens, as `metadata.name` does",
        )
    return name


def join(known: tuple[Joined, ...], more: Joined) -> tuple[Joined, ...]:
    """`more` beside the others: of the same repository the services add up, and the newer trust
    counts, as does what the newer environments file says; an id that was given once is kept."""
    key = str(more.repository).lower()
    others = tuple(one for one in known if str(one.repository).lower() != key)
    before = next((one for one in known if str(one.repository).lower() == key), None)
    if before is None:
        return _sorted((*others, more))
    merged = Joined(
        repository=more.repository if more.repository.id else before.repository,
        services=tuple(sorted({*before.services, *more.services})),
        github_environment=more.github_environment,
        branches=more.branches,
        workflow=more.workflow,
        named=replace(
            joined_names(before.named, more.named),
            promoted=more.named.promoted,
            followers=more.named.followers,
            scans=more.named.scans,
        ),
    )
    return _sorted((*others, merged))


def write_joined(joined: tuple[Joined, ...]) -> list[JsonValue]:
    """For the template's metadata, from which the next call reads who was there before."""
    return [
        {
            "repository": one.repository.written,
            "services": [*one.services],
            "githubEnvironment": one.github_environment,
            "branches": [*one.branches],
            "workflow": one.workflow,
            **({"named": write_names(one.named)} if one.named else {}),
        }
        for one in joined
    ]


def read_joined(metadata: JsonValue) -> tuple[Joined, ...]:
    """What `write_joined` wrote; () for a template that is not ours."""
    if not isinstance(metadata, list):
        return ()
    return _sorted(tuple(_read(one) for one in metadata if isinstance(one, dict)))


def _read(entry: Json) -> Joined:
    return Joined(
        repository=parse_repository(str(entry.get("repository", ""))),
        services=_texts(entry.get("services")),
        github_environment=str(entry.get("githubEnvironment", "")),
        branches=_texts(entry.get("branches")),
        workflow=str(entry.get("workflow", "")),
        named=load_names(entry.get("named")),
    )


def _texts(value: JsonValue) -> tuple[str, ...]:
    return tuple(sorted(map(str, value))) if isinstance(value, list) else ()


def _sorted(joined: tuple[Joined, ...]) -> tuple[Joined, ...]:
    return tuple(sorted(joined, key=lambda one: str(one.repository).lower()))
