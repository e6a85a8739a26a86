"""The desired state of the service `web` in `dev`, small enough to read."""

from __future__ import annotations

from dataclasses import replace

from fsd.compile.desired import (
    Desired,
    DesiredService,
    Image,
    Json,
    Release,
    Scaling,
    SharedBalancer,
    SharedSettings,
)
from fsd.release.deploy_request import DeployRequest
from fsd.report.cause_summaries import cause_text
from tests.builders import make_target

DIGEST = "sha256:" + "9b1f" * 16
RELEASE = Release(version="v9", commit="9" * 40)
IMAGE = Image(repository="repo", digest=DIGEST)


def make_desired(
    *,
    count: int = 2,
    cpu: str = "512",
    template: Json | None = None,
    scaling: Scaling | None = None,
) -> Desired:
    return Desired(
        name="web-dev",
        family="web-dev",
        service_name="web",
        environment="dev",
        stack_name="fsd-web-dev",
        template=template or {"Resources": {"Logs": {"Type": "AWS::Logs::LogGroup"}}},
        stack_tags={"fsd:service": "web"},
        task_definition={
            "family": "web-dev",
            "cpu": cpu,
            "memory": "1024",
            "containerDefinitions": [{"name": "web", "image": IMAGE.uri}],
        },
        task_definition_tags={"fsd:version": "v9"},
        service=DesiredService(
            name="web-dev",
            cluster="dev",
            desired_count=count,
            subnets=("subnet-1",),
            assign_public_ip=False,
            container="web",
            port=None,
            has_load_balancer=False,
            grace_period=None,
            deployment_configuration={},
            tags={},
        ),
        scaling=scaling,
        log_group="/ecs/web-dev",
        health_path="/health",
    )


def make_shared(
    *, certificate: str | None = None, ingress: tuple[str, ...] | None = None
) -> SharedBalancer:
    """The load balancer `main`, as a service that says this of it has it."""
    return SharedBalancer(
        stack_name="fsd-shared-main-dev",
        name="main",
        is_internal=False,
        settings=SharedSettings(
            certificate=certificate, ingress=ingress, idle_timeout=None, log_bucket=None
        ),
        target=make_target(),
    )


def make_request(desired: Desired | None = None, **changes: object) -> DeployRequest:
    request = DeployRequest(
        desired=desired or make_desired(), image=IMAGE, release=RELEASE, cause_text=cause_text
    )
    return replace(request, **changes)  # type: ignore[arg-type] # keyword names are checked by replace
