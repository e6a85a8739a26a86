"""The API's contract. `Cloud.call` checks every answer and error here against botocore's model."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from fsd_local.ecs.handlers import OPERATIONS
from tests.local.ecs.cloud import BREAKER, DIGEST, NETWORK, ROLE, ApiFault, Cloud
from tests.local.ecs.fakes import ACCOUNT, REGION, TARGET_GROUP
from tests.waiting import eventually

Json = dict[str, Any]
OTHER_GROUP = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/other/1"
DEPLOYMENT = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service-deployment/dev/app/gone"
REVISION = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service-revision/dev/app/1"


def fault(cloud: Cloud, action: str, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ApiFault) as caught:
        cloud.call(action, **parameters)
    return caught.value.code, caught.value.message


def run_task(cloud: Cloud, **more: Any) -> Json:
    request = {
        "cluster": "dev",
        "taskDefinition": "app",
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
    }
    return cloud.call("RunTask", **{**request, **more})


def balancer(**changes: Any) -> list[Json]:
    return [
        {
            "targetGroupArn": TARGET_GROUP,
            "containerName": "app",
            "containerPort": 8000,
            **changes,
        }
    ]


def test_handle__every_operation__answers_in_botocores_shapes(cloud: Cloud) -> None:
    cloud.running_service(
        tags=[{"key": "a", "value": "b"}],
        propagateTags="SERVICE",
        task_role=ROLE,
        enableExecuteCommand=True,
    )
    service, task = cloud.service(), cloud.tasks()[0]
    deployment = cloud.deployment()
    calls: list[tuple[str, Json]] = [
        ("DescribeClusters", {"clusters": ["dev", "gone"], "include": ["TAGS", "SETTINGS"]}),
        ("ListClusters", {}),
        ("UpdateCluster", {"cluster": "dev", "settings": [{"name": "containerInsights"}]}),
        ("UpdateClusterSettings", {"cluster": "dev", "settings": []}),
        (
            "PutClusterCapacityProviders",
            {"cluster": "dev", "capacityProviders": [], "defaultCapacityProviderStrategy": []},
        ),
        ("DescribeTaskDefinition", {"taskDefinition": "app:1", "include": ["TAGS"]}),
        ("ListTaskDefinitions", {"familyPrefix": "app"}),
        ("ListTaskDefinitionFamilies", {}),
        ("ListServices", {"cluster": "dev"}),
        ("ListServiceDeployments", {"cluster": "dev", "service": "app"}),
        (
            "DescribeServiceDeployments",
            {"serviceDeploymentArns": [deployment["serviceDeploymentArn"], DEPLOYMENT]},
        ),
        (
            "DescribeServiceRevisions",
            {"serviceRevisionArns": [deployment["targetServiceRevision"]["arn"], REVISION]},
        ),
        ("DescribeTasks", {"cluster": "dev", "tasks": [task["taskArn"], "gone"]}),
        (
            "RunTask",
            {
                "cluster": "dev",
                "taskDefinition": "app",
                "launchType": "FARGATE",
                "networkConfiguration": NETWORK,
            },
        ),
        ("DescribeCapacityProviders", {"capacityProviders": ["FARGATE", "gone"]}),
        (
            "ExecuteCommand",
            {"cluster": "dev", "task": task["taskArn"], "command": "ls", "interactive": True},
        ),
        ("StopTask", {"cluster": "dev", "task": task["taskArn"]}),
        ("TagResource", {"resourceArn": service["serviceArn"], "tags": [{"key": "c"}]}),
        ("UntagResource", {"resourceArn": service["serviceArn"], "tagKeys": ["c"]}),
        ("ListTagsForResource", {"resourceArn": service["serviceArn"]}),
        ("PutAccountSetting", {"name": "containerInsights", "value": "enabled"}),
        ("PutAccountSettingDefault", {"name": "containerInsights", "value": "enhanced"}),
        ("ListAccountSettings", {"effectiveSettings": True}),
        ("DeleteAccountSetting", {"name": "containerInsights"}),
        ("ListContainerInstances", {"cluster": "dev"}),
        ("DescribeContainerInstances", {"cluster": "dev", "containerInstances": ["gone"]}),
        ("ListAttributes", {"cluster": "dev", "targetType": "container-instance"}),
        (
            "UpdateTaskProtection",
            {"cluster": "dev", "tasks": [task["taskArn"], "gone"], "protectionEnabled": True},
        ),
        ("GetTaskProtection", {"cluster": "dev"}),
        ("UpdateService", {"cluster": "dev", "service": "app", "forceNewDeployment": True}),
    ]
    for action, parameters in calls:
        cloud.call(action, **parameters)
    newest = cloud.service()["currentServiceDeployment"]
    cloud.call("StopServiceDeployment", serviceDeploymentArn=newest)
    cloud.call("DeleteService", cluster="dev", service="app", force=True)
    for stopped in cloud.tasks():
        cloud.call("StopTask", cluster="dev", task=stopped["taskArn"])
    eventually(lambda: cloud.service()["status"] == "INACTIVE")
    eventually(lambda: cloud.ecs.counts()["tasks"] == 0)
    cloud.call("DeregisterTaskDefinition", taskDefinition="app:1")
    cloud.call("DeleteTaskDefinitions", taskDefinitions=["app:1", "gone:1"])
    cloud.call("DeleteCluster", cluster="dev")

    # A pause that can be continued is in `test_hooks`.
    assert cloud.shapes.answered == set(OPERATIONS) - {"ContinueServiceDeployment"}


def test_handle__operation_that_is_missing_here__says_so(cloud: Cloud) -> None:
    assert fault(cloud, "CreateTaskSet", cluster="x")[0] == "UnsupportedFeatureException"


def test_handle__operation_that_ecs_does_not_have__unknown(cloud: Cloud) -> None:
    status, body = cloud.ecs.handle("Nonsense", {}, account=ACCOUNT, region=REGION)

    assert (status, body["__type"]) == (400, "UnknownOperationException")


def test_handle__unknown_parameters__are_ignored_as_aws_does(cloud: Cloud) -> None:
    assert cloud.call("ListClusters", somethingNew=1) == {"clusterArns": []}


@pytest.mark.parametrize(
    ("action", "parameters", "text"),
    [
        ("CreateService", {}, 'Missing required parameter in input: "serviceName"'),
        ("UpdateService", {"service": "app", "desiredCount": "2"}, "Invalid type"),
        ("DescribeServices", {"services": "app"}, "Invalid type"),
        ("ListTasks", {"desiredStatus": "DEAD"}, "must be one of PENDING, RUNNING, STOPPED"),
        ("ListTasks", {"cluster": "dev", "maxResults": 1000}, "maxResults must be between"),
        ("ListTasks", {"cluster": "dev", "nextToken": "?"}, "Invalid token"),
        ("CreateCluster", {"clusterName": "a b"}, "Invalid cluster name"),
        ("DescribeServices", {"cluster": "dev", "services": []}, "Services cannot be empty."),
        ("DescribeServices", {"cluster": "dev", "services": ["a"] * 11}, "more than 10"),
        ("DescribeTasks", {"cluster": "dev", "tasks": []}, "Tasks cannot be empty."),
        ("StopTask", {"cluster": "dev", "task": "gone"}, "The referenced task was not found."),
    ],
)
def test_handle__invalid_parameters__refused(
    cloud: Cloud, action: str, parameters: Json, text: str
) -> None:
    cloud.cluster()

    code, message = fault(cloud, action, **parameters)

    assert code == "InvalidParameterException"
    assert text in message


def test_handle__scopes__do_not_see_each_other(cloud: Cloud) -> None:
    cloud.cluster()

    assert cloud.call("ListClusters", account="111111111111")["clusterArns"] == []
    assert cloud.call("ListClusters", region="eu-west-1")["clusterArns"] == []


def test_handle__many_threads__register_each_a_revision_of_their_own(cloud: Cloud) -> None:
    arns: list[str] = []
    threads = [threading.Thread(target=lambda: arns.append(cloud.register())) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(int(arn.rsplit(":", 1)[1]) for arn in arns) == list(range(1, 9))


# Clusters.


def test_create_cluster__twice__is_the_same_cluster(cloud: Cloud) -> None:
    first = cloud.call("CreateCluster", clusterName="dev", tags=[{"key": "a", "value": "b"}])
    again = cloud.call("CreateCluster", clusterName="dev")

    assert again == first
    assert first["cluster"]["tags"] == [{"key": "a", "value": "b"}]


def test_describe_clusters__unknown__is_a_failure(cloud: Cloud) -> None:
    answer = cloud.call("DescribeClusters", clusters=["gone"])

    assert answer["clusters"] == []
    assert answer["failures"] == [
        {"arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/gone", "reason": "MISSING"}
    ]


def test_describe_clusters__deleted__is_inactive_until_it_is_made_again(cloud: Cloud) -> None:
    cloud.call("CreateCluster", clusterName="dev")
    cloud.call("DeleteCluster", cluster="dev")

    (found,) = cloud.call("DescribeClusters", clusters=["dev"])["clusters"]
    assert (found["status"], cloud.call("ListClusters")) == ("INACTIVE", {"clusterArns": []})
    assert fault(cloud, "ListTasks", cluster="dev")[0] == "ClusterNotFoundException"
    cloud.call("CreateCluster", clusterName="dev")
    assert cloud.call("DescribeClusters", clusters=["dev"])["clusters"][0]["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("name", "value"), [("containerInsights", "bogus"), ("fargateTaskRetirementWaitPeriod", "8")]
)
def test_put_account_setting__value_that_it_does_not_have__is_refused(
    cloud: Cloud, name: str, value: str
) -> None:
    assert fault(cloud, "PutAccountSetting", name=name, value=value)[0] == (
        "InvalidParameterException"
    )


def test_delete_account_setting__effective__is_the_default_again(cloud: Cloud) -> None:
    cloud.call("PutAccountSetting", name="containerInsights", value="enhanced")
    cloud.call("DeleteAccountSetting", name="containerInsights")

    asked: Json = {"name": "containerInsights", "effectiveSettings": True}
    (setting,) = cloud.call("ListAccountSettings", **asked)["settings"]
    assert setting["value"] == "disabled"


def test_update_task_protection__alone__is_not_a_service_s(cloud: Cloud) -> None:
    cloud.running_service()
    (task,) = run_task(cloud)["tasks"]

    asked: Json = {"cluster": "dev", "tasks": [task["taskArn"], "gone"], "protectionEnabled": True}
    answer = cloud.call("UpdateTaskProtection", **asked)

    assert [one["reason"] for one in answer["failures"]] == ["TASK_NOT_VALID", "MISSING"]
    assert fault(cloud, "UpdateTaskProtection", **asked, expiresInMinutes=2881)[0] == (
        "InvalidParameterException"
    )


def test_update_task_protection__smaller_count__another_task_goes(cloud: Cloud) -> None:
    cloud.running_service()
    first, second = (task["taskArn"] for task in cloud.tasks())
    asked: Json = {"cluster": "dev", "tasks": [second], "protectionEnabled": True}
    (protected,) = cloud.call("UpdateTaskProtection", **asked)["protectedTasks"]
    assert protected["protectionEnabled"]
    assert protected["expirationDate"] > 0

    cloud.call("UpdateService", cluster="dev", service="app", desiredCount=1)
    eventually(lambda: [task["taskArn"] for task in cloud.tasks()] == [second])
    cloud.call("UpdateService", cluster="dev", service="app", desiredCount=0)
    cloud.call("UpdateTaskProtection", **{**asked, "protectionEnabled": False})
    eventually(lambda: cloud.tasks() == [])

    assert first != second


def test_delete_cluster__with_a_service__refused(cloud: Cloud) -> None:
    cloud.running_service()

    assert fault(cloud, "DeleteCluster", cluster="dev")[0] == "ClusterContainsServicesException"


def test_delete_cluster__with_a_task__refused(cloud: Cloud) -> None:
    cloud.cluster().register()
    run_task(cloud)

    assert fault(cloud, "DeleteCluster", cluster="dev")[0] == "ClusterContainsTasksException"


@pytest.mark.parametrize(
    ("action", "parameters"),
    [
        ("DeleteCluster", {"cluster": "gone"}),
        ("DescribeServices", {"cluster": "gone", "services": ["app"]}),
        ("ListTasks", {"cluster": "gone"}),
        ("ListServices", {}),
    ],
)
def test_handle__unknown_cluster__not_found(cloud: Cloud, action: str, parameters: Json) -> None:
    assert fault(cloud, action, **parameters) == (
        "ClusterNotFoundException",
        "Cluster not found.",
    )


# Services.


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        ({"taskDefinition": "gone:7"}, "ClientException", "Unable to describe task definition."),
        ({"taskDefinition": "old:1"}, "ClientException", "TaskDefinition is inactive"),
        (
            {"loadBalancers": balancer(targetGroupArn=OTHER_GROUP + "x")},
            "InvalidParameterException",
            "does not exist",
        ),
        (
            {"loadBalancers": balancer(targetGroupArn=OTHER_GROUP)},
            "InvalidParameterException",
            "does not have an associated load balancer",
        ),
        (
            {"loadBalancers": balancer(containerName="web")},
            "InvalidParameterException",
            "The container web does not exist in the task definition.",
        ),
        (
            {"loadBalancers": balancer(containerPort=80)},
            "InvalidParameterException",
            "The container app did not have a container port 80 defined.",
        ),
        (
            {"networkConfiguration": {}},
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        ),
        (
            {"deploymentConfiguration": {"strategy": "BLUE_GREEN"}},
            "ClientException",
            "advancedConfiguration field is required for all loadBalancers",
        ),
        (
            {"deploymentConfiguration": {"minimumHealthyPercent": 150, "maximumPercent": 100}},
            "InvalidParameterException",
            "minimumHealthyPercent must be at most 100",
        ),
        (
            {"deploymentController": {"type": "CODE_DEPLOY"}},
            "UnsupportedFeatureException",
            "ECS deployment controller",
        ),
        ({"launchType": "EC2"}, "InvalidParameterException", "No Container Instances were found"),
        ({"schedulingStrategy": "DAEMON"}, "InvalidParameterException", "REPLICA"),
        ({"desiredCount": -1}, "InvalidParameterException", "less than 0"),
        ({"serviceName": "a b"}, "InvalidParameterException", "Invalid service name"),
    ],
)
def test_create_service__invalid__refused_and_nothing_is_made(
    cloud: Cloud, changes: Json, code: str, text: str
) -> None:
    cloud.cluster().load_balancers.detach(OTHER_GROUP)
    cloud.register(family="old")
    cloud.call("DeregisterTaskDefinition", taskDefinition="old:1")
    task_definition = changes.pop("taskDefinition", "") or cloud.register()

    with pytest.raises(ApiFault) as caught:
        cloud.create(task_definition, **changes)

    assert caught.value.code == code
    assert text in caught.value.message
    assert cloud.ecs.services() == []


def test_create_service__same_token_and_input__is_the_same_service(cloud: Cloud) -> None:
    cloud.cluster()
    task_definition = cloud.register()

    first = cloud.create(task_definition, clientToken="t-1")
    again = cloud.create(task_definition, clientToken="t-1")

    assert again["serviceArn"] == first["serviceArn"]
    assert len(cloud.service()["deployments"]) == 1


def test_create_service__same_name_again__not_idempotent(cloud: Cloud) -> None:
    cloud.running_service()

    with pytest.raises(ApiFault, match="Creation of service was not idempotent"):
        cloud.create("app:1")


def test_create_service__defaults__are_those_of_the_api(cloud: Cloud) -> None:
    cloud.cluster()
    service = cloud.create(cloud.register(), deploymentConfiguration={})

    assert service["deploymentConfiguration"] == {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    assert service["networkConfiguration"]["awsvpcConfiguration"]["assignPublicIp"] == "DISABLED"
    assert (service["status"], service["launchType"]) == ("ACTIVE", "FARGATE")
    assert service["propagateTags"] == "NONE"
    assert service["availabilityZoneRebalancing"] == "ENABLED"
    assert service["deployments"][0]["status"] == "PRIMARY"
    assert service["deployments"][0]["id"].startswith("ecs-svc/")


@pytest.mark.parametrize(
    "changes",
    [
        {"desiredCount": 3},
        {"healthCheckGracePeriodSeconds": 30},
        {"deploymentConfiguration": {"maximumPercent": 150}},
        {"taskDefinition": "app:1"},
        {"enableExecuteCommand": True},
        {"propagateTags": "SERVICE"},
        {"networkConfiguration": NETWORK},
        {"loadBalancers": balancer()},
    ],
)
def test_update_service__what_needs_none__starts_no_deployment(cloud: Cloud, changes: Json) -> None:
    before = cloud.running_service(task_role=ROLE)

    assert cloud.update(**changes) == before["currentServiceDeployment"]


@pytest.mark.parametrize(
    "changes",
    [
        {"forceNewDeployment": True},
        {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-2"]}}},
        {"platformVersion": "1.4.0"},
        {"loadBalancers": []},
    ],
)
def test_update_service__what_needs_one__starts_a_deployment(cloud: Cloud, changes: Json) -> None:
    before = cloud.running_service()

    arn = cloud.update(**changes)

    assert arn != before["currentServiceDeployment"]
    cloud.wait_for("SUCCESSFUL", arn)


def test_update_service__new_task_definition__old_is_active_until_it_is_drained(
    cloud: Cloud,
) -> None:
    cloud.running_service()
    cloud.load_balancers.hold_drain()
    task_definition = cloud.register()

    arn = cloud.update(task_definition)
    eventually(lambda: cloud.deployment(arn)["targetServiceRevision"]["runningTaskCount"] == 2)

    primary, active = cloud.service()["deployments"]
    assert (primary["status"], primary["rolloutState"]) == ("PRIMARY", "IN_PROGRESS")
    assert primary["taskDefinition"] == task_definition
    assert (active["status"], active["rolloutState"]) == ("ACTIVE", "COMPLETED")
    assert len(cloud.deployment(arn)["sourceServiceRevisions"]) == 1


def test_update_service__settings_only__keep_what_is_not_given(cloud: Cloud) -> None:
    cloud.running_service(healthCheckGracePeriodSeconds=60)

    cloud.update(deploymentConfiguration={"maximumPercent": 150})

    service = cloud.service()
    assert service["deploymentConfiguration"]["deploymentCircuitBreaker"] == {
        "enable": True,
        "rollback": True,
    }
    assert service["deploymentConfiguration"]["maximumPercent"] == 150
    assert service["healthCheckGracePeriodSeconds"] == 60


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"taskDefinition": "gone:1"}, "Unable to describe task definition."),
        ({"taskDefinition": "other:1"}, "The container app does not exist"),
        ({"desiredCount": -1}, "less than 0"),
        ({"deploymentConfiguration": {"strategy": "CANARY"}}, "ROLLING"),
    ],
)
def test_update_service__invalid__changes_nothing(cloud: Cloud, changes: Json, text: str) -> None:
    before = cloud.running_service()
    cloud.call(
        "RegisterTaskDefinition",
        family="other",
        networkMode="awsvpc",
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "web", "image": "web"}],
    )

    with pytest.raises(ApiFault, match=text):
        cloud.update(**changes)

    after = cloud.service()
    assert {**after, "events": []} == {**before, "events": []}


def test_update_service__unknown__not_found(cloud: Cloud) -> None:
    cloud.cluster()

    code, _ = fault(cloud, "UpdateService", cluster="dev", service="gone", desiredCount=1)

    assert code == "ServiceNotFoundException"


def test_update_service__deleted__not_active(cloud: Cloud) -> None:
    cloud.running_service()
    cloud.call("DeleteService", cluster="dev", service="app", force=True)

    code, message = fault(cloud, "UpdateService", cluster="dev", service="app", desiredCount=1)

    assert (code, message) == ("ServiceNotActiveException", "Service was not ACTIVE.")


def test_update_service__inactive_definition_that_runs__may_stay(cloud: Cloud) -> None:
    before = cloud.running_service()
    cloud.call("DeregisterTaskDefinition", taskDefinition="app:1")

    arn = cloud.update("app:1", desiredCount=1)

    assert arn == before["currentServiceDeployment"]


def test_delete_service__scaled_above_zero__needs_force(cloud: Cloud) -> None:
    cloud.running_service()

    code, message = fault(cloud, "DeleteService", cluster="dev", service="app")

    assert code == "InvalidParameterException"
    assert message == "The service cannot be stopped while it is scaled above 0."


def test_delete_service__then_create_again__draining_first_then_new(cloud: Cloud) -> None:
    cloud.running_service()
    cloud.load_balancers.hold_drain()
    cloud.call("DeleteService", cluster="dev", service="app", force=True)

    with pytest.raises(ApiFault, match="still Draining"):
        cloud.create("app:1")
    assert cloud.call("ListServices", cluster="dev")["serviceArns"] == []

    cloud.load_balancers.finish_drain()
    eventually(lambda: cloud.service()["status"] == "INACTIVE")
    cloud.create("app:1")
    cloud.wait_for("SUCCESSFUL")
    assert cloud.service()["status"] == "ACTIVE"


def test_describe_services__by_arn_and_unknown__with_tags_only_on_request(cloud: Cloud) -> None:
    service = cloud.running_service(tags=[{"key": "fsd:env", "value": "dev"}])

    answer = cloud.call(
        "DescribeServices", cluster=service["clusterArn"], services=[service["serviceArn"], "gone"]
    )

    assert service["tags"] == [{"key": "fsd:env", "value": "dev"}]
    (plain,) = answer["services"]
    assert "tags" not in plain
    assert answer["failures"] == [
        {"arn": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/dev/gone", "reason": "MISSING"}
    ]


def test_describe_services__many_events__keeps_the_newest_hundred(cloud: Cloud) -> None:
    cloud.running_service(desired=0)
    for count in range(1, 61):
        cloud.update(desiredCount=count % 2)
        eventually(lambda wanted=count % 2: cloud.service()["runningCount"] == wanted)  # type: ignore[misc]  # a default

    events = cloud.service()["events"]

    assert len(events) == 100
    assert events == sorted(events, key=lambda event: -event["createdAt"])


def test_list_services__more_than_a_page__pages_through_all(cloud: Cloud) -> None:
    cloud.cluster()
    task_definition = cloud.register()
    for number in range(12):
        cloud.create(task_definition, serviceName=f"app-{number:02}", desired=0)

    first = cloud.call("ListServices", cluster="dev")
    rest = cloud.call("ListServices", cluster="dev", nextToken=first["nextToken"])

    assert (len(first["serviceArns"]), len(rest["serviceArns"])) == (10, 2)
    assert "nextToken" not in rest


# Service deployments.


def test_list_service_deployments__by_status_and_time__newest_first(cloud: Cloud) -> None:
    first = cloud.running_service()["currentServiceDeployment"]
    second = cloud.update(forceNewDeployment=True)
    created = cloud.wait_for("SUCCESSFUL", second)["createdAt"]

    def listed(**filters: Any) -> list[str]:
        answer = cloud.call("ListServiceDeployments", cluster="dev", service="app", **filters)
        return [found["serviceDeploymentArn"] for found in answer["serviceDeployments"]]

    assert listed() == [second, first]
    assert listed(createdAt={"after": created}) == [second]
    assert listed(createdAt={"before": created - 0.000001}) == [first]
    assert listed(status=["STOPPED"]) == []
    assert listed(maxResults=1) == [second]


def test_describe_service_revisions__target__has_digest_and_target_group(cloud: Cloud) -> None:
    cloud.running_service("app:v1")
    revision = cloud.deployment()["targetServiceRevision"]["arn"]

    answer = cloud.call("DescribeServiceRevisions", serviceRevisionArns=[revision])

    (found,) = answer["serviceRevisions"]
    assert found["containerImages"] == [
        {"containerName": "app", "image": "app:v1", "imageDigest": "sha256:" + "a" * 64}
    ]
    assert found["resolvedConfiguration"] == {"loadBalancers": [{"targetGroupArn": TARGET_GROUP}]}


def test_stop_service_deployment__in_progress__rolls_back(cloud: Cloud) -> None:
    before = cloud.running_service()
    cloud.load_balancers.hold_drain()
    arn = cloud.update(cloud.register())
    eventually(lambda: cloud.deployment(arn)["targetServiceRevision"]["runningTaskCount"] == 2)

    cloud.call("StopServiceDeployment", serviceDeploymentArn=arn, stopType="ROLLBACK")
    cloud.load_balancers.finish_drain()
    deployment = cloud.wait_for("ROLLBACK_SUCCESSFUL", arn)

    assert deployment["rollback"]["reason"] == (
        "Service deployment rolled back because a rollback was requested."
    )
    assert deployment["deploymentCircuitBreaker"]["status"] == "MONITORING_COMPLETE"
    after = cloud.service()
    assert after["taskDefinition"] == before["taskDefinition"]
    assert after["deployments"][0]["id"] != before["deployments"][0]["id"]


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"serviceDeploymentArn": DEPLOYMENT}, "ServiceDeploymentNotFoundException"),
        ({"serviceDeploymentArn": "nonsense"}, "InvalidParameterException"),
        (
            {"serviceDeploymentArn": DEPLOYMENT, "stopType": "ABORT"},
            "InvalidParameterException",
        ),
    ],
)
def test_stop_service_deployment__not_possible__refused(
    cloud: Cloud, parameters: Json, code: str
) -> None:
    assert fault(cloud, "StopServiceDeployment", **parameters)[0] == code


def test_stop_service_deployment__final__conflict(cloud: Cloud) -> None:
    arn = cloud.running_service()["currentServiceDeployment"]

    code, message = fault(cloud, "StopServiceDeployment", serviceDeploymentArn=arn)

    assert code == "ConflictException"
    assert "SUCCESSFUL" in message


def test_describe_service_deployments__service_deleted__history_is_gone(cloud: Cloud) -> None:
    arn = cloud.running_service()["currentServiceDeployment"]
    cloud.call("DeleteService", cluster="dev", service="app", force=True)
    eventually(lambda: cloud.service()["status"] == "INACTIVE")

    answer = cloud.call("DescribeServiceDeployments", serviceDeploymentArns=[arn])

    assert answer == {"serviceDeployments": [], "failures": [{"arn": arn, "reason": "MISSING"}]}


# Tasks.


def test_describe_tasks__running__has_address_digest_times_and_starter(cloud: Cloud) -> None:
    service = cloud.running_service(desired=1)

    (task,) = cloud.tasks()

    assert task["startedBy"] == service["deployments"][0]["id"]
    assert task["group"] == "service:app"
    assert task["connectivity"] == "CONNECTED"
    assert task["createdAt"] <= task["pullStartedAt"] <= task["startedAt"]
    (container,) = task["containers"]
    assert container["imageDigest"] == DIGEST
    assert container["networkInterfaces"][0]["privateIpv4Address"] == "127.77.0.1"
    details = {d["name"]: d["value"] for d in task["attachments"][0]["details"]}
    assert details["privateIPv4Address"] == "127.77.0.1"
    assert details["subnetId"] == "subnet-1"


@pytest.mark.parametrize(
    ("propagate", "tags"),
    [
        ("SERVICE", [{"key": "of", "value": "service"}]),
        ("TASK_DEFINITION", [{"key": "of", "value": "definition"}]),
        ("NONE", []),
    ],
)
def test_describe_tasks__propagated_tags__come_from_their_source(
    cloud: Cloud, propagate: str, tags: list[Json]
) -> None:
    cloud.cluster()
    arn = cloud.register()
    cloud.call("TagResource", resourceArn=arn, tags=[{"key": "of", "value": "definition"}])
    cloud.create(arn, desired=1, propagateTags=propagate, tags=[{"key": "of", "value": "service"}])
    cloud.wait_for("SUCCESSFUL")

    assert cloud.tasks()[0]["tags"] == tags


def test_list_tasks__filters__find_their_tasks(cloud: Cloud) -> None:
    service = cloud.running_service(desired=1)
    starter = service["deployments"][0]["id"]

    def count(**filters: Any) -> int:
        return len(cloud.call("ListTasks", cluster="dev", **filters)["taskArns"])

    assert count(serviceName="app") == count(family="app") == count(startedBy=starter) == 1
    assert count(serviceName=service["serviceArn"]) == 1
    assert count(family="ap") == count(startedBy="x") == count(desiredStatus="STOPPED") == 0


def test_list_tasks__started_by_with_another_filter__refused(cloud: Cloud) -> None:
    cloud.cluster()

    code, message = fault(cloud, "ListTasks", cluster="dev", startedBy="x", family="app")

    assert (code, message) == ("InvalidParameterException", "startedBy must be the only filter.")


def test_run_task__one_off__runs_with_its_overrides_and_ends(cloud: Cloud) -> None:
    cloud.cluster().register("job:v1")
    cloud.runtime.crash_at_start("job", exit_code=42)
    override = {"name": "app", "command": ["migrate"], "environment": [{"name": "A", "value": "1"}]}

    (started,) = run_task(
        cloud,
        overrides={"containerOverrides": [override]},
        startedBy="me",
    )["tasks"]
    eventually(lambda: [t["lastStatus"] for t in cloud.tasks("STOPPED")] == ["STOPPED"])

    (task,) = cloud.tasks("STOPPED")
    assert (started["lastStatus"], task["startedBy"]) == ("PROVISIONING", "me")
    assert (task["stopCode"], task["containers"][0]["exitCode"]) == (
        "EssentialContainerExited",
        42,
    )
    (spec,) = cloud.runtime.launched
    assert spec.containers[0].command == ("migrate",)
    assert spec.containers[0].environment["A"] == "1"


def test_run_task__same_token__is_the_same_task(cloud: Cloud) -> None:
    cloud.cluster().register()
    request: Json = {
        "cluster": "dev",
        "taskDefinition": "app",
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        "clientToken": "t",
    }

    first = cloud.call("RunTask", **request)
    again = cloud.call("RunTask", **request)

    assert again["tasks"][0]["taskArn"] == first["tasks"][0]["taskArn"]
    assert fault(cloud, "RunTask", **request, count=2)[0] == "ConflictException"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"taskDefinition": "gone"}, "ClientException"),
        ({"networkConfiguration": {}}, "InvalidParameterException"),
        ({"count": 11}, "InvalidParameterException"),
        (
            {"overrides": {"containerOverrides": [{"name": "web"}]}},
            "InvalidParameterException",
        ),
    ],
)
def test_run_task__invalid__refused(cloud: Cloud, changes: Json, code: str) -> None:
    cloud.cluster().register()
    request: Json = {
        "cluster": "dev",
        "taskDefinition": "app",
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
    }

    assert fault(cloud, "RunTask", **{**request, **changes})[0] == code


# Tags and settings.


def test_tag_resource__each_kind__is_listed_and_removed(cloud: Cloud) -> None:
    service = cloud.running_service(desired=1)
    arns = [
        service["serviceArn"],
        service["clusterArn"],
        service["taskDefinition"],
        cloud.tasks()[0]["taskArn"],
    ]
    for arn in arns:
        cloud.call("TagResource", resourceArn=arn, tags=[{"key": "a", "value": "1"}])
        listed = cloud.call("ListTagsForResource", resourceArn=arn)
        cloud.call("UntagResource", resourceArn=arn, tagKeys=["a"])

        assert {"key": "a", "value": "1"} in listed["tags"]
        assert cloud.call("ListTagsForResource", resourceArn=arn)["tags"] == []


def test_tag_resource__unknown__not_found(cloud: Cloud) -> None:
    arn = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/dev/gone"

    code, _ = fault(cloud, "TagResource", resourceArn=arn, tags=[{"key": "a", "value": "1"}])

    assert code == "ResourceNotFoundException"


@pytest.mark.parametrize(
    "tags",
    [
        [{"key": f"k{n}", "value": ""} for n in range(51)],
        [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}],
        [{"key": "aws:x", "value": "1"}],
        [{"key": "k" * 129, "value": "1"}],
    ],
)
def test_create_cluster__bad_tags__refused(cloud: Cloud, tags: list[Json]) -> None:
    code, _ = fault(cloud, "CreateCluster", clusterName="dev", tags=tags)

    assert code == "InvalidParameterException"


def test_list_account_settings__put_and_effective__both_are_seen(cloud: Cloud) -> None:
    cloud.call("PutAccountSetting", name="containerInsights", value="enabled")

    own = cloud.call("ListAccountSettings")["settings"]
    effective = cloud.call("ListAccountSettings", effectiveSettings=True)["settings"]

    assert [(s["name"], s["value"]) for s in own] == [("containerInsights", "enabled")]
    assert ("serviceLongArnFormat", "enabled") in [(s["name"], s["value"]) for s in effective]


def test_breaker__configuration__comes_back_as_it_was_sent(cloud: Cloud) -> None:
    cloud.cluster()
    service = cloud.create(cloud.register(), deploymentConfiguration=BREAKER)

    assert (
        service["deploymentConfiguration"]["deploymentCircuitBreaker"]
        == BREAKER["deploymentCircuitBreaker"]
    )
