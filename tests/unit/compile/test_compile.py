from __future__ import annotations

from pathlib import Path

import pytest

from fsd.compile.compile import compile_service
from fsd.compile.desired import Desired
from fsd.manifest.load import load_manifest
from fsd.manifest.models import Manifest
from tests.builders import make_dependency, make_image, make_manifest, make_release, make_target
from tests.unit.compile.manifests import every_feature, worker
from tests.unit.compile.shapes import lint_template

EXAMPLES = sorted(
    path
    for path in (Path(__file__).parents[3] / "examples" / "services").rglob("*.yml")
    if "kind: Service" in path.read_text()
)


def compiled(manifest: Manifest) -> Desired:
    image = make_image(manifest.metadata.name)
    return compile_service(manifest, target=make_target(), image=image, release=make_release())


def test_compile_service__every_feature__has_the_names_of_everything() -> None:
    desired = compiled(every_feature())

    assert (
        desired.name,
        desired.service_name,
        desired.environment,
        desired.stack_name,
        desired.log_group,
        desired.health_path,
        desired.owners,
    ) == (
        "category-service-dev",
        "category-service",
        "dev",
        "fsd-category-service-dev",
        "/ecs/category-service-dev",
        "/ready",
        ("@org/consumer", "@anna"),
    )
    assert desired.scaling is not None


def test_compile_service__logs_off__has_no_log_group() -> None:
    assert compiled(worker()).log_group == ""


def test_compile_service__order_that_means_nothing__gives_the_same() -> None:
    secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:"
    environment = {"A": "1", "B": "2"}
    secrets = [
        {"name": "X", "value_from": f"{secret}x-abc123"},
        {"name": "Y", "value_from": f"{secret}y-abc123"},
    ]
    dependencies = [
        make_dependency("aws_sqs_queue", "q", "sqs:SendMessage", "sqs:ReceiveMessage"),
        make_dependency("aws_s3_bucket", "b", "s3:GetObject", "s3:ListBucket"),
    ]
    alarms = ["errors", "latency"]

    one = make_manifest(
        environment=environment,
        secrets=secrets,
        dependencies=dependencies,
        deployment={"alarms": alarms},
    )
    other = make_manifest(
        environment=dict(reversed(environment.items())),
        secrets=secrets[::-1],
        dependencies=[
            make_dependency("aws_s3_bucket", "b", "s3:ListBucket"),
            make_dependency("aws_sqs_queue", "q", "sqs:ReceiveMessage", "sqs:SendMessage"),
            make_dependency("aws_s3_bucket", "b", "s3:GetObject"),
        ],
        deployment={"alarms": alarms[::-1]},
    )

    assert compiled(one) == compiled(other)


@pytest.mark.template_scan
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_compile_service__example__passes_cfn_lint(path: Path) -> None:
    variables = {"ENV": "dev", "AWS_REGION": "us-east-1", "AWS_ACCOUNT_ID": "123456789012"}
    loaded = load_manifest(path.read_text(), path=str(path), variables=variables)
    assert loaded.manifest is not None, loaded.findings

    desired = compiled(loaded.manifest)

    assert lint_template(desired.template) == []


def test_examples__checkout__has_some() -> None:
    assert EXAMPLES
