"""The main job: from a Service YAML to a release that is judged."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from fsd import embedded_aws
from fsd.app.account import Connection, Connector
from fsd.app.clock import SystemClock
from fsd.app.commits import count_commits, order_releases
from fsd.app.deployment import DeployOptions, Prepared
from fsd.app.image import obtain_image, require_chosen
from fsd.app.image_scan import require_scan
from fsd.app.ownership import require_own
from fsd.app.prepare import compile_desired, prepare
from fsd.app.promotion import pass_gates
from fsd.app.provenance import require_attested
from fsd.app.saved_plan import make_basis, require_as_saved, require_aws_as_saved
from fsd.compile.desired import Desired, Image
from fsd.errors import CallFailedError, Interrupted
from fsd.manifest.environments import LOCAL
from fsd.manifest.rollout_time import Estimate, estimate_rollout
from fsd.plan.attachment import rolls_in_place
from fsd.release.deploy import deploy
from fsd.release.deploy_request import DeployRequest
from fsd.release.job import deploy_job
from fsd.release.notes import Forced, Note
from fsd.release.reporter import Reporter
from fsd.release.result import Result
from fsd.release.waiting_time import default_timeout
from fsd.report.cause_summaries import cause_text
from fsd.rollout.left_out import explain_by_left_out
from fsd.rollout.placeholders import explain_by_placeholders


def run_deploy(options: DeployOptions, connect: Connector, *, reporter: Reporter) -> Result:
    """The whole main job. Raises FsdError where it ends before the rollout begins."""
    try:
        prepared = prepare(options, connect, reporter=reporter)
        request = _make_request(options, prepared, reporter=reporter, connect=connect)
    except Interrupted as signal:
        raise Interrupted(
            f"{signal.what} before ECS was asked to change anything",
            where=signal.where,
            fix="run it again",
            exit_code=signal.exit_code,
        ) from signal
    aws = prepared.connection.aws
    release = deploy_job if request.desired.schedule else deploy
    result = release(request, aws, clock=SystemClock(), reporter=reporter)
    result = _with_left_out(result, prepared.connection, request.image)
    result = _with_placeholders(result, prepared)
    return _with_reachable_url(result, prepared.connection)


def _make_request(
    options: DeployOptions, prepared: Prepared, *, reporter: Reporter, connect: Connector
) -> DeployRequest:
    """With the image built and pushed, or found."""
    chosen = prepared.chosen()
    require_own(options, prepared, chosen)
    saved = options.saved_plan
    if saved is not None:
        require_as_saved(saved, make_basis(options, prepared, chosen))
    prepared, chosen = pass_gates(options, prepared, connect, reporter=reporter)
    attested = require_attested(options, prepared, chosen)
    obtained = obtain_image(chosen, prepared, reporter=reporter)
    image, timeout = obtained.image, options.timeout
    scanned = require_scan(prepared, image, timeout=timeout, clock=SystemClock(), reporter=reporter)
    notes = (*obtained.notes, *attested, *scanned)
    desired = compile_desired(prepared, image, options)
    longest, speed = estimate_rollout(prepared.manifest.service), prepared.connection.pace.speed
    require_chosen(chosen.image if chosen.is_there else image, desired)
    return DeployRequest(
        desired=desired,
        image=image,
        release=prepared.release,
        observed=prepared.observed,
        timeout=default_timeout(longest, speed=speed) if timeout is None else timeout,
        expected=_expected(prepared, desired),
        wait=options.wait,
        rollback=options.rollback,
        in_flight=options.in_flight,
        supersede_older=options.supersede_older,
        order=order_releases(options, prepared.release, folder=prepared.source.folder),
        allow_older=options.allow_older,
        allow_interruption=options.allow_interruption,
        allow_replacement=options.allow_replacement,
        require_planned=partial(require_aws_as_saved, saved) if saved else lambda _: None,
        count_commits=count_commits(prepared.source.folder),
        on_cancel=options.on_cancel,
        pace=prepared.connection.pace,
        cause_text=cause_text,
        phases=(*prepared.phases, obtained.phase),
        notes=(*prepared.notes, *notes, *_forced_note(options)),
        started_at=prepared.started_at,
    )


def _expected(prepared: Prepared, desired: Desired) -> Estimate:
    """By what is known by now: the plan that is carried out is made later."""
    service = prepared.manifest.service
    observed = prepared.observed() if service.deployment.shifts_traffic else None
    in_place = observed is not None and rolls_in_place(desired, observed)
    return estimate_rollout(service, in_place=in_place)


def _forced_note(options: DeployOptions) -> tuple[Note, ...]:
    return (Forced(entry=options.forced),) if options.forced else ()


def _with_left_out(result: Result, connection: Connection, image: Image) -> Result:
    """An image for processes lacks what only Docker can do: that may be why it does not run."""
    embedded = connection.embedded
    if result.diagnosis is None or embedded is None or embedded.runtime != "process":
        return result
    try:
        user, password, endpoint = connection.aws.registry.login()
        left_out = embedded_aws.read_left_out(
            endpoint=endpoint,
            repository=image.repository.partition("/")[2],
            digest=image.digest,
            user=user,
            password=password,
        )
    except CallFailedError:  # the verdict is what was asked for
        return result
    return replace(result, diagnosis=explain_by_left_out(result.diagnosis, left_out))


def _with_placeholders(result: Result, prepared: Prepared) -> Result:
    """A secret that the embedded AWS made up may be what the service cannot use."""
    named = {secret.name: secret.value_from for secret in prepared.manifest.service.secrets}
    if result.diagnosis is None or prepared.connection.environment.name != LOCAL or not named:
        return result
    found = embedded_aws.find_placeholder_secrets([*named.values()])
    made_up = {name: value for name, value in named.items() if value in found}
    return replace(result, diagnosis=explain_by_placeholders(result.diagnosis, made_up))


def _with_reachable_url(result: Result, connection: Connection) -> Result:
    """The embedded AWS has no certificates: a listener of HTTPS or TLS takes what is plain."""
    secure, mark, address = result.url.partition("://")
    plain = {"https": "http", "tls": "tcp"}.get(secure)
    if connection.embedded is None or plain is None:
        return result
    return replace(result, url=f"{plain}{mark}{address}")
