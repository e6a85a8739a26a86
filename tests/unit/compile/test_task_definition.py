from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from fsd.compile.desired import Json
from fsd.compile.tags import compile_ledger
from fsd.compile.task_definition import compile_task_definition, container_check
from fsd.manifest.models import Manifest
from tests.builders import DIGEST, make_image, make_manifest, make_release, make_target
from tests.unit.compile.manifests import MANIFESTS, SECRET, every_feature, worker
from tests.unit.compile.shapes import assert_valid_input


def compiled(manifest: Manifest) -> Json:
    return compile_task_definition(
        manifest,
        target=make_target(),
        image=make_image(manifest.metadata.name),
        release=make_release(),
    )


def containers(manifest: Manifest) -> list[Json]:
    found = compiled(manifest)["containerDefinitions"]
    assert isinstance(found, list)
    return [container for container in found if isinstance(container, dict)]


def environment(manifest: Manifest) -> dict[str, str]:
    found = containers(manifest)[0].get("environment", [])
    assert isinstance(found, list)
    return {str(e["name"]): str(e["value"]) for e in found if isinstance(e, dict)}


HEALTH_CHECK = "GET /ready every 10 s, timeout 3 s, 2 good, 3 bad"
LOGS = {
    "logDriver": "awslogs",
    "options": {
        "awslogs-group": "/ecs/category-service-dev",
        "awslogs-region": "us-east-1",
        "awslogs-stream-prefix": "ecs",
        "mode": "non-blocking",
        "max-buffer-size": "25m",
    },
}


def test_compile_task_definition__every_feature__is_the_whole_revision() -> None:
    assert compiled(every_feature()) == {
        "family": "category-service-dev",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "1024",
        "memory": "2048",
        "taskRoleArn": "arn:aws:iam::123456789012:role/fsd/category-service-dev-task",
        "executionRoleArn": "arn:aws:iam::123456789012:role/fsd/category-service-dev-execution",
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
        "containerDefinitions": [
            {
                "name": "category-service",
                "image": f"123456789012.dkr.ecr.us-east-1.amazonaws.com/category-service@{DIGEST}",
                "essential": True,
                "cpu": 992,
                "stopTimeout": 30,
                "linuxParameters": {"initProcessEnabled": True},
                "entryPoint": ["python", "-m"],
                "command": ["app"],
                "environment": [
                    {"name": "LOG_LEVEL", "value": "INFO"},
                    {"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value": "http://127.0.0.1:4318"},
                    {"name": "OTEL_EXPORTER_OTLP_PROTOCOL", "value": "http/protobuf"},
                    {
                        "name": "OTEL_RESOURCE_ATTRIBUTES",
                        "value": "deployment.environment.name=dev,service.version=v1.3.0",
                    },
                    {"name": "OTEL_SERVICE_NAME", "value": "category-service"},
                    {"name": "USE_MSK_IAM", "value": "true"},
                ],
                "secrets": [
                    {
                        "name": "DB_URL",
                        "valueFrom": "arn:aws:ssm:us-east-1:123456789012:parameter/dev/db-url",
                    },
                    {"name": "OPENAI_API_KEY", "valueFrom": f"{SECRET}:key::"},
                ],
                "portMappings": [
                    {"containerPort": 8000, "protocol": "tcp"},
                    {"containerPort": 9090, "protocol": "tcp"},
                ],
                "dockerLabels": {
                    "ECS_PROMETHEUS_EXPORTER_PORT": "9090",
                    "ECS_PROMETHEUS_JOB_NAME": "category-service",
                    "ECS_PROMETHEUS_METRICS_PATH": "/metrics",
                    "fsd.health-check": HEALTH_CHECK,
                },
                "dependsOn": [{"containerName": "otel_collector", "condition": "START"}],
                "logConfiguration": LOGS,
            },
            {
                "name": "otel_collector",
                "image": "public.ecr.aws/aws-observability/aws-otel-collector:v0.49.0",
                "essential": False,
                "command": ["--config=/etc/ecs/ecs-xray.yaml"],
                "cpu": 32,
                "memory": 256,
                "memoryReservation": 64,
                "environment": [{"name": "AWS_REGION", "value": "us-east-1"}],
                "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
                "logConfiguration": LOGS,
            },
        ],
    }


def test_compile_task_definition__worker__has_nothing_that_it_did_not_ask_for() -> None:
    assert containers(worker()) == [
        {
            "name": "worker",
            "image": f"123456789012.dkr.ecr.us-east-1.amazonaws.com/worker@{DIGEST}",
            "essential": True,
            "stopTimeout": 30,
            "linuxParameters": {"initProcessEnabled": True},
        }
    ]


@pytest.mark.parametrize("name", MANIFESTS)
def test_compile_task_definition__any_manifest__is_what_the_api_takes(name: str) -> None:
    manifest = MANIFESTS[name]
    image, release = make_image(manifest.metadata.name), make_release()
    tags = compile_ledger(manifest, target=make_target(), image=image, release=release)

    assert_valid_input(
        "ecs",
        "RegisterTaskDefinition",
        {
            **compiled(manifest),
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        },
    )


@pytest.mark.parametrize(
    ("endpoint", "protocol"),
    [
        ("http://collector:4317", "grpc"),
        ("http://collector:4317/", "grpc"),
        ("http://collector:4318", "http/protobuf"),
        ("https://otlp.example.com/v1", "http/protobuf"),
        ("http://collector:43170", "http/protobuf"),
    ],
)
def test_compile_task_definition__traces_endpoint__sets_its_protocol(
    endpoint: str, protocol: str
) -> None:
    manifest = make_manifest(observability={"traces": {"otlp_endpoint": endpoint}})

    found = environment(manifest)

    assert found["OTEL_EXPORTER_OTLP_ENDPOINT"] == endpoint
    assert found["OTEL_EXPORTER_OTLP_PROTOCOL"] == protocol
    assert len(containers(manifest)) == 1


def test_compile_task_definition__version_with_a_comma__cannot_add_an_attribute() -> None:
    definition = compile_task_definition(
        make_manifest(observability={"traces": {}}),
        target=make_target(),
        image=make_image(),
        release=make_release(version="v1,evil=ü"),
    )

    assert "service.version=v1%2Cevil%3D%C3%BC'" in str(definition)


def test_compile_task_definition__own_variable__wins_over_ours() -> None:
    manifest = make_manifest(
        observability={"traces": {}},
        environment={"OTEL_SERVICE_NAME": "offers"},
        secrets=[{"name": "OTEL_EXPORTER_OTLP_ENDPOINT", "value_from": SECRET}],
    )

    found = environment(manifest)

    assert found["OTEL_SERVICE_NAME"] == "offers"
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in found


@pytest.mark.parametrize("observability", [{}, {"traces": {"enabled": False}}])
def test_compile_task_definition__no_traces__injects_nothing(
    observability: dict[str, object],
) -> None:
    assert environment(make_manifest(observability=observability)) == {}


def test_compile_task_definition__metrics_on_the_service_port__maps_it_once() -> None:
    manifest = make_manifest(port=9090, observability={"metrics": {"port": 9090}})

    assert containers(manifest)[0]["portMappings"] == [{"containerPort": 9090, "protocol": "tcp"}]


def test_container_check__timings__fit_the_ranges_of_ecs() -> None:
    manifest = make_manifest(
        health_check={
            "interval": 300,
            "timeout": 120,
            "grace_period": 900,
            "unhealthy_threshold": 7,
        }
    )

    check = container_check(manifest.service)

    assert check is not None
    assert {key: value for key, value in check.items() if key != "command"} == {
        "interval": 300,
        "timeout": 60,
        "retries": 7,
        "startPeriod": 300,
    }


@pytest.mark.parametrize(
    ("written", "command"),
    [
        (["python", "-m", "app.alive"], ["CMD", "python", "-m", "app.alive"]),
        ("test -e /tmp/alive || exit 1", ["CMD-SHELL", "test -e /tmp/alive || exit 1"]),
    ],
)
@pytest.mark.parametrize(
    "service", [{"port": None}, {}, {"networking": {"load_balancer": {}}}], ids=str
)
def test_container_check__command__that_and_no_other(
    written: object, command: list[str], service: dict[str, Any]
) -> None:
    check = container_check(make_manifest(health_check={"command": written}, **service).service)

    assert check is not None
    assert check["command"] == command


@pytest.mark.parametrize(
    "manifest", [make_manifest(port=None), make_manifest(networking={"load_balancer": {}})]
)
def test_container_check__worker_or_load_balancer__is_none(manifest: Manifest) -> None:
    assert container_check(manifest.service) is None


@contextlib.contextmanager
def serving(status: int) -> Iterator[int]:
    """A server that answers every path but /it's with 404; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/it's" else 404)
            self.send_header("Location", "/ok")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "exit_code"), [(200, 0), (204, 0), (302, 1), (404, 1), (500, 1)]
)
def test_container_check__run_against_a_server__judges_like_a_load_balancer(
    status: int, exit_code: int
) -> None:
    """Without a proxy, whatever the environment says, and with any path."""
    with serving(status) as port:
        manifest = make_manifest(port=port, health_check={"path": "/it's"})
        check = container_check(manifest.service)
        assert check is not None
        assert isinstance(check["command"], list)
        words = [str(word) for word in check["command"]]
        done = subprocess.run(
            [sys.executable, *words[2:]],
            env={"http_proxy": "http://127.0.0.1:9"},
            check=False,
            timeout=20,
        )

    assert words[:2] == ["CMD", "python"]
    assert done.returncode == exit_code


def test_container_check__matcher__decides_which_status_is_healthy() -> None:
    for matcher, exit_code in (("200-299", 1), ("302", 0), ("200,300-399", 0), ("404", 1)):
        with serving(302) as port:
            health_check = {"path": "/it's", "port": port, "matcher": matcher}
            check = container_check(make_manifest(port=9, health_check=health_check).service)
            assert check is not None
            assert isinstance(check["command"], list)
            done = subprocess.run(
                [sys.executable, *(str(word) for word in check["command"][2:])],
                check=False,
                timeout=20,
            )
        assert done.returncode == exit_code, matcher


def test_container_check__https__takes_any_certificate() -> None:
    manifest = make_manifest(health_check={"protocol": "https"})

    check = container_check(manifest.service)

    assert check is not None
    assert isinstance(check["command"], list)
    assert check["command"][-1] == (
        "import http.client as h,ssl as s;"
        "c=h.HTTPSConnection('127.0.0.1',8000,timeout=5,context=s._create_unverified_context());"
        "c.request('GET','/health');"
        "raise SystemExit(c.getresponse().status//100!=2)"
    )


@pytest.mark.parametrize(
    ("health_check", "text"),
    [
        ({}, "GET /health every 30 s"),
        ({"port": 8000, "matcher": "200-299", "protocol": "http"}, "GET /health every 30 s"),
        ({"port": 8081}, "GET /health on port 8081 every 30 s"),
        ({"protocol": "https"}, "GET /health by https every 30 s"),
        ({"matcher": "200,204"}, "GET /health, expecting 200,204, every 30 s"),
    ],
)
def test_compile_task_definition__another_question__is_another_release(
    health_check: dict[str, object], text: str
) -> None:
    manifest = make_manifest(health_check=health_check, networking={"load_balancer": {}})

    labels = containers(manifest)[0]["dockerLabels"]

    assert isinstance(labels, dict)
    assert labels["fsd.health-check"] == f"{text}, timeout 5 s, 2 good, 3 bad"
