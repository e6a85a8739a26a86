from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber

from fsd.aws.ecs import ElasticContainerService
from fsd.aws.ecs_shapes import to_service
from fsd.compile.desired import Json, JsonValue
from fsd.errors import CallFailedError, TimedOutError
from fsd.release.log_places import StreamPlace
from fsd.release.ports import Cluster, PermissionDenied, Throttled
from fsd.snapshot import (
    DeploymentStatus,
    EcsDeployment,
    ServiceDeployment,
    ServiceState,
    StoppedContainer,
    StoppedTask,
    TaskState,
)
from tests.fakes.clock import FakeClock
from tests.moto.conftest import TestClients

PREFIX = "arn:aws:ecs:us-east-1:123456789012"
T0 = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
MISSING = {"failures": [{"arn": f"{PREFIX}:x", "reason": "MISSING"}]}
CONTAINER: Json = {
    "name": "web",
    "image": "r/web@sha256:1",
    "essential": True,
    "healthCheck": None,
    "logConfiguration": {
        "logDriver": "awslogs",
        "options": {"awslogs-group": "/ecs/web-dev", "awslogs-stream-prefix": "web"},
    },
}
DEFINITION: Json = {
    "family": "web-dev",
    "networkMode": "awsvpc",
    "cpu": "256",
    "memory": "512",
    "requiresCompatibilities": ["FARGATE"],
    "taskRoleArn": None,
    "containerDefinitions": [CONTAINER],
}


def td(revision: int, family: str = "web-dev") -> str:
    return f"{PREFIX}:task-definition/{family}:{revision}"


def deployment_arn(number: int) -> str:
    return f"{PREFIX}:service-deployment/demo/web-dev/{number}"


def revision_arn(number: int) -> str:
    return f"{PREFIX}:service-revision/demo/web-dev/{number}"


def deployment(number: int, status: str = "IN_PROGRESS", **more: Any) -> dict[str, Any]:
    return {
        "serviceDeploymentArn": deployment_arn(number),
        "status": status,
        "createdAt": T0 + timedelta(minutes=number),
        "targetServiceRevision": {"arn": revision_arn(number)},
        **more,
    }


def revision(number: int) -> dict[str, Any]:
    return {"serviceRevisionArn": revision_arn(number), "taskDefinition": td(number)}


def service(**more: Any) -> dict[str, Any]:
    return {
        "serviceName": "web-dev",
        "serviceArn": f"{PREFIX}:service/demo/web-dev",
        "clusterArn": f"{PREFIX}:cluster/demo",
        "status": "ACTIVE",
        "taskDefinition": td(2),
        "desiredCount": 2,
        "runningCount": 1,
        "pendingCount": 1,
        **more,
    }


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ecs(clients: TestClients, clock: FakeClock) -> ElasticContainerService:
    return ElasticContainerService(clients=clients, clock=clock, poll=timedelta(seconds=1))


@pytest.fixture
def aws(stub: Callable[[str], Stubber]) -> Stubber:
    return stub("ecs")


# --- clusters --------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_moto")
def test_cluster__created_found_and_deleted(ecs: ElasticContainerService) -> None:
    assert ecs.find_cluster("demo") is None

    ecs.create_cluster("demo", tags={"fsd:environment": "dev"})
    ecs.create_cluster("demo", tags={"fsd:environment": "dev"})

    assert ecs.find_cluster("demo") == Cluster(
        name="demo", arn=f"{PREFIX}:cluster/demo", tags={"fsd:environment": "dev"}
    )
    ecs.delete_cluster("demo")
    ecs.delete_cluster("demo")
    assert ecs.find_cluster("demo") is None


def test_find_cluster__inactive__none(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_response(
        "describe_clusters",
        {"clusters": [{"clusterName": "demo", "clusterArn": "a", "status": "INACTIVE"}]},
        {"clusters": ["demo"], "include": ["TAGS"]},
    )

    assert ecs.find_cluster("demo") is None


def test_find_cluster__counts(ecs: ElasticContainerService, aws: Stubber) -> None:
    found = {
        "clusterName": "demo",
        "clusterArn": "a",
        "status": "ACTIVE",
        "activeServicesCount": 3,
        "runningTasksCount": 4,
        "pendingTasksCount": 1,
    }
    aws.add_response("describe_clusters", {"clusters": [found]})

    assert ecs.find_cluster("demo") == Cluster(name="demo", arn="a", tags={}, services=3, tasks=5)


def test_find_cluster__other_failure__raised(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_response(
        "describe_clusters", {"failures": [{"arn": "a", "reason": "ODD", "detail": "why"}]}
    )

    with pytest.raises(CallFailedError) as caught:
        ecs.find_cluster("demo")

    assert (caught.value.what, caught.value.where) == ("ODD: why", "DescribeClusters demo a")


# --- task definitions ------------------------------------------------------------------------


@pytest.mark.usefixtures("in_moto")
def test_register__nones_are_left_out__found_again_with_tags(
    ecs: ElasticContainerService,
) -> None:
    tags = {"fsd:version": "v1", "fsd:commit": "4f2c1e9"}

    registered = ecs.register(DEFINITION, tags=tags)

    assert (registered.arn, registered.revision, registered.tags) == (td(1), 1, tags)
    found = ecs.find_task_definition(registered.arn)
    assert found is not None
    assert (found.family, found.status, found.tags) == ("web-dev", "ACTIVE", tags)
    assert found.definition["memory"] == "512"
    assert not {"taskDefinitionArn", "revision", "status", "registeredAt"} & set(found.definition)
    assert DEFINITION["taskRoleArn"] is None, "what was passed in is untouched"


@pytest.mark.usefixtures("in_moto")
def test_find_task_definition__absent__none(ecs: ElasticContainerService) -> None:
    assert ecs.find_task_definition("web-dev:7") is None


def test_find_task_definition__other_client_exception__raised(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_client_error("describe_task_definition", "ClientException", "Tags are not enabled")

    with pytest.raises(CallFailedError, match="Tags are not enabled"):
        ecs.find_task_definition(td(1))


def test_register__refused__awss_sentence(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_client_error("register_task_definition", "ClientException", "Invalid 'cpu' setting")

    with pytest.raises(CallFailedError) as caught:
        ecs.register(DEFINITION, tags={})

    assert str(caught.value).startswith(
        "error[call-failed]: ClientException: Invalid 'cpu' setting\n"
        "  --> RegisterTaskDefinition web-dev\n"
    )


TAGS = {"fsd:commit": "4f2c1e9", "fsd:run": "me@host"}


def definition_answer(revision: int, tags: dict[str, str]) -> Json:
    definition = {k: v for k, v in DEFINITION.items() if v is not None}
    written: list[JsonValue] = [{"key": key, "value": value} for key, value in tags.items()]
    containers: list[JsonValue] = [{k: v for k, v in CONTAINER.items() if v is not None}]
    return {
        "taskDefinition": {
            **definition,
            "containerDefinitions": containers,
            "taskDefinitionArn": td(revision),
            "revision": revision,
        },
        "tags": written,
    }


def test_register__answer_lost__found_and_not_registered_again(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_client_error("register_task_definition", "ServerException", http_status_code=500)
    aws.add_response("list_task_definitions", {"taskDefinitionArns": [td(2), td(1)]})
    aws.add_response("describe_task_definition", definition_answer(2, TAGS))

    assert ecs.register(DEFINITION, tags=TAGS).arn == td(2)


@pytest.mark.parametrize("code", ["ThrottlingException", "ServerException"])
def test_register__not_done__registered_at_the_next_try(
    ecs: ElasticContainerService, aws: Stubber, code: str
) -> None:
    status = 400 if code == "ThrottlingException" else 500
    aws.add_client_error("register_task_definition", code, http_status_code=status)
    if status == 500:
        aws.add_response("list_task_definitions", {"taskDefinitionArns": [td(1)]})
        aws.add_response("describe_task_definition", definition_answer(1, {"fsd:commit": "old"}))
    aws.add_response("register_task_definition", definition_answer(2, TAGS))

    assert ecs.register(DEFINITION, tags=TAGS).arn == td(2)


def test_find_newest_revision__by_the_family(ecs: ElasticContainerService, aws: Stubber) -> None:
    asked = {"taskDefinition": "web-dev", "include": ["TAGS"]}
    aws.add_response("describe_task_definition", definition_answer(2, TAGS), asked)

    found = ecs.find_newest_revision("web-dev")

    assert found is not None
    assert found.arn == td(2)


@pytest.mark.usefixtures("in_moto")
def test_find_newest_revision__no_such_family__none(ecs: ElasticContainerService) -> None:
    assert ecs.find_newest_revision("web-dev") is None


def test_list_task_definitions__pages__this_family_only_newest_first(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    expected = {"familyPrefix": "web-dev", "status": "ACTIVE", "sort": "DESC"}
    aws.add_response(
        "list_task_definitions",
        {"taskDefinitionArns": [td(9), td(1, "web-dev-two")], "nextToken": "n"},
        expected,
    )
    aws.add_response(
        "list_task_definitions",
        {"taskDefinitionArns": [td(2), td(10)]},
        {**expected, "nextToken": "n"},
    )

    assert list(ecs.list_task_definitions("web-dev")) == [td(10), td(9), td(2)]


@pytest.mark.usefixtures("in_moto")
def test_list_task_definitions__none__empty(ecs: ElasticContainerService) -> None:
    assert list(ecs.list_task_definitions("web-dev")) == []


def test_delete_task_definitions__active_and_inactive__deregistered_then_deleted_by_tens(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    active, inactive = [td(12), td(11)], [td(n) for n in range(12, 0, -1)]
    aws.add_response("list_task_definitions", {"taskDefinitionArns": active})
    for arn in active:
        aws.add_response("deregister_task_definition", {}, {"taskDefinition": arn})
    aws.add_response(
        "list_task_definitions",
        {"taskDefinitionArns": inactive},
        {"familyPrefix": "web-dev", "status": "INACTIVE", "sort": "DESC"},
    )
    aws.add_response("delete_task_definitions", {}, {"taskDefinitions": inactive[:10]})
    aws.add_response("delete_task_definitions", {}, {"taskDefinitions": inactive[10:]})

    assert ecs.delete_task_definitions("web-dev") == 12


def test_delete_task_definitions__one_is_refused__raised(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_response("list_task_definitions", {"taskDefinitionArns": []})
    aws.add_response("list_task_definitions", {"taskDefinitionArns": [td(1)]})
    aws.add_response("delete_task_definitions", {"failures": [{"arn": td(1), "reason": "ACTIVE"}]})

    with pytest.raises(CallFailedError, match="ACTIVE"):
        ecs.delete_task_definitions("web-dev")


# --- services --------------------------------------------------------------------------------


def test_find_service__there__every_field(ecs: ElasticContainerService, aws: Stubber) -> None:
    answer = service(
        deployments=[
            {
                "id": "ecs-svc/2",
                "status": "PRIMARY",
                "taskDefinition": td(2),
                "desiredCount": 2,
                "runningCount": 1,
                "pendingCount": 1,
                "failedTasks": 1,
                "rolloutState": "IN_PROGRESS",
                "rolloutStateReason": "in progress",
                "createdAt": T0,
            }
        ],
        loadBalancers=[{"targetGroupArn": "tg", "containerName": "web", "containerPort": 8000}],
        networkConfiguration={
            "awsvpcConfiguration": {
                "subnets": ["s-1", "s-2"],
                "securityGroups": ["sg-1"],
                "assignPublicIp": "ENABLED",
            }
        },
        healthCheckGracePeriodSeconds=60,
        deploymentConfiguration={"maximumPercent": 200},
        currentServiceDeployment=deployment_arn(2),
        tags=[{"key": "fsd:service", "value": "web"}, {"key": "fsd:pack", "value": "p"}],
    )
    aws.add_response(
        "describe_services",
        {"services": [answer]},
        {"cluster": "demo", "services": ["web-dev"], "include": ["TAGS"]},
    )

    assert ecs.find_service("demo", "web-dev") == ServiceState(
        name="web-dev",
        arn=f"{PREFIX}:service/demo/web-dev",
        cluster="demo",
        status="ACTIVE",
        task_definition_arn=td(2),
        desired=2,
        running=1,
        pending=1,
        deployments=(
            EcsDeployment(
                id="ecs-svc/2",
                status="PRIMARY",
                task_definition_arn=td(2),
                rollout_state="IN_PROGRESS",
                rollout_state_reason="in progress",
                desired=2,
                running=1,
                pending=1,
                failed_tasks=1,
                created_at=T0,
            ),
        ),
        target_group_arns=("tg",),
        target_groups=(("tg",),),
        load_balancers=({"targetGroupArn": "tg", "containerName": "web", "containerPort": 8000},),
        subnets=("s-1", "s-2"),
        security_groups=("sg-1",),
        assign_public_ip=True,
        grace_period=60,
        container_port=8000,
        container_name="web",
        deployment_configuration={"maximumPercent": 200},
        current_deployment_arn=deployment_arn(2),
        tags=(("fsd:pack", "p"), ("fsd:service", "web")),
    )


@pytest.mark.parametrize(
    "answer",
    [MISSING, {"services": []}, {"services": [service(status="INACTIVE")]}],
)
def test_find_service__missing_or_inactive__none(
    ecs: ElasticContainerService, aws: Stubber, answer: dict[str, Any]
) -> None:
    aws.add_response("describe_services", answer)

    assert ecs.find_service("demo", "web-dev") is None


def test_find_service__neither_a_service_nor_why__is_no_absence(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_response("describe_services", {"failures": []})

    with pytest.raises(CallFailedError, match="neither with the service nor with why"):
        ecs.find_service("demo", "web-dev")


def test_find_service__not_made_by_fsd__what_kind_it_is(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    answer = service(
        launchType="EC2",
        schedulingStrategy="DAEMON",
        deploymentController={"type": "CODE_DEPLOY"},
        capacityProviderStrategy=[{"capacityProvider": "spot"}],
        taskSets=[{"id": "ecs-svc/1", "status": "PRIMARY", "runningCount": 2}],
        loadBalancers=[
            {
                "targetGroupArn": "blue",
                "advancedConfiguration": {"alternateTargetGroupArn": "green"},
            },
            {"loadBalancerName": "classic"},
        ],
        deploymentConfiguration={
            "alarms": {"alarmNames": ["5xx"], "enable": True, "rollback": True}
        },
    )
    del answer["runningCount"]
    aws.add_response("describe_services", {"services": [answer]})

    found = ecs.find_service("demo", "web-dev")

    assert found is not None
    assert (found.launch_type, found.scheduling, found.controller) == (
        "EC2", "DAEMON", "CODE_DEPLOY",
    )  # fmt: skip
    assert found.capacity_providers == ("spot",)
    assert [(one.status, one.running) for one in found.task_sets] == [("PRIMARY", 2)]
    assert found.target_groups == (("blue", "green"),)
    assert found.classic_load_balancers == ("classic",)
    assert found.alarms == ("5xx",)
    assert "runningCount" in found.unsaid


def test_find_service__draining__still_there(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_response("describe_services", {"services": [service(status="DRAINING")]})

    found = ecs.find_service("demo", "web-dev")

    assert found is not None
    assert found.status == "DRAINING"


def test_find_service__no_such_cluster__none(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_client_error("describe_services", "ClusterNotFoundException", "Cluster not found.")

    assert ecs.find_service("demo", "web-dev") is None


def test_find_services__many__ten_a_call(ecs: ElasticContainerService, aws: Stubber) -> None:
    names = [f"web-{number}" for number in range(12)]
    for batch in (names[:10], names[10:]):
        aws.add_response(
            "describe_services",
            {"services": [service(serviceName=name) for name in batch]},
            {"cluster": "demo", "services": batch, "include": ["TAGS"]},
        )

    assert [found.name for found in ecs.find_services("demo", names)] == names


def test_service_names__two_pages__sorted(ecs: ElasticContainerService, aws: Stubber) -> None:
    arns = [f"{PREFIX}:service/demo/{name}" for name in ("zoo-dev", "basket-dev")]
    aws.add_response("list_services", {"serviceArns": arns[:1], "nextToken": "more"})
    aws.add_response("list_services", {"serviceArns": arns[1:]})

    assert ecs.service_names("demo") == ["basket-dev", "zoo-dev"]


def test_service_names__no_such_cluster__none(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_client_error("list_services", "ClusterNotFoundException", "Cluster not found.")

    assert ecs.service_names("demo") == ()


def test_find_service__throttled__throttled(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_client_error("describe_services", "ThrottlingException", "Rate exceeded")

    with pytest.raises(Throttled):
        ecs.find_service("demo", "web-dev")


def test_create_service__parameters_without_none(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_response(
        "create_service",
        {"service": service()},
        {"cluster": "demo", "serviceName": "web-dev", "clientToken": "t"},
    )

    created = ecs.create_service(
        {
            "cluster": "demo",
            "serviceName": "web-dev",
            "clientToken": "t",
            "healthCheckGracePeriodSeconds": None,
        }
    )

    assert created == to_service(service())


def test_update_service__not_active__says_where(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_client_error("update_service", "ServiceNotActiveException", "Service was not ACTIVE.")

    with pytest.raises(CallFailedError) as caught:
        ecs.update_service({"cluster": "demo", "service": "web-dev", "desiredCount": 0})

    assert (caught.value.code, caught.value.where) == (
        "service-not-active",
        "UpdateService demo/web-dev",
    )


FORCED: Json = {"cluster": "demo", "service": "web-dev", "forceNewDeployment": True}


@pytest.mark.parametrize("is_done", [True, False])
def test_update_service__forced_and_unanswered__one_deployment(
    ecs: ElasticContainerService, aws: Stubber, is_done: bool
) -> None:
    def described(id_: str) -> Json:
        primary: Json = {"id": id_, "status": "PRIMARY", "taskDefinition": td(1)}
        return {"services": [{**service(), "taskDefinition": td(1), "deployments": [primary]}]}

    aws.add_response("describe_services", described("ecs-svc/1"))
    aws.add_client_error("update_service", "ServerException", http_status_code=500)
    aws.add_response("describe_services", described("ecs-svc/2" if is_done else "ecs-svc/1"))
    if not is_done:
        answer = described("ecs-svc/2")["services"]
        assert isinstance(answer, list)
        aws.add_response("update_service", {"service": answer[0]})

    updated = ecs.update_service(FORCED)

    assert updated.primary is not None
    assert updated.primary.id == "ecs-svc/2"


def test_delete_service__there__waits_until_it_is_inactive(
    ecs: ElasticContainerService, aws: Stubber, clock: FakeClock
) -> None:
    aws.add_response("describe_services", {"services": [service()]})
    aws.add_response("delete_service", {}, {"cluster": "demo", "service": "web-dev", "force": True})
    aws.add_response("describe_services", {"services": [service(status="DRAINING")]})
    aws.add_response("describe_services", {"services": [service(status="INACTIVE")]})

    ecs.delete_service("demo", "web-dev")

    assert clock.waits == [timedelta(seconds=1)]


def test_delete_service__absent__one_read(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_response("describe_services", MISSING)

    ecs.delete_service("demo", "web-dev")


def test_delete_service__draining_already__only_waits(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_response("describe_services", {"services": [service(status="DRAINING")]})
    aws.add_response("describe_services", MISSING)

    ecs.delete_service("demo", "web-dev")


def test_delete_service__another_run_was_faster__fine(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_response("describe_services", {"services": [service()]})
    aws.add_client_error("delete_service", "ServiceNotFoundException", "Service not found.")
    aws.add_response("describe_services", MISSING)

    ecs.delete_service("demo", "web-dev")


def test_delete_service__never_drains__timed_out(
    clients: TestClients, clock: FakeClock, aws: Stubber
) -> None:
    ecs = ElasticContainerService(clients=clients, clock=clock, poll=timedelta(minutes=20))
    draining = {"services": [service(status="DRAINING")]}
    for _ in range(4):
        aws.add_response("describe_services", draining)

    with pytest.raises(TimedOutError):
        ecs.delete_service("demo", "web-dev")


def test_find_service__its_events__newest_first(ecs: ElasticContainerService, aws: Stubber) -> None:
    answer = service(
        events=[
            {"id": "a", "createdAt": T0, "message": "old"},
            {"id": "b", "createdAt": T0 + timedelta(seconds=1), "message": "new"},
        ]
    )
    aws.add_response("describe_services", {"services": [answer]})

    found = ecs.find_service("demo", "web-dev")

    assert found is not None
    assert [event.message for event in found.events] == ["new", "old"]


# --- service deployments -----------------------------------------------------------------------


def test_service_deployment_arns__pages_in_any_order__newest_first(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    expected = {"cluster": "demo", "service": "web-dev", "maxResults": 100}
    briefs = [
        {"serviceDeploymentArn": deployment_arn(n), "createdAt": T0 + timedelta(minutes=n)}
        for n in (1, 3, 2)
    ]
    aws.add_response(
        "list_service_deployments", {"serviceDeployments": briefs[:2], "nextToken": "n"}, expected
    )
    aws.add_response(
        "list_service_deployments",
        {"serviceDeployments": briefs[2:]},
        {**expected, "nextToken": "n"},
    )

    found = ecs.service_deployment_arns("demo", "web-dev")

    assert list(found) == [deployment_arn(n) for n in (3, 2, 1)]


@pytest.mark.parametrize("code", ["ServiceNotFoundException", "ClusterNotFoundException"])
def test_service_deployment_arns__no_service__empty(
    ecs: ElasticContainerService, aws: Stubber, code: str
) -> None:
    aws.add_client_error("list_service_deployments", code, "not found")

    assert list(ecs.service_deployment_arns("demo", "web-dev")) == []


def test_service_deployment_arns__denied__permission_denied(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_client_error("list_service_deployments", "AccessDeniedException", "not authorized")

    with pytest.raises(PermissionDenied):
        ecs.service_deployment_arns("demo", "web-dev")


def test_service_deployments__one__every_field(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_response(
        "describe_service_deployments",
        {
            "serviceDeployments": [
                deployment(
                    2,
                    "ROLLBACK_IN_PROGRESS",
                    startedAt=T0,
                    stoppedAt=T0 + timedelta(hours=1),
                    statusReason="circuit breaker",
                    targetServiceRevision={
                        "arn": revision_arn(2),
                        "requestedTaskCount": 2,
                        "runningTaskCount": 1,
                        "pendingTaskCount": 1,
                    },
                    sourceServiceRevisions=[
                        {"arn": revision_arn(1), "runningTaskCount": 2},
                        {"arn": revision_arn(0), "runningTaskCount": 1},
                    ],
                    deploymentCircuitBreaker={
                        "status": "TRIGGERED",
                        "failureCount": 3,
                        "threshold": 3,
                    },
                    alarms={"status": "TRIGGERED", "triggeredAlarmNames": ["p99"]},
                    rollback={"reason": "tasks failed", "serviceRevisionArn": revision_arn(1)},
                    lifecycleStage="SCALE_UP",
                )
            ]
        },
        {"serviceDeploymentArns": [deployment_arn(2)]},
    )
    aws.add_response(
        "describe_service_revisions",
        {"serviceRevisions": [revision(2)]},
        {"serviceRevisionArns": [revision_arn(2)]},
    )

    assert list(ecs.service_deployments([deployment_arn(2)])) == [
        ServiceDeployment(
            arn=deployment_arn(2),
            status=DeploymentStatus.ROLLBACK_IN_PROGRESS,
            task_definition_arn=td(2),
            created_at=T0 + timedelta(minutes=2),
            started_at=T0,
            finished_at=T0 + timedelta(hours=1),
            status_reason="circuit breaker",
            requested=2,
            running=1,
            pending=1,
            source_running=3,
            breaker_status="TRIGGERED",
            failure_count=3,
            failure_threshold=3,
            alarm_status="TRIGGERED",
            triggered_alarms=("p99",),
            rollback_reason="tasks failed",
            lifecycle_stage="SCALE_UP",
            revision_arn=revision_arn(2),
        )
    ]


def test_service_deployments__twice__its_revision_is_asked_for_once(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_response("describe_service_deployments", {"serviceDeployments": [deployment(2)]})
    aws.add_response("describe_service_revisions", {"serviceRevisions": [revision(2)]})
    aws.add_response("describe_service_deployments", {"serviceDeployments": [deployment(2)]})

    found = [ecs.service_deployments([deployment_arn(2)])[0] for _ in range(2)]

    assert [deployment.task_definition_arn for deployment in found] == [td(2), td(2)]


def test_service_deployments__many__batches_of_twenty_in_the_order_asked(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    numbers = list(range(25, 0, -1))
    arns = [deployment_arn(n) for n in numbers]
    for batch in (numbers[:20], numbers[20:]):
        aws.add_response(
            "describe_service_deployments",
            {"serviceDeployments": [deployment(n) for n in reversed(batch)]},
            {"serviceDeploymentArns": [deployment_arn(n) for n in batch]},
        )
    for batch in (numbers[:20], numbers[20:]):
        aws.add_response(
            "describe_service_revisions",
            {"serviceRevisions": [revision(n) for n in batch]},
            {"serviceRevisionArns": [revision_arn(n) for n in batch]},
        )

    found = ecs.service_deployments(arns)

    assert [(d.arn, d.task_definition_arn) for d in found] == [
        (deployment_arn(n), td(n)) for n in numbers
    ]


def test_service_deployments__missing__left_out(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_response("describe_service_deployments", MISSING)

    assert list(ecs.service_deployments([deployment_arn(1)])) == []


def test_service_deployments__revision_forgotten__no_task_definition(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_response("describe_service_deployments", {"serviceDeployments": [deployment(1)]})
    aws.add_response("describe_service_revisions", MISSING)

    [found] = ecs.service_deployments([deployment_arn(1)])

    assert found.task_definition_arn == ""


def test_service_deployments__none_asked__no_call(ecs: ElasticContainerService) -> None:
    assert list(ecs.service_deployments([])) == []


def test_stop_service_deployment__in_flight__rolls_back(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_response(
        "stop_service_deployment",
        {},
        {"serviceDeploymentArn": deployment_arn(1), "stopType": "ROLLBACK"},
    )

    assert ecs.stop_service_deployment(deployment_arn(1)) is True


def test_stop_service_deployment__conflict__false(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_client_error("stop_service_deployment", "ConflictException", "is over")

    assert ecs.stop_service_deployment(deployment_arn(1)) is False


def test_stop_service_deployment__refused_because_it_is_final__false(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_client_error("stop_service_deployment", "InvalidParameterException", "not in flight")
    aws.add_response(
        "describe_service_deployments", {"serviceDeployments": [deployment(1, "SUCCESSFUL")]}
    )
    aws.add_response("describe_service_revisions", {"serviceRevisions": [revision(1)]})

    assert ecs.stop_service_deployment(deployment_arn(1)) is False


def test_stop_service_deployment__gone__false(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_client_error("stop_service_deployment", "ServiceDeploymentNotFoundException", "gone")
    aws.add_response("describe_service_deployments", MISSING)

    assert ecs.stop_service_deployment(deployment_arn(1)) is False


def test_stop_service_deployment__refused_though_in_flight__raised(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_client_error("stop_service_deployment", "InvalidParameterException", "cannot")
    aws.add_response("describe_service_deployments", {"serviceDeployments": [deployment(1)]})
    aws.add_response("describe_service_revisions", {"serviceRevisions": [revision(1)]})

    with pytest.raises(CallFailedError, match="cannot"):
        ecs.stop_service_deployment(deployment_arn(1))


def test_stop_service_deployment__denied__permission_denied(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_client_error("stop_service_deployment", "AccessDeniedException", "no")

    with pytest.raises(PermissionDenied):
        ecs.stop_service_deployment(deployment_arn(1))


# --- tasks -------------------------------------------------------------------------------------


def task_arn(id_: str) -> str:
    return f"{PREFIX}:task/demo/{id_}"


def test_stopped_tasks__two__reason_and_exit_code(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_response(
        "list_tasks",
        {"taskArns": [task_arn("aa"), task_arn("bb")]},
        {"cluster": "demo", "serviceName": "web-dev", "desiredStatus": "STOPPED"},
    )
    stopped = {
        "taskDefinitionArn": td(2),
        "stopCode": "EssentialContainerExited",
        "stoppedReason": "Essential container in task exited",
        "startedBy": "ecs-svc/2",
        "startedAt": T0,
        "stoppedAt": T0 + timedelta(seconds=9),
        "containers": [{"name": "web", "exitCode": 0, "reason": "OutOfMemoryError"}],
    }
    aws.add_response(
        "describe_tasks",
        {"tasks": [{"taskArn": task_arn("aa"), **stopped}, {"taskArn": task_arn("bb")}]},
        {"cluster": "demo", "tasks": [task_arn("aa"), task_arn("bb")]},
    )

    assert list(ecs.stopped_tasks("demo", "web-dev")) == [
        StoppedTask(
            id="aa",
            task_definition_arn=td(2),
            stop_code="EssentialContainerExited",
            stopped_reason="Essential container in task exited",
            started_by="ecs-svc/2",
            started_at=T0,
            stopped_at=T0 + timedelta(seconds=9),
            containers=(StoppedContainer(name="web", exit_code=0, reason="OutOfMemoryError"),),
        ),
        StoppedTask(id="bb", task_definition_arn="", stop_code="", stopped_reason=""),
    ]


WEB_LOGS = (StreamPlace(group="/ecs/web-dev", prefix="web/web/"),)


def test_log_routes__of_a_revision__asked_once(ecs: ElasticContainerService, aws: Stubber) -> None:
    registered = {"taskDefinitionArn": td(2), "revision": 2, **_without_none(DEFINITION)}
    aws.add_response("describe_task_definition", {"taskDefinition": registered})

    assert ecs.log_routes(td(2)).places == WEB_LOGS
    assert ecs.log_routes(td(2)).places == WEB_LOGS  # without a call


def test_log_routes__revision_of_this_run__no_call(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_response("register_task_definition", definition_answer(2, TAGS))

    ecs.register(DEFINITION, tags=TAGS)

    assert ecs.log_routes(td(2)).places == WEB_LOGS


def test_stopped_tasks__forgotten_between_the_calls__left_out(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_response("list_tasks", {"taskArns": [task_arn("aa")]})
    aws.add_response("describe_tasks", MISSING)

    assert list(ecs.stopped_tasks("demo", "web-dev")) == []


def test_tasks__more_than_a_hundred__described_by_hundreds(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    arns = [task_arn(f"{n:032x}") for n in range(120)]
    expected = {"cluster": "demo", "serviceName": "web-dev", "desiredStatus": "RUNNING"}
    aws.add_response("list_tasks", {"taskArns": arns[:100], "nextToken": "n"}, expected)
    aws.add_response("list_tasks", {"taskArns": arns[100:]}, {**expected, "nextToken": "n"})
    for batch in (arns[:100], arns[100:]):
        aws.add_response(
            "describe_tasks",
            {"tasks": [{"taskArn": arn} for arn in batch]},
            {"cluster": "demo", "tasks": batch},
        )

    assert len(ecs.tasks("demo", "web-dev")) == 120


def test_tasks__one__address_of_its_network_interface(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_response("list_tasks", {"taskArns": [task_arn("aa")]})
    found = {
        "taskArn": task_arn("aa"),
        "taskDefinitionArn": td(2),
        "lastStatus": "RUNNING",
        "healthStatus": "HEALTHY",
        "startedAt": T0,
        "startedBy": "ecs-svc/2",
        "attachments": [
            {
                "type": "ElasticNetworkInterface",
                "details": [
                    {"name": "subnetId", "value": "s-1"},
                    {"name": "privateIPv4Address", "value": "10.0.0.7"},
                ],
            }
        ],
    }
    aws.add_response("describe_tasks", {"tasks": [found]})

    assert list(ecs.tasks("demo", "web-dev")) == [
        TaskState(
            id="aa",
            task_definition_arn=td(2),
            last_status="RUNNING",
            health="HEALTHY",
            address="10.0.0.7",
            started_at=T0,
            started_by="ecs-svc/2",
        )
    ]


def test_tasks__only_its_container_knows_the_address__taken_from_there(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    aws.add_response("list_tasks", {"taskArns": [task_arn("aa")]})
    found = {
        "taskArn": task_arn("aa"),
        "containers": [{"networkInterfaces": [{"privateIpv4Address": "10.0.0.8"}]}],
    }
    aws.add_response("describe_tasks", {"tasks": [found]})

    assert ecs.tasks("demo", "web-dev")[0].address == "10.0.0.8"


def test_tasks__none__empty(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_response("list_tasks", {"taskArns": []})

    assert list(ecs.tasks("demo", "web-dev")) == []


def test_tasks__no_such_service__empty(ecs: ElasticContainerService, aws: Stubber) -> None:
    aws.add_client_error("list_tasks", "ServiceNotFoundException", "Service not found.")

    assert list(ecs.tasks("demo", "web-dev")) == []


def _without_none(definition: Json) -> dict[str, Any]:
    result: dict[str, Any] = {k: v for k, v in definition.items() if v is not None}
    result["containerDefinitions"] = [
        {k: v for k, v in container.items() if v is not None}
        for container in result["containerDefinitions"]
    ]
    return result


def brief(number: int, status: str = "SUCCESSFUL") -> dict[str, Any]:
    return {
        "serviceDeploymentArn": deployment_arn(number),
        "targetServiceRevisionArn": revision_arn(number),
        "createdAt": T0 + timedelta(hours=number),
        "status": status,
    }


def test_newest_deployments__list_says_enough__none_is_described(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    listed = [brief(1), brief(3, "IN_PROGRESS"), brief(2)]
    aws.add_response("list_service_deployments", {"serviceDeployments": listed})
    aws.add_response(
        "describe_service_revisions",
        {"serviceRevisions": [revision(3), revision(2)]},
        {"serviceRevisionArns": [revision_arn(3), revision_arn(2)]},
    )

    arns, newest = ecs.newest_deployments("demo", "web-dev", limit=2)

    assert list(arns) == [deployment_arn(3), deployment_arn(2), deployment_arn(1)]
    assert [(d.arn, d.status, d.task_definition_arn) for d in newest] == [
        (deployment_arn(3), DeploymentStatus.IN_PROGRESS, td(3)),
        (deployment_arn(2), DeploymentStatus.SUCCESSFUL, td(2)),
    ]


@pytest.mark.parametrize("missing", ["status", "targetServiceRevisionArn"])
def test_newest_deployments__list_says_too_little__described(
    ecs: ElasticContainerService, aws: Stubber, missing: str
) -> None:
    listed = {key: value for key, value in brief(1).items() if key != missing}
    aws.add_response("list_service_deployments", {"serviceDeployments": [listed]})
    aws.add_response("describe_service_deployments", {"serviceDeployments": [deployment(1)]})
    aws.add_response("describe_service_revisions", {"serviceRevisions": [revision(1)]})

    _, [found] = ecs.newest_deployments("demo", "web-dev", limit=20)

    assert (found.arn, found.task_definition_arn) == (deployment_arn(1), td(1))


def test_all_tasks__running_and_stopped__described_in_one_call(
    ecs: ElasticContainerService, aws: Stubber
) -> None:
    """Also those that stop between two of the calls: `dd` is in both lists, `cc` in the first."""
    aws.add_response(
        "list_tasks", {"taskArns": [task_arn("bb"), task_arn("cc"), task_arn("dd")]}, ANY_RUNNING
    )
    aws.add_response("list_tasks", {"taskArns": [task_arn("aa"), task_arn("dd")]}, ANY_STOPPED)
    described = [
        {"taskArn": task_arn("aa"), "desiredStatus": "STOPPED", "lastStatus": "STOPPED"},
        {"taskArn": task_arn("dd"), "desiredStatus": "STOPPED", "lastStatus": "STOPPED"},
        {"taskArn": task_arn("bb"), "desiredStatus": "RUNNING", "lastStatus": "RUNNING"},
        {"taskArn": task_arn("cc"), "desiredStatus": "STOPPED", "lastStatus": "STOPPED"},
    ]
    aws.add_response(
        "describe_tasks",
        {"tasks": described},
        {"cluster": "demo", "tasks": [task_arn(one) for one in ("aa", "dd", "bb", "cc")]},
    )

    running, stopped = ecs.all_tasks("demo", "web-dev")

    assert [task.id for task in running] == ["bb"]
    assert [task.id for task in stopped] == ["aa", "dd", "cc"]


ANY_STOPPED = {"cluster": "demo", "serviceName": "web-dev", "desiredStatus": "STOPPED"}
ANY_RUNNING = {**ANY_STOPPED, "desiredStatus": "RUNNING"}
