from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fsd.quoted import Quoted
from fsd.release.diagnose_service import Examination
from fsd.release.history import Row
from fsd.release.job_run import Run
from fsd.release.jobs import JobLook
from fsd.release.journal import JournalEntry
from fsd.release.overview import Overview
from fsd.release.result import PastOutcome, PromotionStage
from fsd.report.json_report import overview_json, status_json
from fsd.report.tables import history_table, overview_text, status_text
from fsd.rollout.service_condition import judge
from fsd.rollout.service_facts import GroupLook, Look
from fsd.snapshot import (
    DeploymentStatus,
    EcsDeployment,
    ServiceDeployment,
    ServiceState,
    StoppedTask,
    TargetHealth,
    TaskState,
)
from tests.golden import golden
from tests.unit.report.results import NEW, OLD, T0

GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/offer-api-dev/6d0e"
SERVICE = ServiceState(
    name="offer-api-dev",
    arn="arn:aws:ecs:us-east-1:123456789012:service/dev/offer-api-dev",
    cluster="dev",
    status="ACTIVE",
    task_definition_arn=NEW.task_definition_arn,
    desired=2,
    running=2,
    pending=0,
    deployments=(),
)
DEPLOYMENT = ServiceDeployment(
    arn="arn:aws:ecs:us-east-1:123456789012:service-deployment/dev/offer-api-dev/d1",
    status=DeploymentStatus.SUCCESSFUL,
    task_definition_arn=NEW.task_definition_arn,
    created_at=T0,
    finished_at=T0 + timedelta(seconds=98),
)


def make_status(**changes: object) -> Examination:
    """Of two tasks, one of which fails its health check; `changes` are of the look."""
    targets = (
        TargetHealth(address="10.0.0.7", port=8000, state="healthy"),
        TargetHealth(
            address="10.0.0.9",
            port=8000,
            state="unhealthy",
            description="Health checks failed with these codes: [500]",
        ),
    )
    look = Look(
        at=T0 + timedelta(hours=1),
        service=SERVICE,
        newest=DEPLOYMENT,
        tasks=(make_task("7f3a", "10.0.0.7"), make_task("91cc", "10.0.0.9")),
        groups=(GroupLook(arns=(GROUP,), targets=targets),),
    )
    look = replace(look, **changes)  # type: ignore[arg-type]  # fields of Look
    return Examination(
        service="offer-api",
        environment="dev",
        look=look,
        condition=judge(look),
        releases={NEW.task_definition_arn: NEW},
        url="http://internal-offer-api-dev.us-east-1.elb.amazonaws.com",
    )


def make_task(start: str, address: str) -> TaskState:
    return TaskState(
        id=start + "0" * 28,
        task_definition_arn=NEW.task_definition_arn,
        last_status="RUNNING",
        address=address,
        started_at=T0,
    )


def test_status_text__one_unhealthy__whole_text() -> None:
    text = status_text(make_status(), code=6)

    assert text == golden("status/one-unhealthy.txt", text)


def test_status_text__scaled_to_zero__by_wish() -> None:
    service = replace(SERVICE, running=0, desired=0, task_definition_arn="")
    status = replace(
        make_status(service=service, newest=None, tasks=(), groups=()), url="", releases={}
    )

    assert status_text(status) == (
        "offer-api → dev    0 of 0 running\n"
        "  release     unknown\n"
        "Nothing is running, as configured: the desired count is 0"
    )
    assert status.condition.is_healthy


def test_status_text__deployment_rolled_back__ecs_says_why() -> None:
    failed = replace(
        DEPLOYMENT,
        status=DeploymentStatus.ROLLBACK_SUCCESSFUL,
        failure_count=3,
        failure_threshold=3,
        breaker_status="TRIGGERED",
        rollback_reason="Service deployment rolled back because the circuit breaker threshold "
        "was exceeded.",
    )
    text = status_text(make_status(newest=failed, tasks=()))

    assert "ROLLBACK_SUCCESSFUL · offer-api-dev:42" in text
    words = " ".join(text.split())
    assert "3 tasks failed (ECS's limit is 3) · rollout-failed: ECS ended the deployment" in words
    assert max(len(line) for line in text.splitlines()) <= 100


def test_history_table__promoted_release__has_its_path_and_a_restart_of_it_has_not() -> None:
    dev = PromotionStage(environment="dev", revision="web-dev:3", at=T0, run="amy@laptop")
    staging = replace(dev, environment="staging", revision="web-staging:9", at=None, run="")
    release = replace(NEW, promoted_from=(staging, dev))
    rows = [Row(action="restart", release=release), Row(action="deploy", release=release)]

    restarted, deployed, path = history_table(rows).splitlines()[-3:]

    assert restarted.startswith("  v1.3.0   restart")
    assert deployed.startswith("  v1.3.0   deploy")
    assert path == (
        "   PATH    dev web-dev:3 (2026-03-04 14:00 UTC, amy@laptop) → staging web-staging:9 → here"
    )


def test_history_table__rows__what_runs_is_marked_and_failures_have_a_reason() -> None:
    forgotten = replace(
        OLD, version="", outcome=PastOutcome.UNKNOWN, at=None, run="", digest="", commit=""
    )
    rows = [
        Row(
            action="scale",
            release=replace(OLD, outcome=PastOutcome.UNKNOWN),
            reason=JournalEntry(at=T0, action="scale", what="2 to 3"),
        ),
        Row(
            action="deploy",
            release=replace(NEW, outcome=PastOutcome.ROLLED_BACK),
            reason=Quoted(text="crashed: it did"),
        ),
        Row(action="deploy", release=OLD, runs=True),
        Row(action="restart", release=forgotten),
    ]

    assert (
        history_table(rows)
        == """\
   VERSION  ACTION   OUTCOME      REVISION          WHEN (UTC)        COMMIT   BY
   v1.2.9   scale    -            offer-api-dev:41  2026-03-01 14:00  1a2b3c4  run 1
   REASON  2 to 3 tasks
   v1.3.0   deploy   rolled back  offer-api-dev:42  2026-03-04 14:00  4f2c1e9  alice@laptop
   REASON  crashed: it did
>  v1.2.9   deploy   succeeded    offer-api-dev:41  2026-03-01 14:00  1a2b3c4  run 1
   -        restart  unknown      offer-api-dev:41  -                 -        -"""
    )


def test_status_json__running__schema_and_facts() -> None:
    report = status_json(make_status())

    assert report["schema"] == "fsd/status/v1"
    assert report["service"] == {
        "name": "offer-api",
        "serviceName": "offer-api-dev",
        "arn": SERVICE.arn,
        "cluster": "dev",
        "status": "ACTIVE",
        "desired": 2,
        "running": 2,
        "pending": 0,
        "launchType": "",
        "schedulingStrategy": "",
        "deploymentController": "",
    }
    assert (report["healthy"], report["served"]) == (
        False,
        "v1.3.0 is serving users, 1 of 2 healthy",
    )
    tasks = report["tasks"]
    assert isinstance(tasks, list)
    assert len(tasks) == 2


def rolling(name: str, state: str) -> ServiceState:
    primary = EcsDeployment(
        id="ecs-svc/1", status="PRIMARY", task_definition_arn=NEW.task_definition_arn,
        rollout_state=state,
    )  # fmt: skip
    tags = (("fsd:environment", "dev"), ("fsd:service", name))
    return replace(SERVICE, name=f"{name}-dev", deployments=(primary,), tags=tags)


def overview(*services: ServiceState) -> Overview:
    return Overview(environment="dev", cluster="main", services=services)


def test_overview_text__services__a_line_each() -> None:
    busy = replace(rolling("basket", "IN_PROGRESS"), running=1, pending=1)
    going = replace(rolling("zoo", ""), status="DRAINING", deployments=())

    assert overview_text(overview(busy, rolling("offer-api", "COMPLETED"), going)) == (
        "dev    3 services in cluster main\n"
        "  SERVICE    REVISION          RUNNING             ROLLOUT\n"
        "  basket     offer-api-dev:42  1 of 2, 1 starting  in progress\n"
        "  offer-api  offer-api-dev:42  2 of 2              completed\n"
        "  zoo        offer-api-dev:42  2 of 2              draining"
    )


def test_overview_text__none__says_so() -> None:
    assert overview_text(overview()) == "dev    0 services in cluster main"


def test_overview_json__service__its_names_and_counts() -> None:
    made = overview_json(overview(rolling("basket", "FAILED")))

    services = made["services"]
    assert isinstance(services, list)
    (service,) = services
    assert isinstance(service, dict)
    assert (service["name"], service["serviceName"]) == ("basket", "basket-dev")
    assert (service["running"], service["desired"], service["rolloutState"]) == (2, 2, "FAILED")


@pytest.mark.parametrize(
    ("states", "expected"), [(["COMPLETED", "FAILED"], True), (["COMPLETED", "IN_PROGRESS"], False)]
)
def test_is_settled__rollouts__none_is_in_progress(states: list[str], expected: bool) -> None:
    services = [rolling(f"s{number}", state) for number, state in enumerate(states)]

    assert overview(*services).is_settled is expected


def job_look(*codes: int, running: int = 0) -> JobLook:
    """The newest run first."""
    runs = tuple(
        Run(
            task=StoppedTask(id="7f3a", task_definition_arn="", stop_code="", stopped_reason=""),
            exit_code=code,
            is_timed_out=False,
        )
        for code in codes
    )
    tasks = tuple(
        TaskState(id=str(n), task_definition_arn="", last_status="RUNNING") for n in range(running)
    )
    return JobLook(
        service="report",
        environment="dev",
        schedule="rate(1 hour)",
        log_group="",
        release=NEW,
        running_tasks=tasks,
        runs=runs,
    )


def test_overview_text__jobs__below_the_services_with_their_last_run() -> None:
    shown = replace(overview(), jobs=(job_look(2, 0), job_look(0, running=1), job_look()))

    assert overview_text(shown) == (
        "dev    0 services and 3 Jobs in cluster main\n"
        "  JOB     REVISION          LAST RUN                        SCHEDULE\n"
        "  report  offer-api-dev:42  exit code 2                     rate(1 hour)\n"
        "  report  offer-api-dev:42  1 running, before: exit code 0  rate(1 hour)\n"
        "  report  offer-api-dev:42  none known                      rate(1 hour)"
    )


def test_overview_text__jobs_may_not_be_listed__says_why() -> None:
    shown = replace(overview(), unknown=(Quoted(text="no scheduler:ListSchedules"),))

    assert overview_text(shown).endswith("\n  Jobs are not listed: no scheduler:ListSchedules")


def test_overview_text__one_job_may_not_be_read__says_that_there_are_others() -> None:
    refused = Quoted(text="no scheduler:GetSchedule")
    shown = replace(overview(), jobs=(job_look(0),), unknown=(refused,))

    assert overview_text(shown).endswith("\n  Other Jobs are not listed: no scheduler:GetSchedule")
