"""The policy `promoteFrom`: an environment takes only what succeeded in the one before it.

What succeeded there may be in the registry of another account or Region. Then the image of this
very build is copied from there, and nothing is built again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fsd.account.joined import find_counterpart
from fsd.app.account import Connection, Connector, WebIdentity
from fsd.app.environments import find_environment
from fsd.app.image_move import ImageMove, bring_image
from fsd.manifest import names
from fsd.manifest.environments import Environment
from fsd.quoted import Quoted
from fsd.release import promotion
from fsd.release.jobs import find_job, job_ref, read_job_releases
from fsd.release.ledger import read_history
from fsd.release.notes import ImageUntagged, Note, Promoted
from fsd.release.own_name import find_own_name
from fsd.release.ports import Aws
from fsd.release.promotion_path import write_path
from fsd.release.reporter import Reporter
from fsd.release.result import ReleaseInfo

if TYPE_CHECKING:
    from fsd.app.deployment import Chosen, DeployOptions, Prepared
    from fsd.compile.desired import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class _Gate:
    """An environment in which the image must have succeeded."""

    source: str
    connection: Connection
    history: tuple[ReleaseInfo, ...]  # newest first


@dataclass(frozen=True, slots=True, kw_only=True)
class _Passed:
    """A gate that the image has passed."""

    gate: _Gate
    release: ReleaseInfo  # as which it succeeded there


@dataclass(frozen=True, slots=True, kw_only=True)
class _GateRequest:
    """Which environment is asked, and for what."""

    options: DeployOptions
    source: str
    is_plan: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """An image that has passed every gate."""

    image: Image
    passed: list[_Passed]
    found_by: _Passed | None  # whose registry has the image, where this environment's has not


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """How an image would pass the gates."""

    is_copied: bool = False  # from the registry of an environment before this one
    notes: tuple[Note, ...] = ()


def pass_gates(
    options: DeployOptions, prepared: Prepared, connect: Connector, *, reporter: Reporter
) -> tuple[Prepared, Chosen]:
    """What is to be deployed, and how it came here.

    Raises RefusedError unless this very digest succeeded in each of the environments, and
    CallFailedError where an account cannot be opened, or an image not be copied. Both come before
    the build: an image that is yet to be built has succeeded nowhere.
    """
    chosen = prepared.chosen()
    judged = _judge(options, prepared, connect)
    if judged is None:
        return prepared, chosen
    if judged.found_by is not None:
        chosen = _copied(judged.found_by, prepared, judged.image, reporter=reporter)
    elif owner := _find_owner(judged.passed, prepared, chosen):
        uri, _ = _bring(owner, prepared, chosen.image, reporter=reporter)
        chosen = replace(chosen, image=replace(chosen.image, repository=uri))
    return _with_path(prepared, judged.passed[0], reporter=reporter), chosen


def check_gates(options: DeployOptions, prepared: Prepared, connect: Connector) -> Passage:
    """What `pass_gates` would let pass, for a plan: reads with a plan's roles, and copies nothing.

    Raises as `pass_gates` does.
    """
    chosen = prepared.chosen()
    judged = _judge(options, prepared, connect, is_plan=True)
    if judged is None:
        return Passage()
    comes = judged.found_by or _find_owner(judged.passed, prepared, chosen)
    return Passage(is_copied=comes is not None, notes=(_note(judged.passed[0]),))


def _judge(
    options: DeployOptions, prepared: Prepared, connect: Connector, *, is_plan: bool = False
) -> _Judged | None:
    """None where no environment is asked."""
    chosen, environment = prepared.chosen(), prepared.connection.environment
    sources = promotion.find_gates(options.require_promotion_from, environment.promote_from)
    if not sources:
        return None
    service = prepared.manifest.metadata.name
    gates = [
        _open_gate(_GateRequest(options=options, source=source, is_plan=is_plan), connect, service)
        for source in sources
    ]
    found = None if chosen.is_there else _find_elsewhere(gates, prepared)
    image = found[1] if found else chosen.image
    passed = [
        _Passed(
            gate=gate,
            release=promotion.require_promotion(
                image,
                gate.history,
                service=service,
                environment=options.environment,
                source=gate.source,
            ),
        )
        for gate in gates
    ]
    by = next((one for one in passed if found and one.gate is found[0]), None)
    return _Judged(image=image, passed=passed, found_by=by)


def _open_gate(asked: _GateRequest, connect: Connector, service: str) -> _Gate:
    options, source = asked.options, asked.source
    environment = find_environment(options.file, source, file=options.environments_file)
    if asked.is_plan:
        environment = replace(environment, role_arn=environment.role_for_plans)
    connection = connect(
        environment,
        # What a workflow says of a Region is of where it deploys to.
        region=None if environment.region else options.region,
        identity=_identity(options, environment),
        start=not asked.is_plan,
    )
    history = _read_releases(
        connection.aws, service, cluster=environment.cluster_name, source=source
    )
    return _Gate(source=source, connection=connection, history=history)


def _identity(options: DeployOptions, source: Environment) -> WebIdentity | None:
    """The job's token opens the other environment's role too, if that trusts the job: its
    `roleArn`, or the one that bootstrap made in another account for the same repository. A job
    has no other credentials. Else the source is read with this deployment's role. How long a
    session may be is the role's own: what was asked of this environment's is not asked of theirs.
    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html"""
    own = options.identity
    if own is None:
        return None
    role = source.role_arn or (
        find_counterpart(
            own.role_arn,
            environment=options.environment,
            other=source.name,
            account=source.account,
            repository=own.repository,
        )
        if source.account
        else ""
    )
    if role in {"", own.role_arn}:
        return own
    return replace(own, role_arn=role, duration=None)


def _find_elsewhere(gates: list[_Gate], prepared: Prepared) -> tuple[_Gate, Image] | None:
    """The image of this very build, in the registry of an environment before this one."""
    from fsd.image.build import as_built

    name = names.repository(prepared.manifest.metadata.name)
    for gate in gates:
        registry = gate.connection.aws.registry
        repository = registry.find_repository(name)
        if repository is None:
            continue
        there = registry.find_image(name, prepared.source.key_tag)
        built = as_built(prepared.source, there, repository=repository)
        if built is not None:
            return gate, built.image
    return None


def _find_owner(passed: list[_Passed], prepared: Prepared, chosen: Chosen) -> _Passed | None:
    """The gate in whose registry, of another account or Region, a given image is. It is copied like
    one that is found there: without a policy of that repository, this account's tasks could not
    pull it."""
    if not chosen.is_given:
        return None
    name, here = names.repository(prepared.manifest.metadata.name), prepared.connection.aws.identity
    for one in passed:
        there = one.gate.connection.aws.identity
        if (there.account, there.region) == (here.account, here.region):
            continue
        theirs = one.gate.connection.aws.registry.find_repository(name)
        if theirs is not None and theirs.uri == chosen.image.repository:
            return one
    return None


def _bring(
    passed: _Passed, prepared: Prepared, image: Image, *, reporter: Reporter
) -> tuple[str, str]:
    """(the repository's URI, the digest) in this environment's registry."""
    move = ImageMove(
        here=prepared.connection,
        there=passed.gate.connection,
        release=passed.release,
        history=passed.gate.history,
        service=prepared.manifest.metadata.name,
    )
    uri, _, digest = bring_image(
        move, f"{image.repository}@{image.digest}", reporter=reporter
    ).partition("@")
    return uri, digest


def _copied(passed: _Passed, prepared: Prepared, image: Image, *, reporter: Reporter) -> Chosen:
    """The same digest in this environment's registry, where the next deployment finds it."""
    from fsd.image.tags import put_free_tag

    service, registry = prepared.manifest.metadata.name, prepared.connection.aws.registry
    uri, digest = _bring(passed, prepared, image, reporter=reporter)
    name, key = names.repository(service), prepared.source.key_tag
    _, said = put_free_tag((key,), digest, repository=name, registry=registry)
    if said is not None:
        reporter.note(ImageUntagged(image=f"{uri}@{digest}", error=Quoted.of(said)))
    return replace(
        prepared.chosen(),
        image=replace(image, repository=uri),
        is_there=True,
        repository=registry.find_repository(name),
        tags=frozenset({key}),
        notes=(),
    )


def _with_path(prepared: Prepared, passed: _Passed, *, reporter: Reporter) -> Prepared:
    """The ledger keeps where it came from, and the report says so."""
    note = _note(passed)
    reporter.note(note)
    path = write_path(passed.gate.source, passed.release)
    return replace(
        prepared,
        release=replace(prepared.release, promoted_from=path),
        notes=(*prepared.notes, note),
    )


def _note(passed: _Passed) -> Promoted:
    release = passed.release
    return Promoted(
        version=release.version,
        revision=release.revision,
        digest=release.digest,
        source=passed.gate.source,
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
