"""From the words of a command line to a release: manifest, account, image, desired state.

Shared by `deploy`, `plan` and the Action.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from fsd import embedded_aws
from fsd.app.clock import SystemClock
from fsd.app.manifest import EnvironmentsFile, find_environment, read_manifest
from fsd.cli.wiring import Connection, WebIdentity, connect, make_target, who_runs
from fsd.compile.capacity import compile_capacity
from fsd.compile.compile import compile_service
from fsd.compile.desired import Desired, Image, Json, Release, Target
from fsd.compile.scaling import compile_scaling
from fsd.errors import CallFailedError, ErrorCode, Interrupted, RefusedError, UsageError
from fsd.manifest import names
from fsd.manifest.environments import LOCAL
from fsd.manifest.rollout_time import estimate_rollout
from fsd.plan.observed import Observed
from fsd.plan.planner import plan_release
from fsd.release.changed import CountCommits
from fsd.release.deploy import DeployRequest, OnCancel, deploy
from fsd.release.observe import Place, observe, place_of
from fsd.release.ports import Aws, Registry, RegistryImage, Repository
from fsd.release.promotion import find_gates
from fsd.release.reporter import Reporter
from fsd.release.result import Phase, PhaseName, PhaseState, ReleaseInfo, Result
from fsd.release.turn import CommitOrder, InFlight, OrderCommits, order_runs
from fsd.release.waiting_time import default_timeout
from fsd.report.plans import Planned

if TYPE_CHECKING:
    from fsd.image.build import Built
    from fsd.image.context import Source
    from fsd.image.settings import BuildSettings
    from fsd.manifest.load import Loaded
    from fsd.manifest.models import Manifest

# (our commit, another) → how ours stands to it.
AskOrder: TypeAlias = Callable[[str, str], CommitOrder]
_POINTERS_SHOWN = 3
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html, dual-stack and FIPS too
_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)"
    r"\.(?:amazonaws\.com(?:\.cn)?|on\.(?:aws|amazonwebservices\.com\.cn))/(?P<name>.+)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `fsd deploy` and the Action ask for."""

    file: Path
    environment: str
    image: str | None = None
    context: Path | None = None
    dockerfile: Path | None = None
    version: str | None = None
    overrides: tuple[str, ...] = ()
    region: str | None = None
    timeout: timedelta | None = None  # None: by how long the rollout is expected to take
    wait: bool = True
    rollback: bool = True
    in_flight: InFlight = InFlight.REFUSE
    supersede_older: bool = False
    allow_older: bool = False
    allow_interruption: bool = False
    forced: str = ""  # over the environment's border, as the ledger notes it
    is_rerun: bool = False  # of a workflow's run
    order_commits: AskOrder | None = None  # GitHub's answer, where the checkout has no history
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
    notes: tuple[str, ...]


def prepare(options: Options, *, reporter: Reporter, is_plan: bool = False) -> Prepared:
    """Check the manifest, open the account, and read the manifest again with its variables.

    Raises ManifestError before any call, CallFailedError and RefusedError from AWS.
    """
    clock = SystemClock()
    started = clock.now()
    environment = find_environment(
        options.file, options.environment, file=options.environments_file
    )
    written = read_manifest(
        options.file,
        environment=options.environment,
        overrides=options.overrides,
        environments_file=options.environments_file,
    ).manifest
    settings = _build_settings(options, written)
    _require_named_dockerfile(options, written, settings)
    if is_plan:
        environment = replace(environment, role_arn=environment.role_for_plans)
    connection = connect(
        environment, region=options.region, identity=options.identity, start=not is_plan
    )
    source = _source(options, written, settings, runtime=_runtime(connection))
    release = _release(options, source)
    loaded = read_manifest(
        options.file,
        environment=options.environment,
        overrides=options.overrides,
        variables=_variables(connection, release),
        environments_file=options.environments_file,
    )
    phase = Phase(
        name=PhaseName.MANIFEST,
        state=PhaseState.DONE,
        text=_manifest_text(options.file, loaded),
        started_at=started,
        finished_at=clock.now(),
    )
    reporter.begin(_headline(connection, loaded.manifest, release, source))
    reporter.phase(phase)
    opened = Opened(connection=connection, manifest=loaded.manifest, source=source, release=release)
    start = connection.reads.start
    made_target = start(lambda: make_target(connection, loaded.manifest.service.networking))
    chosen = start(lambda: choose_image(options, opened))
    observed = start(lambda: _observe_early(options, opened, chosen))
    target, notes = made_target()
    made = () if is_plan else _ensure_secrets(connection, loaded.manifest)
    notes = (*connection.notes, *notes, *made, *_not_fetched(source))
    for note in notes:
        reporter.note(note)
    return Prepared(
        connection=connection,
        manifest=loaded.manifest,
        target=target,
        source=source,
        release=release,
        chosen=chosen,
        observed=observed,
        started_at=started,
        phases=(phase,),
        notes=notes,
    )


def _observe_early(
    options: Options, opened: Opened, chosen: Callable[[], Chosen]
) -> Observed | None:
    if not _reference(options, opened.manifest) and not chosen().is_there:
        return None
    manifest, environment = opened.manifest, opened.connection.environment
    name = manifest.metadata.name
    place = Place(
        cluster=environment.cluster_name,
        name=names.service_name(name, environment.name),
        stack_name=names.stack(name, environment.name),
        is_scaled=compile_scaling(manifest.service) is not None,
        uses_cluster=manifest.service.networking.connect is not None
        or bool(compile_capacity(manifest.service)),
    )
    return observe(opened.connection.aws, place)


def run_deploy(options: Options, *, reporter: Reporter) -> Result:
    """The whole main job. Raises FsdError where it ends before the rollout begins."""
    try:
        prepared = prepare(options, reporter=reporter)
        request = _make_request(options, prepared, reporter=reporter)
    except Interrupted as signal:
        raise Interrupted(
            f"{signal.what} before ECS was asked to change anything",
            where=signal.where,
            fix="run it again",
            exit_code=signal.exit_code,
        ) from signal
    aws = prepared.connection.aws
    result = deploy(request, aws, clock=SystemClock(), reporter=reporter)
    return _with_reachable_url(result, prepared.connection)


def _make_request(options: Options, prepared: Prepared, *, reporter: Reporter) -> DeployRequest:
    """With the image built and pushed, or found."""
    chosen = prepared.chosen()
    _require_promotion(options, prepared, chosen.image)
    clock = SystemClock()
    began = clock.now()
    running = Phase(
        name=PhaseName.IMAGE, state=PhaseState.RUNNING, text="building", started_at=began
    )
    reporter.phase(running)
    try:
        image, text, notes = _obtain(chosen, prepared, reporter=reporter)
    except CallFailedError:
        reporter.phase(
            replace(running, state=PhaseState.FAILED, text="failed", finished_at=clock.now())
        )
        raise
    phase = replace(running, state=PhaseState.DONE, text=text, finished_at=clock.now())
    reporter.phase(phase)
    desired = _desired(prepared, image, options)
    expected, speed = estimate_rollout(prepared.manifest.service), prepared.connection.pace.speed
    timeout = options.timeout
    require_chosen(chosen.image if chosen.is_there else image, desired)
    return DeployRequest(
        desired=desired,
        image=image,
        release=prepared.release,
        observed=prepared.observed,
        timeout=default_timeout(expected, speed=speed) if timeout is None else timeout,
        expected=expected,
        wait=options.wait,
        rollback=options.rollback,
        in_flight=options.in_flight,
        supersede_older=options.supersede_older,
        order=order_releases(options, prepared.release, folder=prepared.source.folder),
        allow_older=options.allow_older,
        allow_interruption=options.allow_interruption,
        count_commits=_count_commits(prepared.source.folder),
        on_cancel=options.on_cancel,
        pace=prepared.connection.pace,
        phases=(*prepared.phases, phase),
        notes=(*prepared.notes, *notes, *_forced_note(options)),
        started_at=prepared.started_at,
    )


def _forced_note(options: Options) -> tuple[str, ...]:
    return (f"forced: {options.forced}",) if options.forced else ()


def _desired(prepared: Prepared, image: Image, options: Options) -> Desired:
    desired = compile_service(
        prepared.manifest, target=prepared.target, image=image, release=prepared.release
    )
    return desired if options.rollback else _without_rollback(desired)


def _without_rollback(desired: Desired) -> Desired:
    """--no-rollback: ECS still notices a failure, by breaker and alarms, and leaves it standing."""
    configuration: Json = dict(desired.service.deployment_configuration)
    for detector in ("deploymentCircuitBreaker", "alarms"):
        settings = configuration.get(detector)
        if isinstance(settings, dict):
            configuration[detector] = {**settings, "rollback": False}
    service = replace(desired.service, deployment_configuration=configuration)
    return replace(desired, service=service)


def _build_settings(options: Options, manifest: Manifest) -> BuildSettings:
    from fsd.image.settings import BuildFlags, choose_settings

    flags = BuildFlags(
        context=options.context,
        dockerfile=options.dockerfile,
        target=options.target,
        args=options.build_args,
        secrets=options.build_secrets,
        cache=options.cache,
    )
    return choose_settings(manifest.service.build, flags, home=options.file.parent)


def _source(
    options: Options, manifest: Manifest, settings: BuildSettings, *, runtime: str
) -> Source:
    from fsd.image.context import read_source
    from fsd.image.key import Recipe

    recipe = Recipe(
        build_args=settings.args,
        build_secrets=settings.secrets,
        target=settings.target,
        platform=options.platform or manifest.service.platform,
        runtime=runtime,
        fresh="" if settings.cache else uuid.uuid4().hex,
        has_own_context=settings.context.resolve() != options.file.parent.resolve(),
    )
    return read_source(
        settings.context,
        dockerfile=settings.dockerfile,
        recipe=recipe,
        is_built=not _reference(options, manifest),
    )


def _runtime(connection: Connection) -> str:
    return connection.embedded.runtime if connection.embedded else "container"


def _require_named_dockerfile(
    options: Options, manifest: Manifest, settings: BuildSettings
) -> None:
    """At once: an image that was built before would hide that the file is not there."""
    if settings.dockerfile is None or _reference(options, manifest):
        return
    from fsd.image.context import require_dockerfile

    require_dockerfile(settings.context, settings.dockerfile)


def _not_fetched(source: Source) -> tuple[str, ...]:
    """https://docs.github.com/repositories/working-with-files/managing-large-files"""
    count = len(source.pointers)
    if not count:
        return ()
    shown = ", ".join(source.pointers[:_POINTERS_SHOWN]) + (
        f" and {count - _POINTERS_SHOWN} more" if count > _POINTERS_SHOWN else ""
    )
    files = "file is a Git LFS pointer" if count == 1 else "files are Git LFS pointers"
    return (
        f"{count} {files} in the build context, and the image gets no content for it: {shown}; "
        "set `lfs: true` at actions/checkout, or run git lfs pull",
    )


def _headline(connection: Connection, manifest: Manifest, release: Release, source: Source) -> str:
    """`offer-api → dev    123456789012 · us-east-1 · 4f2c1e9 "Add price filter" · v1.3.0`."""
    identity = connection.aws.identity
    facts = [identity.account, identity.region]
    if source.commit:
        facts.append(f'{source.commit[:7]} "{source.title}"')
    if release.version not in facts[-1]:
        facts.append(release.version)
    where = connection.environment.name
    return f"{manifest.metadata.name} → {where}    {' · '.join(facts)}"


def _release(options: Options, source: Source) -> Release:
    return Release(
        version=options.version or source.short,
        commit=source.commit,
        run=who_runs(),
        forced=options.forced,
    )


def _variables(connection: Connection, release: Release) -> dict[str, str]:
    identity = connection.aws.identity
    return {
        "AWS_REGION": identity.region,
        "AWS_ACCOUNT_ID": identity.account,
        "VERSION": release.version,
        "COMMIT": release.commit,
    }


def _manifest_text(file: Path, loaded: Loaded) -> str:
    warnings = sum(1 for finding in loaded.findings if finding.severity == "warning")
    noun = "warning" if warnings == 1 else "warnings"
    return f"{file.name}: 0 errors, {warnings} {noun}"


def _ensure_secrets(connection: Connection, manifest: Manifest) -> tuple[str, ...]:
    """The rehearsal has no secrets of its own, so it makes up those that the manifest names."""
    service = manifest.service
    named = [*(secret.value_from for secret in service.secrets), *service.environment_files]
    if connection.environment.name != LOCAL or not named:
        return ()
    created = embedded_aws.ensure_secrets(named, service=manifest.metadata.name)
    return tuple(f"created {name} with a placeholder value" for name in created)


def order_releases(options: Options, release: Release, *, folder: Path) -> OrderCommits:
    """Git's answer, else GitHub's, else that of the runs' numbers. Each release is asked for once.

    A re-run of an old run may be of a commit that a forced push took from the branch: then there
    is no order of commits, and the later run's is the newer.
    """
    from fsd.image.context import order_commits

    vague = {CommitOrder.UNKNOWN, *((CommitOrder.DIVERGED,) if options.is_rerun else ())}
    known: dict[str, CommitOrder] = {}

    def look(other: ReleaseInfo) -> CommitOrder:
        found = order_commits(folder, release.commit, other.commit)
        if found is CommitOrder.UNKNOWN and options.order_commits and release.commit:
            found = options.order_commits(release.commit, other.commit)
        return order_runs(release.run, other.run) if found in vague else found

    def order(other: ReleaseInfo) -> CommitOrder:
        if other.revision not in known:
            known[other.revision] = look(other)
        return known[other.revision]

    return order


def _count_commits(folder: Path) -> CountCommits:
    from fsd.image.context import count_commits

    return lambda older, newer: count_commits(folder, older, newer)


def _with_reachable_url(result: Result, connection: Connection) -> Result:
    """The embedded AWS has no certificates: it answers an HTTPS listener by plain HTTP."""
    if connection.embedded is None or not result.url.startswith("https://"):
        return result
    return replace(result, url=f"http://{result.url.removeprefix('https://')}")


def _require_promotion(options: Options, prepared: Prepared, image: Image) -> None:
    """Before the build: an image that is yet to be built has succeeded nowhere."""
    service = prepared.manifest.metadata.name
    asked = options.require_promotion_from
    for source in find_gates(asked, prepared.connection.environment.promote_from):
        from fsd.cli.promotion import require_promotion

        require_promotion(options, image=image, source=source, service=service)


# --- the image ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The image of a release. What is judged, planned and deployed is this value."""

    image: Image  # without a digest: yet to be built, or of a registry that nobody can ask
    is_given: bool
    is_there: bool  # nothing has to be built
    repository: Repository | None = None  # of an image that is or was built
    tags: frozenset[str] = frozenset()  # that an image which was built has
    notes: tuple[str, ...] = ()


def choose_image(options: Options, opened: Opened) -> Chosen:
    """The one place that says which image a release takes. Makes nothing.

    A tag is read once, here: a digest cannot move between the promotion's check and the rollout.
    """
    reference = _reference(options, opened.manifest)
    if reference:
        image, notes = _resolve(reference, opened)
        return Chosen(image=image, is_given=True, is_there=True, notes=notes)
    from fsd.image.build import as_built

    source, aws = opened.source, opened.connection.aws
    name = names.repository(opened.manifest.metadata.name)
    found = aws.reads.start(lambda: aws.registry.find_image(name, source.key_tag))
    repository = aws.registry.find_repository(name)
    built = as_built(source, found(), repository=repository) if repository else None
    if built is not None:
        return Chosen(
            image=built.image,
            is_given=False,
            is_there=True,
            repository=repository,
            tags=built.tags,
        )
    uri = repository.uri if repository else name
    return Chosen(
        image=Image(repository=uri, digest="", tag=source.tag),
        is_given=False,
        is_there=False,
        repository=repository,
        notes=(f"the image {name}:{source.tag} is not built yet",),
    )


def require_chosen(judged: Image, desired: Desired) -> None:
    """Raises RefusedError where the image to deploy is not the one that was checked."""
    containers = desired.task_definition["containerDefinitions"]
    deployed = [
        container.get("image")
        for container in (containers if isinstance(containers, list) else [])
        if isinstance(container, dict) and container.get("name") == desired.service.container
    ]
    if deployed != [judged.uri]:
        raise RefusedError(
            f"{judged.uri} was judged, and {', '.join(map(str, deployed)) or 'none'} would be "
            "deployed",
            where=desired.name,
            fix="run it again; if the error stays, report it: this is a fault of fsd",
            code=ErrorCode.IMAGE_CHANGED,
        )


def _reference(options: Options, manifest: Manifest) -> str:
    """The image that is given; "" where one is built. A context asks for a build."""
    return options.image or ("" if options.context else manifest.service.image or "")


def _obtain(
    chosen: Chosen, prepared: Prepared, *, reporter: Reporter
) -> tuple[Image, str, tuple[str, ...]]:
    """(image, what the report says, notes)."""
    if chosen.is_given:
        return chosen.image, f"{_image_name(chosen.image)}   given", chosen.notes
    repository, notes = chosen.repository, tuple[str, ...]()
    if repository is None:
        repository, notes = _create_repository(prepared)
    if chosen.is_there:
        return _reuse(chosen, prepared, repository)
    image, text, more = _build(prepared, repository, reporter=reporter)
    return image, text, (*notes, *more)


def _reuse(
    chosen: Chosen, prepared: Prepared, repository: Repository
) -> tuple[Image, str, tuple[str, ...]]:
    from fsd.image.build import Found, put_tag

    registry, image = prepared.connection.aws.registry, chosen.image
    found = Found(image=image, tags=chosen.tags)
    tag, notes = put_tag(prepared.source, found, repository=repository, registry=registry)
    return replace(image, tag=tag), f"{_image_name(image)}   reused, built before", notes


def _build(
    prepared: Prepared, repository: Repository, *, reporter: Reporter
) -> tuple[Image, str, tuple[str, ...]]:
    from fsd.image.build import build_image
    from fsd.image.patience import Patience

    built: Built = build_image(
        prepared.source,
        repository=repository,
        registry=prepared.connection.aws.registry,
        version=prepared.release.version,
        patience=Patience(wait=SystemClock().wait, on_line=reporter.note),
        on_line=reporter.note,
    )
    notes = built.notes
    text = f"{_image_name(built.image)}   " + (
        "reused, built before" if built.reused else f"built {built.seconds:.1f} s, {built.pushed}"
    )
    if built.skipped:
        steps = "; ".join(built.skipped)
        notes = (*notes, f"processes run without Docker, so these steps were skipped: {steps}")
    return built.image, text, notes


def _create_repository(prepared: Prepared) -> tuple[Repository, tuple[str, ...]]:
    registry = prepared.connection.aws.registry
    name = names.repository(prepared.manifest.metadata.name)
    tags = {
        "fsd:service": prepared.manifest.metadata.name,
        "fsd:pack": prepared.manifest.metadata.pack,
        "fsd:created-by": "deploy",
    }
    return registry.create_repository(name, tags=tags), (f"created the repository {name}",)


def _resolve(reference: str, opened: Opened) -> tuple[Image, tuple[str, ...]]:
    """A given image, by digest where its registry says it; else a note that it did not.

    Raises CallFailedError where ECR has no such image, UsageError for a reference that is none.
    """
    repository, tag, digest = split_reference(reference)
    aws = opened.connection.aws
    known = _find_known(aws, repository, digest or tag or "latest")
    if known is None:
        return _resolve_elsewhere(reference, aws.registry)
    found = known.image()
    if found is None:
        raise CallFailedError(
            f"the image {reference} does not exist",
            where=f"repository {known.name} · {aws.identity.region}",
            fix="push it first, or let fsd build it: leave --image out",
            code=ErrorCode.IMAGE_NOT_FOUND,
        )
    return Image(repository=repository, digest=found.digest, tag=tag), ()


def _resolve_elsewhere(reference: str, registry: Registry) -> tuple[Image, tuple[str, ...]]:
    """Of another account, another Region or another registry. ECS pulls it, and says so if it
    can't: that this role may not read it says nothing of the task's."""
    repository, tag, digest = split_reference(reference)
    image = Image(repository=repository, digest=digest, tag=tag)
    place = _ECR.fullmatch(repository)
    if digest:
        return image, ()
    if place is None:
        why = "its registry is not ECR"
    else:
        try:
            found = registry.find_image(
                place["name"], tag or "latest", account=place["account"], region=place["region"]
            )
        except CallFailedError as error:
            found, why = None, error.what
        else:
            why = "it is not there"
        if found:
            return replace(image, digest=found.digest), ()
    return image, (
        f"the digest of {reference} is not known: {why}. The tag is deployed, and what it names "
        "can change; give the image by its digest",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A repository of this account, and what gives the image in it."""

    name: str
    image: Callable[[], RegistryImage | None]


def _find_known(aws: Aws, uri: str, tag_or_digest: str) -> _Known | None:
    """This account's repository of that URI; the embedded AWS's path has account and Region too."""
    path, registry = uri.partition("/")[2], aws.registry
    for name in (path, *path.split("/", 2)[2:]):
        if not name:
            continue
        image = aws.reads.start(partial(registry.find_image, name, tag_or_digest))
        known = registry.find_repository(name)
        if known is not None and known.uri == uri:
            return _Known(name=name, image=image)
    return None


def split_reference(reference: str) -> tuple[str, str, str]:
    """(repository, tag, digest); the tag's colon is the one behind the last slash.

    Raises UsageError where there is no repository.
    """
    rest, _, digest = reference.partition("@")
    head, slash, last = rest.rpartition("/")
    name, _, tag = last.partition(":")
    repository = f"{head}{slash}{name}"
    if not name or any(c.isspace() for c in reference):
        raise UsageError(
            f"`{reference}` is not an image reference",
            where="--image",
            fix="give registry/repository:tag or registry/repository@sha256:…",
            code=ErrorCode.IMAGE_REFERENCE,
        )
    return repository, tag, digest


def _image_name(image: Image) -> str:
    name = image.repository.rpartition("/")[2]
    return f"{name}@{image.digest[:19]}…" if image.digest else f"{name}:{image.tag}"


# --- the plan ----------------------------------------------------------------------------------


def run_plan(options: Options, *, reporter: Reporter, drift: bool = False) -> Planned:
    """Observe and plan. Builds nothing: without `--image` the commit's image is looked up, and an
    image that is not there yet is shown as such."""
    prepared = prepare(options, reporter=reporter, is_plan=True)
    chosen = prepared.chosen()
    desired = _desired(prepared, chosen.image, options)
    aws = prepared.connection.aws
    observed = prepared.observed() or observe(aws, place_of(desired))
    plan = plan_release(desired, observed)
    return Planned(
        service=desired.service_name,
        environment=desired.environment,
        plan=plan,
        notes=(*prepared.notes, *chosen.notes, *plan.warnings),
        expected=estimate_rollout(prepared.manifest.service),
        drift=aws.stacks.drift(desired.stack_name) if drift and observed.stack else None,
    )
