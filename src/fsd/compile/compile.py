"""Manifest → Desired: everything that a release will ask AWS for, decided before any call.

    Manifest ─┬─ template          stack: roles, log group, security groups, load balancer
              ├─ task_definition   revision, with the ledger in its tags
              ├─ service           what runs it
              ├─ scaling           how many
              └─ schedule          when, of a Job, which has no service

Pure, and the same for manifests that differ only in an order that means nothing.
"""

from __future__ import annotations

from fsd.compile.desired import Desired, Image, Release, Target
from fsd.compile.logs import log_group_name
from fsd.compile.network import find_load_balancer
from fsd.compile.one_off import compile_step
from fsd.compile.scaling import compile_scaling
from fsd.compile.schedule import compile_schedule
from fsd.compile.service import compile_desired_service
from fsd.compile.shared import compile_shared
from fsd.compile.tags import compile_ledger, compile_tags
from fsd.compile.task_definition import checked_port, compile_task_definition
from fsd.compile.template import compile_template
from fsd.manifest import names
from fsd.manifest.models import Manifest, Service


def compile_service(
    manifest: Manifest, *, target: Target, image: Image, release: Release
) -> Desired:
    """Compile a manifest that is interpolated and overridden.

    Raises ManifestError for what AWS would refuse and lint has let pass.
    """
    name, environment = manifest.metadata.name, target.environment
    has_logs = manifest.service.log_settings.enabled
    desired_service = compile_desired_service(manifest, target=target)
    return Desired(
        name=desired_service.name,
        family=names.service_name(name, environment),
        service_name=name,
        environment=environment,
        stack_name=names.stack(name, environment),
        template=compile_template(manifest, target=target, image=image),
        stack_tags=compile_tags(manifest, target=target),
        task_definition=compile_task_definition(
            manifest, target=target, image=image, release=release
        ),
        task_definition_tags=compile_ledger(manifest, target=target, image=image, release=release),
        service=desired_service,
        scaling=compile_scaling(
            manifest.service,
            cluster=target.cluster,
            name=desired_service.name,
        ),
        log_group=log_group_name(manifest, environment) if has_logs else "",
        drain=_drain(manifest.service),
        steady_for=0 if manifest.is_job else manifest.service.steady_for,
        health_path=manifest.service.check_path,
        check_port=checked_port(manifest.service),
        shared=compile_shared(manifest, target=target),
        owners=manifest.metadata.owners,
        before=compile_step(manifest.service.before_deploy),
        after=compile_step(manifest.service.after_deploy),
        schedule=compile_schedule(manifest, target=target) if manifest.is_job else None,
    )


def _drain(service: Service) -> int:
    return service.deployment.deregistration_delay if find_load_balancer(service) else 0
