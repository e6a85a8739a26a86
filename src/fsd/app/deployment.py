"""What is asked of a deployment, and what is known before AWS is asked to change anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fsd.app.account import Connection, WebIdentity
from fsd.app.environments import EnvironmentsFile
from fsd.compile.desired import Image, Release, Target
from fsd.plan.observed import Observed
from fsd.plan.saved import SavedPlan
from fsd.release.concurrency.in_flight import CommitOrder, InFlight
from fsd.release.deploy_request import OnCancel
from fsd.release.notes import Note
from fsd.release.ports import Repository
from fsd.release.result import Phase

if TYPE_CHECKING:
    from fsd.image.context import Source
    from fsd.manifest.models import Manifest


# (our commit, another) → how ours stands to it.
AskOrder: TypeAlias = Callable[[str, str], CommitOrder]

# (repository, digest of an image) → its attestations there, as Sigstore bundles.
FindAttestations: TypeAlias = Callable[[str, str], Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployOptions:
    """What `fsd deploy` and the Action ask for."""

    file: Path
    environment: str
    image: str | None = None
    context: Path | None = None
    dockerfile: Path | None = None
    allow_run: bool = False  # of a Dockerfile's scripts, where there is no Docker
    version: str | None = None
    commit: str = ""  # of an image that is given; the checkout's without it
    overrides: tuple[str, ...] = ()
    region: str | None = None
    timeout: timedelta | None = None  # None: by how long the rollout is expected to take
    wait: bool = True
    rollback: bool = True
    in_flight: InFlight = InFlight.REFUSE
    supersede_older: bool = False
    adopt: bool = False  # what another pack or repository made
    allow_older: bool = False
    allow_interruption: bool = False
    allow_replacement: bool = False
    saved_plan: SavedPlan | None = None  # nothing but this is to be deployed
    forced: str = ""  # over the environment's border, as the ledger notes it
    is_rerun: bool = False  # of a workflow's run
    order_commits: AskOrder | None = None  # GitHub's answer, where the checkout has no history
    find_attestations: FindAttestations | None = None  # GitHub's; None without a token
    on_cancel: OnCancel = OnCancel.LEAVE
    build_args: dict[str, str] = field(default_factory=dict)
    build_secrets: tuple[str, ...] = ()
    platform: str | None = None  # X86_64 | ARM64; the manifest's without it
    target: str = ""  # a stage of the Dockerfile
    cache: bool = True
    environments_file: EnvironmentsFile = None
    require_promotion_from: str = ""  # besides what the environment itself asks for
    identity: WebIdentity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What is known before AWS has been asked for more than who we are."""

    connection: Connection
    manifest: Manifest
    source: Source
    release: Release


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(Opened):
    """Everything that is known before AWS is asked to change anything.

    `chosen` and `observed` give what is being read meanwhile. `observed` gives None where an image
    has to be built first: by then it would be old.
    """

    target: Target
    chosen: Callable[[], Chosen]
    observed: Callable[[], Observed | None]
    started_at: datetime
    phases: tuple[Phase, ...]
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The image of a release. What is judged, planned and deployed is this value."""

    image: Image  # without a digest: yet to be built, or of a registry that nobody can ask
    is_given: bool
    is_there: bool  # nothing has to be built
    repository: Repository | None = None  # of an image that is or was built
    tags: frozenset[str] = frozenset()  # that an image which was built has
    notes: tuple[Note, ...] = ()
