"""Clients that nobody here wrote, against the embedded AWS: they judge it by their exit codes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.cli import Fsd
from tests.local.registry_login import write_docker_config

BIN = Path(sys.executable).parent
WEB = ("local", "hello-local")  # cluster, service


def run(fsd: Fsd, *command: str, timeout: int = 120) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env={**fsd.environment(), **fsd.aws_environment()},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def aws(fsd: Fsd, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(fsd, str(BIN / "aws"), *arguments)


def text(fsd: Fsd, *arguments: str) -> str:
    ended = aws(fsd, *arguments, "--output", "text")
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_aws_wait_services_stable__after_a_rollback__comes_back(fsd: Fsd) -> None:
    fsd.ok("deploy", "--env", "local")
    broken = fsd.run("deploy", "--env", "local", "--override", "environment.HELLO_CRASH=1")

    waited = aws(fsd, "ecs", "wait", "services-stable", "--cluster", WEB[0], "--services", WEB[1])

    assert broken.code == 6, broken.text
    assert (waited.returncode, waited.stderr) == (0, "")


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_ecs_deploy__scale_and_deploy__succeed(fsd: Fsd) -> None:
    fsd.ok("deploy", "--env", "local")

    scaled = run(fsd, str(BIN / "ecs"), "scale", *WEB, "3", "--timeout", "60")
    deployed = run(
        fsd, str(BIN / "ecs"), "deploy", *WEB, "-e", "hello", "GREETING", "hi", "--timeout", "60"
    )

    assert scaled.returncode == 0, scaled.stdout + scaled.stderr
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    status = fsd.ok("status", "--service", "hello", "--env", "local", "--format", "json").json()
    assert status["service"]["running"] == 3
    assert status["running"]["revision"] == "hello-local:2"


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_aws__after_a_deployment__agrees_that_all_is_well(fsd: Fsd) -> None:
    fsd.ok("deploy", "--env", "local")
    ecs = ("ecs", "wait", "services-stable", "--cluster", WEB[0], "--services", WEB[1])
    group = text(
        fsd, "elbv2", "describe-target-groups", "--query", "TargetGroups[0].TargetGroupArn"
    )
    tasks = text(fsd, "ecs", "list-tasks", "--cluster", WEB[0], "--query", "taskArns").split()

    stable = aws(fsd, *ecs)
    running = aws(fsd, "ecs", "wait", "tasks-running", "--cluster", WEB[0], "--tasks", *tasks)
    in_service = aws(fsd, "elbv2", "wait", "target-in-service", "--target-group-arn", group)

    for ended in (stable, running, in_service):
        assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_aws_logs_tail__services_log_group__has_what_the_tasks_said(fsd: Fsd) -> None:
    version_2 = shutil.which("aws", path="/usr/local/bin:/usr/bin")
    if version_2 is None or not run(fsd, version_2, "--version").stdout.startswith("aws-cli/2"):
        pytest.skip("only version 2 of the AWS CLI has `logs tail`, and PyPI has version 1")
    fsd.ok("deploy", "--env", "local")
    endpoint = fsd.aws_environment()["AWS_ENDPOINT_URL"]

    tail = run(fsd, version_2, "logs", "tail", "/ecs/hello-local", "--endpoint-url", endpoint)

    assert (tail.returncode, tail.stderr) == (0, "")
    assert len(re.findall("hello .* listens on 127.77.*:8000", tail.stdout)) == 2


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_aws_ecs_wait__task_that_runs_or_stops__tells_one_from_the_other(fsd: Fsd) -> None:
    fsd.ok("deploy", "--env", "local")
    (task, *_) = text(fsd, "ecs", "list-tasks", "--cluster", WEB[0], "--query", "taskArns").split()
    of_task = ("--cluster", WEB[0], "--tasks", task)

    stopped = aws(fsd, "ecs", "stop-task", "--cluster", WEB[0], "--task", task)
    waited = aws(fsd, "ecs", "wait", "tasks-stopped", *of_task)
    running = aws(fsd, "ecs", "wait", "tasks-running", *of_task)

    assert (stopped.returncode, waited.returncode, waited.stderr) == (0, 0, "")
    assert running.returncode == 255
    assert "Waiter TasksRunning failed" in running.stderr
    why = text(fsd, "ecs", "describe-tasks", *of_task, "--query", "tasks[0].stoppedReason")
    assert why == "Task stopped by user"


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_aws_ecs_update_service__new_desired_count__is_stable_with_it(fsd: Fsd) -> None:
    fsd.ok("deploy", "--env", "local")

    updated = aws(
        fsd, "ecs", "update-service", "--cluster", WEB[0], "--service", WEB[1],
        "--desired-count", "3", "--force-new-deployment",
    )  # fmt: skip
    waited = aws(fsd, "ecs", "wait", "services-stable", "--cluster", WEB[0], "--services", WEB[1])
    count = text(
        fsd, "ecs", "describe-services", "--cluster", WEB[0], "--services", WEB[1],
        "--query", "services[0].[runningCount,pendingCount,length(deployments)]",
    )  # fmt: skip

    assert (updated.returncode, waited.returncode) == (0, 0), updated.stderr + waited.stderr
    assert count.split() == ["3", "0", "1"]


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_aws_cloudformation_deploy__stack__is_made_changed_and_left_alone(
    fsd: Fsd, tmp_path: Path
) -> None:
    def deploy(retention: int) -> subprocess.CompletedProcess[str]:
        template = tmp_path / "template.json"
        properties = {"LogGroupName": "/made/by/aws", "RetentionInDays": retention}
        resource = {"Type": "AWS::Logs::LogGroup", "Properties": properties}
        template.write_text(json.dumps({"Resources": {"Logs": resource}}))
        ended = aws(
            fsd, "cloudformation", "deploy", "--stack-name", "logs",
            "--template-file", str(template), "--no-fail-on-empty-changeset",
        )  # fmt: skip
        # The CLI names a change set by the second, and two may be made in one.
        return deploy(retention) if "AlreadyExistsException" in ended.stderr else ended

    ended = [deploy(7), deploy(14), deploy(14)]
    retention = text(
        fsd, "logs", "describe-log-groups", "--log-group-name-prefix", "/made/by/aws",
        "--query", "logGroups[0].retentionInDays",
    )  # fmt: skip

    assert [one.returncode for one in ended] == [0, 0, 0], [one.stderr for one in ended]
    assert "No changes to deploy" in ended[2].stdout
    assert retention == "14"


@pytest.mark.parametrize("runtime", ["process"], indirect=True)
def test_ecs_run__one_task__runs_beside_the_service(fsd: Fsd) -> None:
    fsd.ok("deploy", "--env", "local")

    ran = run(
        fsd, str(BIN / "ecs"), "run", WEB[0], WEB[1], "1", "--launchtype", "FARGATE",
        "--subnet", "subnet-00000001", "--securitygroup", "sg-00000001",
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout + ran.stderr
    started = ran.stdout.split("arn:aws:ecs:")[1].split()[0].rpartition("/")[2]
    tasks = ("--cluster", WEB[0], "--tasks", started)
    waited = aws(fsd, "ecs", "wait", "tasks-running", *tasks)
    group = text(fsd, "ecs", "describe-tasks", *tasks, "--query", "tasks[0].group")
    assert (waited.returncode, waited.stderr) == (0, "")
    assert group == "family:hello-local"


@pytest.mark.docker
@pytest.mark.parametrize("runtime", ["container"], indirect=True)
def test_docker_push_and_pull__repository_uri__have_ecrs_digest(fsd: Fsd, tmp_path: Path) -> None:
    created = aws(
        fsd, "ecr", "create-repository", "--repository-name", "busy", "--query",
        "repository.repositoryUri", "--output", "text",
    )  # fmt: skip
    reference = f"{created.stdout.strip()}:v1"
    (tmp_path / "image").mkdir()
    (tmp_path / "image" / "Dockerfile").write_text("FROM scratch\nCOPY hello /\n")
    (tmp_path / "image" / "hello").write_text("hello\n")
    registry = fsd.status()["endpoint"].removeprefix("http://")
    with fsd.client("ecr") as ecr:
        logged_in = write_docker_config(tmp_path / "docker", ecr, registry)
    docker = ("docker", "--config", logged_in["DOCKER_CONFIG"])

    subprocess.run(
        [*docker, "build", "-q", "-t", reference, str(tmp_path / "image")],
        env={**fsd.environment(), "DOCKER_BUILDKIT": "0"},
        check=True,
        capture_output=True,
    )
    try:
        pushed = run(fsd, *docker, "push", reference)
        run(fsd, *docker, "image", "rm", "-f", reference)
        pulled = run(fsd, *docker, "pull", reference)
        found = aws(
            fsd, "ecr", "describe-images", "--repository-name", "busy", "--image-ids",
            "imageTag=v1", "--query", "imageDetails[0].imageDigest", "--output", "text",
        )  # fmt: skip
    finally:
        run(fsd, *docker, "image", "rm", "-f", reference)

    assert pushed.returncode == 0, pushed.stderr
    assert f"digest: {found.stdout.strip()}" in pushed.stdout
    assert pulled.returncode == 0, pulled.stderr
    assert f"Digest: {found.stdout.strip()}" in pulled.stdout
