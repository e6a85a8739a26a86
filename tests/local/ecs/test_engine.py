"""The engine with fake neighbours: threads, launches, probes, drains, shutdown."""

from __future__ import annotations

import threading

import pytest

from fsd_local.ecs import EcsService
from fsd_local.ports import RegistryLogin
from tests.local.ecs.cloud import DIGEST, NETWORK, ROLE, Cloud
from tests.local.ecs.fakes import ACCOUNT, REGION, TARGET_GROUP
from tests.waiting import eventually

AWSLOGS = {
    "logDriver": "awslogs",
    "options": {
        "awslogs-group": "/ecs/app",
        "awslogs-region": REGION,
        "awslogs-stream-prefix": "ecs",
    },
}
FILE = "arn:aws:s3:::config/app.env"
SECRET = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:db-AbCdEf"


def bad(cloud: Cloud, image: str = "bad") -> str:
    return cloud.register(f"{image}@{DIGEST}")


def test_engine__good_service__runs_registered_tasks_and_is_steady(cloud: Cloud) -> None:
    service = cloud.running_service()

    assert (service["runningCount"], service["pendingCount"]) == (2, 0)
    assert sorted(cloud.load_balancers.registered) == ["127.77.0.1", "127.77.0.2"]
    assert cloud.events()[-1] == "(service app) has reached a steady state."
    assert {task["lastStatus"] for task in cloud.tasks()} == {"RUNNING"}


def test_engine__environment_files__the_first_wins_and_the_definition_over_them(
    cloud: Cloud,
) -> None:
    files = [f"arn:aws:s3:::config/{name}.env" for name in "ab"]
    cloud.secrets.values |= {
        files[0]: "# of the team\nCOLOUR=red\nSIZE= a b \n\nbroken\nURL=x?a=1\n",
        files[1]: "COLOUR=green\nEXTRA=yes",
    }
    cloud.cluster()
    task_definition = cloud.register(
        environment=[{"name": "SIZE", "value": "mine"}],
        environmentFiles=[{"type": "s3", "value": arn} for arn in files],
    )
    cloud.create(task_definition, desired=1)
    cloud.wait_for("SUCCESSFUL")

    found = cloud.runtime.launched[0].containers[0].environment
    assert {name: found.get(name) for name in ("COLOUR", "SIZE", "URL", "EXTRA", "broken")} == {
        "COLOUR": "red",
        "SIZE": "mine",
        "URL": "x?a=1",
        "EXTRA": "yes",
        "broken": None,
    }


def test_engine__environment_file_missing__the_task_says_so(cloud: Cloud) -> None:
    cloud.cluster()
    cloud.create(cloud.register(environmentFiles=[{"type": "s3", "value": FILE}]), desired=1)
    eventually(lambda: bool(cloud.tasks("STOPPED")))

    reason = cloud.tasks("STOPPED")[0]["stoppedReason"]
    assert reason.startswith("ResourceInitializationError: ")


def test_engine__launch__gets_everything_resolved(cloud: Cloud) -> None:
    cloud.secrets.values[SECRET] = "hunter2"
    cloud.cluster()
    task_definition = cloud.register(
        "host:5000/team/app:v1",
        environment=[{"name": "COLOUR", "value": "blue"}],
        secrets=[{"name": "DATABASE_URL", "valueFrom": SECRET}],
        logConfiguration=AWSLOGS,
        entryPoint=["python"],
        command=["-m", "app"],
        user="1000",
        workingDirectory="/srv",
        readonlyRootFilesystem=True,
        stopTimeout=10,
        systemControls=[{"namespace": "net.core.somaxconn", "value": "1024"}],
    )
    cloud.create(task_definition, desired=1)
    cloud.wait_for("SUCCESSFUL")

    (spec,) = cloud.runtime.launched
    (container,) = spec.containers
    assert (spec.family, spec.revision, spec.cluster) == ("app", 1, "dev")
    assert container.image == "host:5000/team/app@sha256:" + "a" * 64
    assert container.environment["DATABASE_URL"] == "hunter2"
    assert container.environment["COLOUR"] == "blue"
    assert container.environment["AWS_REGION"] == REGION
    assert (container.entry_point, container.command) == (("python",), ("-m", "app"))
    assert (container.user, container.working_directory) == ("1000", "/srv")
    assert (container.read_only_root, container.memory_mib, container.ports) == (True, 512, (8000,))
    assert container.stop_timeout == 1.0
    assert container.system_controls == {"net.core.somaxconn": "1024"}
    assert container.log is not None
    assert (container.log.group, container.log.stream) == ("/ecs/app", f"ecs/app/{spec.id}")


def test_engine__repository_credentials__at_the_question_for_the_digest_and_at_the_pull(
    cloud: Cloud,
) -> None:
    cloud.cluster()
    cloud.secrets.values["arn:secret:ghcr"] = "bot:hunter2"
    task_definition = cloud.register(
        "ghcr.io/team/app:v1",
        repositoryCredentials={"credentialsParameter": "arn:secret:ghcr"},
    )
    cloud.create(task_definition, desired=1)
    cloud.wait_for("SUCCESSFUL")

    login = RegistryLogin(user="bot", password="hunter2")
    assert ("ghcr.io/team/app:v1", login) in cloud.runtime.logins
    assert [one.login for one in cloud.runtime.launched[0].containers] == [login]


def test_engine__crash_at_start__rolls_back_with_exit_codes(cloud: Cloud) -> None:
    cloud.running_service()
    cloud.runtime.crash_at_start("bad", exit_code=3)

    deployment = cloud.wait_for("ROLLBACK_SUCCESSFUL", cloud.update(bad(cloud)))

    assert deployment["deploymentCircuitBreaker"]["status"] == "TRIGGERED"
    stopped = cloud.tasks("STOPPED")
    assert {task["stoppedReason"] for task in stopped} == {"Essential container in task exited"}
    assert {task["stopCode"] for task in stopped} == {"EssentialContainerExited"}
    assert {task["containers"][0]["exitCode"] for task in stopped} == {3}
    assert len(cloud.runtime.running) == 2


def test_engine__missing_image__task_never_runs_and_the_reason_is_verbatim(cloud: Cloud) -> None:
    cloud.running_service()
    reason = "CannotPullContainerError: bad: manifest unknown"
    cloud.runtime.fail_to_start("bad", reason)

    cloud.wait_for("ROLLBACK_SUCCESSFUL", cloud.update(bad(cloud)))

    task = cloud.tasks("STOPPED")[0]
    assert (task["stopCode"], task["stoppedReason"]) == ("TaskFailedToStart", reason)
    assert "startedAt" not in task
    assert task["containers"][0]["reason"] == reason


def test_engine__tag_without_image__fails_after_three_attempts_one_by_one(cloud: Cloud) -> None:
    cloud.running_service()
    cloud.runtime.lose("nowhere")

    deployment = cloud.wait_for("ROLLBACK_SUCCESSFUL", cloud.update(cloud.register("nowhere:v2")))

    assert deployment["deploymentCircuitBreaker"]["failureCount"] == 3
    assert len(cloud.tasks("STOPPED")) == 3


def test_engine__unhealthy_targets__are_stopped_for_their_health_checks(cloud: Cloud) -> None:
    cloud.running_service()
    cloud.load_balancers.answer_500()

    cloud.wait_for("ROLLBACK_SUCCESSFUL", cloud.update(bad(cloud)))

    task = cloud.tasks("STOPPED")[0]
    assert task["stoppedReason"] == (
        f"Task failed ELB health checks in (target-group {TARGET_GROUP})"
    )
    assert task["stopCode"] == "ServiceSchedulerInitiated"
    assert (
        f"(service app) (port 8000) is unhealthy in (target-group {TARGET_GROUP}) due to "
        "(reason Health checks failed with these codes: [500])."
    ) in cloud.events()


def test_engine__container_check_passes__task_turns_healthy(cloud: Cloud) -> None:
    cloud.cluster()
    check = {"command": ["CMD-SHELL", "curl -f localhost"], "interval": 5}
    cloud.create(cloud.register(healthCheck=check), loadBalancers=[])
    cloud.wait_for("SUCCESSFUL")

    assert {task["healthStatus"] for task in cloud.tasks()} == {"HEALTHY"}
    assert cloud.runtime.executed[0][1] == ("/bin/sh", "-c", "curl -f localhost")


def test_engine__container_check_fails__first_deployment_cannot_roll_back(cloud: Cloud) -> None:
    cloud.cluster()
    cloud.runtime.fail_check("app")
    check = {"command": ["CMD", "false"], "interval": 5, "retries": 1}
    cloud.create(cloud.register(healthCheck=check), loadBalancers=[])

    deployment = cloud.wait_for("ROLLBACK_FAILED")

    assert deployment["statusReason"] == "No rollback candidate was found to run the rollback."
    assert cloud.tasks("STOPPED")[0]["stoppedReason"] == "Task failed container health checks"
    assert cloud.service()["deployments"][0]["rolloutState"] == "FAILED"


def test_engine__missing_secret__resource_initialization_error(cloud: Cloud) -> None:
    cloud.cluster()
    secrets = [{"name": "DATABASE_URL", "valueFrom": SECRET}]
    cloud.create(cloud.register(secrets=secrets), desired=1)
    eventually(lambda: bool(cloud.tasks("STOPPED")))

    task = cloud.tasks("STOPPED")[0]
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"] == (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
        f"retrieval failed: ResourceNotFoundException: Secrets Manager can't find {SECRET}"
    )
    assert cloud.runtime.launched == []


def test_engine__missing_log_group__resource_initialization_error(cloud: Cloud) -> None:
    cloud.cluster()
    cloud.logs.groups.clear()
    cloud.create(cloud.register(logConfiguration=AWSLOGS), desired=1)
    eventually(lambda: bool(cloud.tasks("STOPPED")))

    reason = cloud.tasks("STOPPED")[0]["stoppedReason"]
    assert reason.startswith("ResourceInitializationError: failed to validate logger args:")
    assert "The specified log group does not exist" in reason


def test_engine__runtime_breaks_its_promise__task_fails_and_the_engine_goes_on(
    cloud: Cloud,
) -> None:
    cloud.running_service()
    cloud.runtime.break_down("bad")

    cloud.wait_for("ROLLBACK_SUCCESSFUL", cloud.update(bad(cloud)))

    reason = cloud.tasks("STOPPED")[0]["stoppedReason"]
    assert reason == "InternalError: OSError: the engine went away"


def test_engine__old_tasks__are_stopped_only_when_their_targets_are_drained(cloud: Cloud) -> None:
    cloud.running_service()
    cloud.load_balancers.hold_drain()
    arn = cloud.update(cloud.register("app2@" + DIGEST))
    eventually(lambda: {t["lastStatus"] for t in cloud.tasks("STOPPED")} == {"DEACTIVATING"})

    assert cloud.runtime.stopped == []
    assert cloud.deployment(arn)["status"] == "IN_PROGRESS"

    cloud.load_balancers.finish_drain()
    cloud.wait_for("SUCCESSFUL", arn)

    assert len(cloud.runtime.stopped) == 2
    assert len(cloud.service()["deployments"]) == 1


def test_engine__task_killed_from_outside__is_replaced(cloud: Cloud) -> None:
    cloud.running_service()
    victim = cloud.runtime.running[0]

    cloud.runtime.kill(victim, exit_code=137)
    eventually(lambda: victim not in cloud.runtime.running and len(cloud.runtime.running) == 2)
    eventually(lambda: cloud.service()["runningCount"] == 2)

    (stopped,) = cloud.tasks("STOPPED")
    assert stopped["containers"][0]["exitCode"] == 137


def test_engine__stop_task__drains_stops_and_starts_another(cloud: Cloud) -> None:
    service = cloud.running_service(desired=1)
    (task,) = cloud.tasks()

    cloud.call("StopTask", cluster="dev", task=task["taskArn"], reason="by hand")
    eventually(lambda: [t["taskArn"] for t in cloud.tasks()] not in ([], [task["taskArn"]]))

    stopped = cloud.tasks("STOPPED")[0]
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "by hand")
    assert cloud.service()["deployments"][0]["id"] == service["deployments"][0]["id"]


def test_engine__stopped_while_it_is_launched__is_stopped_after_the_launch(cloud: Cloud) -> None:
    cloud.cluster()
    cloud.runtime.gate.clear()
    cloud.create(cloud.register(), desired=1)
    eventually(lambda: [t["lastStatus"] for t in cloud.tasks()] == ["PENDING"])

    cloud.update(desiredCount=0)
    eventually(lambda: cloud.tasks() == [])
    cloud.runtime.gate.set()

    eventually(lambda: [t["lastStatus"] for t in cloud.tasks("STOPPED")] == ["STOPPED"])
    assert cloud.runtime.running == []


def test_engine__while_a_launch_blocks__the_api_answers(cloud: Cloud) -> None:
    cloud.cluster()
    cloud.runtime.gate.clear()
    cloud.create(cloud.register(), desired=2)
    eventually(lambda: [t["lastStatus"] for t in cloud.tasks()] == ["PENDING"] * 2)

    assert cloud.service()["pendingCount"] == 2


def test_engine__target_group_deleted__says_so_and_never_succeeds(cloud: Cloud) -> None:
    cloud.running_service()
    cloud.load_balancers.delete(TARGET_GROUP)
    cloud.update(forceNewDeployment=True)

    eventually(lambda: any("TARGET GROUP IS NOT FOUND" in event for event in cloud.events()))

    assert cloud.deployment()["status"] == "IN_PROGRESS"


def test_engine__delete_service__drains_then_is_inactive(cloud: Cloud) -> None:
    cloud.running_service()

    answer = cloud.call("DeleteService", cluster="dev", service="app", force=True)
    eventually(lambda: cloud.service()["status"] == "INACTIVE")

    assert answer["service"]["status"] == "DRAINING"
    assert cloud.runtime.running == []
    assert cloud.load_balancers.registered == []
    assert cloud.ecs.counts()["services"] == 0


def test_reset__with_running_tasks__stops_and_forgets_all(cloud: Cloud) -> None:
    cloud.running_service()

    cloud.ecs.reset()

    assert cloud.runtime.running == []
    assert cloud.load_balancers.registered == []
    assert set(cloud.ecs.counts().values()) == {0}
    assert cloud.call("ListClusters")["clusterArns"] == []


def test_reset__while_a_launch_blocks__leaves_nothing_running(cloud: Cloud) -> None:
    cloud.cluster()
    cloud.runtime.gate.clear()
    cloud.create(cloud.register(), desired=2)
    eventually(lambda: [t["lastStatus"] for t in cloud.tasks()] == ["PENDING"] * 2)
    resetting = threading.Thread(target=cloud.ecs.reset)

    resetting.start()
    cloud.runtime.gate.set()
    resetting.join(10)

    assert not resetting.is_alive()
    assert cloud.runtime.running == []


def test_reset__then_a_new_service__works_again(cloud: Cloud) -> None:
    cloud.running_service()
    cloud.ecs.reset()

    cloud.running_service()

    assert len(cloud.runtime.running) == 2


def test_close__in_mid_rollout__joins_every_thread() -> None:
    before = set(threading.enumerate())
    cloud = Cloud()
    cloud.running_service()
    cloud.update(cloud.register("app2@" + DIGEST))

    cloud.close()

    assert [t.name for t in threading.enumerate() if t not in before] == []


def test_set_desired_count__from_auto_scaling__scales_without_a_deployment(cloud: Cloud) -> None:
    service = cloud.running_service()

    cloud.ecs.set_desired_count(ACCOUNT, REGION, "dev", "app", 4)
    eventually(lambda: cloud.service()["runningCount"] == 4)

    assert cloud.service()["currentServiceDeployment"] == service["currentServiceDeployment"]
    found = cloud.ecs.find_service(ACCOUNT, REGION, "dev", "app")
    assert found is not None
    assert (found.desired, found.running) == (4, 4)


def test_set_desired_count__service_gone__does_nothing(cloud: Cloud) -> None:
    cloud.ecs.set_desired_count(ACCOUNT, REGION, "dev", "app", 4)

    assert cloud.ecs.find_service(ACCOUNT, REGION, "dev", "app") is None


def test_services__one_running__summarises_it_for_people(cloud: Cloud) -> None:
    cloud.running_service(desired=1)

    (summary,) = cloud.ecs.services()

    assert (summary.cluster, summary.name, summary.status) == ("dev", "app", "ACTIVE")
    assert (summary.desired, summary.running, summary.rollout) == (1, 1, "COMPLETED")
    assert (summary.task_definition, summary.target_group_arns) == ("app:1", (TARGET_GROUP,))
    (task,) = summary.tasks
    assert (task.address, task.ports, task.status) == ("127.77.0.1", (8000,), "RUNNING")


@pytest.mark.parametrize("count", [50])
def test_engine__many_services__all_become_steady(cloud: Cloud, count: int) -> None:
    cloud.cluster()
    task_definition = cloud.register()
    for number in range(count):
        cloud.create(task_definition, desired=1, serviceName=f"app-{number}")

    def is_steady() -> bool:
        return all(found.rollout == "COMPLETED" for found in cloud.ecs.services())

    eventually(is_steady, seconds=30)
    assert len(cloud.runtime.running) == count


def test_init__closed_at_once__leaves_no_thread() -> None:
    before = set(threading.enumerate())
    cloud = Cloud()
    assert isinstance(cloud.ecs, EcsService)

    cloud.close()

    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("sts:AssumeRole", "ECS was unable to assume the role '{role}' that was provided"),
        (
            "ecr:GetAuthorizationToken",
            "ResourceInitializationError: unable to pull secrets or registry auth: execution "
            "resource retrieval failed: unable to retrieve ecr registry auth: service call has "
            "been retried 1 time(s): AccessDeniedException: {role} ecr:GetAuthorizationToken",
        ),
        (
            "ecr:BatchGetImage",
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to "
            "resolve ref host:5000/app:v1: pulling from host host:5000 failed with status code "
            "[manifests v1]: 403 Forbidden",
        ),
        (
            "secretsmanager:GetSecretValue",
            "ResourceInitializationError: unable to pull secrets or registry auth: execution "
            "resource retrieval failed: unable to retrieve secret from asm: service call has been "
            f"retried 1 time(s): failed to fetch secret {SECRET} from secrets manager: "
            "AccessDeniedException: {role} secretsmanager:GetSecretValue",
        ),
        (
            "s3:GetObject",
            "ResourceInitializationError: failed to download env files: file download command: "
            "non empty error stream: service call has been retried 1 time(s): "
            "AccessDeniedException: {role} s3:GetObject",
        ),
        (
            "logs:CreateLogStream",
            "ResourceInitializationError: failed to validate logger args: create stream has been "
            "retried 1 times: failed to create Cloudwatch log stream: AccessDeniedException: "
            "{role} logs:CreateLogStream : exit status 1",
        ),
    ],
)
def test_engine__execution_role_may_not__the_task_says_it_in_ecs_words(
    cloud: Cloud, action: str, reason: str
) -> None:
    cloud.secrets.values[SECRET] = "hunter2"
    cloud.secrets.values[FILE] = ""
    cloud.roles.denied.add(action)
    cloud.cluster()
    task_definition = cloud.register(
        "host:5000/app:v1",
        environmentFiles=[{"type": "s3", "value": FILE}],
        secrets=[{"name": "DATABASE_URL", "valueFrom": SECRET}],
        logConfiguration=AWSLOGS,
    )
    cloud.create(task_definition, desired=1)
    eventually(lambda: bool(cloud.tasks("STOPPED")))

    (task, *_) = cloud.tasks("STOPPED")
    assert task["stopCode"] == "TaskFailedToStart"
    assert task["stoppedReason"].startswith(reason.format(role=ROLE))
    assert cloud.runtime.launched == []


def test_engine__lines_that_may_not_be_written__the_task_runs_silently(cloud: Cloud) -> None:
    cloud.roles.denied.add("logs:PutLogEvents")
    cloud.cluster()
    cloud.create(cloud.register(logConfiguration=AWSLOGS), desired=1)
    cloud.wait_for("SUCCESSFUL")

    assert cloud.runtime.launched[0].containers[0].log is None


def test_engine__task_role__is_where_the_container_looks_until_it_stops(cloud: Cloud) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/fsd/task"
    cloud.cluster()
    definition = cloud.call(
        "RegisterTaskDefinition",
        family="app",
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        taskRoleArn=role,
        containerDefinitions=[{"name": "app", "image": f"app@{DIGEST}"}],
    )
    cloud.call(
        "RunTask",
        cluster="dev",
        taskDefinition="app",
        launchType="FARGATE",
        networkConfiguration=NETWORK,
    )
    eventually(lambda: bool(cloud.runtime.launched and cloud.tasks()))

    (spec,) = cloud.runtime.launched
    found = spec.containers[0].environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    assert definition["taskDefinition"]["taskRoleArn"] == role
    assert (found, cloud.roles.ended) == (f"http://here/{role}", [])
    cloud.call("StopTask", cluster="dev", task=cloud.tasks()[0]["taskArn"])
    eventually(lambda: cloud.roles.ended == [spec.id])
