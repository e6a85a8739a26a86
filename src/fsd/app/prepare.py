"""From a request to what can be planned: manifest, account, source, image, what runs."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from fsd import embedded_aws
from fsd.app.account import Connection, Connector, make_target
from fsd.app.clock import SystemClock
from fsd.app.deployment import Chosen, DeployOptions, Opened, Prepared
from fsd.app.environments import find_environment
from fsd.app.image import choose_image, image_reference
from fsd.app.manifest import read_manifest
from fsd.compile.capacity import compile_capacity
from fsd.compile.compile import compile_service
from fsd.compile.desired import ANY_COMMIT, ANY_VERSION, Desired, Image, Json, Release, Target
from fsd.compile.network import find_load_balancer
from fsd.compile.network_parts import shared_stack
from fsd.compile.roles import registry_credentials
from fsd.compile.schedule import taken_over
from fsd.compile.service import ecs_service_name
from fsd.compile.task_definition import compile_task_definition
from fsd.compile.template import compile_template
from fsd.manifest import names
from fsd.manifest.environments import LOCAL
from fsd.plan.observed import Observed
from fsd.release.notes import Created, FilesNotFetched, Made, Note
from fsd.release.observe import AtHand, ServicePlace, observe
from fsd.release.phase_facts import ManifestRead
from fsd.release.reporter import Reporter
from fsd.release.result import Phase, PhaseName, PhaseState

if TYPE_CHECKING:
    from fsd.image.context import Source
    from fsd.image.settings import BuildSettings
    from fsd.manifest.load import Loaded
    from fsd.manifest.models import Manifest


def prepare(
    options: DeployOptions, connect: Connector, *, reporter: Reporter, is_plan: bool = False
) -> Prepared:
    """Open the release, and begin to read what a plan needs of the account."""
    opened, phase = open_release(options, connect, reporter=reporter, is_plan=is_plan)
    connection, manifest = opened.connection, opened.manifest
    start = connection.reads.start
    made_target = start(lambda: make_target(connection, manifest.service.networking))
    chosen = start(lambda: choose_image(options, opened))
    observed = start(
        lambda: _observe_early(options, opened, chosen, target=lambda: made_target()[0])
    )
    target, notes = made_target()
    made = () if is_plan else _ensure_secrets(connection, manifest)
    notes = (*connection.notes, *notes, *made, *files_not_fetched(opened.source))
    for note in notes:
        reporter.note(note)
    return Prepared(
        connection=connection,
        manifest=manifest,
        target=target,
        source=opened.source,
        release=opened.release,
        chosen=chosen,
        observed=observed,
        started_at=phase.started_at,
        phases=(phase,),
        notes=notes,
    )


def open_release(
    options: DeployOptions,
    connect: Connector,
    *,
    reporter: Reporter,
    is_plan: bool = False,
    reads_service: bool = True,
) -> tuple[Opened, Phase]:
    """Check the manifest, open the account, and read the manifest again with its variables.

    `reads_service`: the service is needed anyway, so that its ARN may say whose account this is.
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
    settings = read_build_settings(options, written)
    if is_plan:
        environment = replace(environment, role_arn=environment.role_for_plans)
    connection = connect(
        environment,
        region=options.region,
        identity=options.identity,
        start=not is_plan,
        service=ecs_service_name(written, environment.name)
        if reads_service and not written.is_job
        else "",
    )
    source = read_build_source(options, written, settings, runtime=_runtime(connection))
    release = _release(options, source, run=connection.run)
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
        fact=_manifest_read(options.file, loaded),
        started_at=started,
        finished_at=clock.now(),
    )
    reporter.begin(_headline(connection, loaded.manifest, release, source))
    reporter.phase(phase)
    opened = Opened(connection=connection, manifest=loaded.manifest, source=source, release=release)
    return opened, phase


def _observe_early(
    options: DeployOptions,
    opened: Opened,
    chosen: Callable[[], Chosen],
    *,
    target: Callable[[], Target],
) -> Observed | None:
    if not image_reference(options, opened.manifest) and not chosen().is_there:
        return None
    manifest, environment = opened.manifest, opened.connection.environment
    name = manifest.metadata.name
    balancer = find_load_balancer(manifest.service)
    place = ServicePlace(
        cluster=environment.cluster_name,
        name=ecs_service_name(manifest, environment.name),
        family=names.service_name(name, environment.name),
        stack_name=names.stack(name, environment.name),
        is_scaled=manifest.service.auto_scaling is not None,
        uses_cluster=manifest.service.networking.connect is not None
        or bool(compile_capacity(manifest.service)),
        shared_stack=shared_stack(balancer, environment.name)
        if balancer is not None and balancer.shared is not None
        else "",
        schedule=names.schedule(name, environment.name) if manifest.is_job else "",
        old_schedule=taken_over(manifest, environment.name),
    )
    at_hand = AtHand(
        service=opened.connection.fresh_read(time.monotonic()),
        template=lambda: compile_template(manifest, target=target(), image=chosen().image),
    )
    return observe(opened.connection.aws, place, at_hand=at_hand)


def compile_desired(prepared: Prepared, image: Image, options: DeployOptions) -> Desired:
    desired = compile_service(
        prepared.manifest, target=prepared.target, image=image, release=prepared.release
    )
    desired = replace(desired, unnamed=_compile_unnamed(prepared, image, options))
    return desired if options.rollback else _without_rollback(desired)


def _compile_unnamed(prepared: Prepared, image: Image, options: DeployOptions) -> Json | None:
    """The task definition of a release without a name; None where one was asked for."""
    if options.version:
        return None
    release = replace(prepared.release, version=ANY_VERSION, commit=ANY_COMMIT)
    manifest = read_manifest(
        options.file,
        environment=options.environment,
        overrides=options.overrides,
        variables=_variables(prepared.connection, release),
        environments_file=options.environments_file,
    ).manifest
    return compile_task_definition(manifest, target=prepared.target, image=image, release=release)


def _without_rollback(desired: Desired) -> Desired:
    """--no-rollback: ECS still notices a failure, by breaker and alarms, and leaves it standing."""
    configuration: Json = dict(desired.service.deployment_configuration)
    for detector in ("deploymentCircuitBreaker", "alarms"):
        settings = configuration.get(detector)
        if isinstance(settings, dict):
            configuration[detector] = {**settings, "rollback": False}
    service = replace(desired.service, deployment_configuration=configuration)
    return replace(desired, service=service)


def read_build_settings(options: DeployOptions, manifest: Manifest) -> BuildSettings:
    """The manifest's, and what a command says instead. Raises UsageError and CallFailedError."""
    from fsd.image.settings import BuildFlags, choose_settings

    flags = BuildFlags(
        context=options.context,
        dockerfile=options.dockerfile,
        target=options.target,
        args=options.build_args,
        secrets=options.build_secrets,
        cache=options.cache,
    )
    settings = choose_settings(manifest.service.build, flags, home=options.file.parent)
    _require_named_dockerfile(options, manifest, settings)
    return settings


def read_build_source(
    options: DeployOptions, manifest: Manifest, settings: BuildSettings, *, runtime: str
) -> Source:
    """What is built. Raises UsageError and CallFailedError."""
    from fsd.image.context import read_source
    from fsd.image.key import Recipe

    recipe = Recipe(
        build_args=settings.args,
        build_secrets=settings.secrets,
        target=settings.target,
        platform=options.platform or manifest.service.platform,
        runtime=runtime,
        allow_run=options.allow_run,
        needs_command=not (manifest.service.command or manifest.service.entry_point),
        fresh="" if settings.cache else uuid.uuid4().hex,
        has_own_context=settings.context.resolve() != options.file.parent.resolve(),
    )
    return read_source(
        settings.context,
        dockerfile=settings.dockerfile,
        recipe=recipe,
        is_built=not image_reference(options, manifest),
    )


def _runtime(connection: Connection) -> str:
    return connection.embedded.runtime if connection.embedded else "container"


def _require_named_dockerfile(
    options: DeployOptions, manifest: Manifest, settings: BuildSettings
) -> None:
    """At once: an image that was built before would hide that the file is not there."""
    if settings.dockerfile is None or image_reference(options, manifest):
        return
    from fsd.image.context import require_dockerfile

    require_dockerfile(settings.context, settings.dockerfile)


def files_not_fetched(source: Source) -> tuple[Note, ...]:
    """A note of Git LFS pointers: https://docs.github.com/repositories/working-with-files/managing-large-files"""
    return (FilesNotFetched(files=tuple(source.pointers)),) if source.pointers else ()


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


def _release(options: DeployOptions, source: Source, *, run: str) -> Release:
    return Release(
        version=options.version or source.short,
        commit=options.commit or source.commit,
        run=run,
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


def _manifest_read(file: Path, loaded: Loaded) -> ManifestRead:
    warnings = sum(1 for finding in loaded.findings if finding.severity == "warning")
    return ManifestRead(file=file.name, warnings=warnings)


def _ensure_secrets(connection: Connection, manifest: Manifest) -> tuple[Note, ...]:
    """The rehearsal has no secrets of its own, so it makes up those that the manifest names."""
    service = manifest.service
    named = [
        *(secret.value_from for secret in service.secrets),
        *(secret.value_from for sidecar in service.sidecars for secret in sidecar.secrets),
        *registry_credentials(service),
        *service.environment_files,
        *(file for sidecar in service.sidecars for file in sidecar.environment_files),
    ]
    if connection.environment.name != LOCAL or not named:
        return ()
    created = embedded_aws.ensure_secrets(named, service=manifest.metadata.name)
    return tuple(Created(what=Made.PLACEHOLDER, name=name) for name in created)
