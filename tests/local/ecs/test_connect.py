"""Service Connect and capacity providers on the control plane."""

from __future__ import annotations

from typing import Any

import pytest

from tests.local.ecs.cloud import ApiFault, Cloud
from tests.waiting import eventually

ALONE: dict[str, Any] = {"loadBalancers": []}
SPOT: dict[str, Any] = {"launchType": None, "loadBalancers": []}
PORTS = [{"containerPort": 80, "name": "connect"}]


def offering(name: str) -> dict[str, Any]:
    alias = {"port": 80, "dnsName": name}
    service = {"portName": "connect", "discoveryName": name, "clientAliases": [alias]}
    return {"enabled": True, "services": [service]}


def cluster(cloud: Cloud, **settings: Any) -> None:
    cloud.call("CreateCluster", clusterName="dev", **settings)


def test_names__tasks_of_a_service__lead_there_and_to_nobody_without(cloud: Cloud) -> None:
    cluster(cloud, serviceConnectDefaults={"namespace": "dev"})
    (found,) = cloud.call("DescribeClusters", clusters=["dev"])["clusters"]
    namespace = found["serviceConnectDefaults"]["namespace"]
    assert namespace.startswith("arn:aws:servicediscovery:")

    cloud.create(
        cloud.register(portMappings=PORTS),
        desired=2,
        serviceConnectConfiguration=offering("offers"),
        **ALONE,
    )
    cloud.wait_for("SUCCESSFUL")

    addresses = tuple(sorted(cloud.runtime.addresses.values()))
    eventually(lambda: cloud.runtime.names == {namespace: {"offers": addresses}})
    cloud.call("UpdateService", cluster="dev", service="app", desiredCount=0)
    eventually(lambda: cloud.runtime.names == {namespace: {"offers": ()}})


def test_names__task__knows_those_that_were_there_when_it_started(cloud: Cloud) -> None:
    cluster(cloud, serviceConnectDefaults={"namespace": "dev"})
    other, offers = cloud.register(), cloud.register(family="offers", portMappings=PORTS)
    wanted: list[tuple[str, str, Any]] = [
        ("early", other, {"enabled": True}),
        ("offers", offers, offering("offers")),
        ("late", other, {"enabled": True}),
        ("outside", other, None),
    ]
    for count, (name, definition, connect) in enumerate(wanted, 1):
        cloud.create(
            definition, desired=1, serviceName=name, serviceConnectConfiguration=connect, **ALONE
        )
        eventually(lambda wanted=count: len(cloud.runtime.launched) == wanted)  # type: ignore[misc] # a default

    names = {
        arn.split("/")[-1]: name
        for name, _, _ in wanted
        for arn in cloud.call("ListTasks", cluster="dev", serviceName=name)["taskArns"]
    }
    known = {names[spec.id]: spec.known_names for spec in cloud.runtime.launched}
    assert known == {"early": (), "offers": ("offers",), "late": ("offers",), "outside": ()}


@pytest.mark.parametrize(
    ("namespace", "ports", "code"),
    [
        (False, PORTS, "InvalidParameterException"),
        (True, [{"containerPort": 80}], "InvalidParameterException"),
    ],
)
def test_create__service_connect_without_what_it_needs__refused(
    cloud: Cloud, namespace: bool, ports: Any, code: str
) -> None:
    cluster(cloud, **({"serviceConnectDefaults": {"namespace": "x"}} if namespace else {}))

    with pytest.raises(ApiFault) as raised:
        cloud.create(
            cloud.register(portMappings=ports),
            serviceConnectConfiguration=offering("offers"),
            **ALONE,
        )

    assert raised.value.code == code


STRATEGY = [
    {"capacityProvider": "FARGATE", "base": 1, "weight": 1},
    {"capacityProvider": "FARGATE_SPOT", "weight": 4},
]


def test_capacity__base_and_weights__as_many_tasks_of_each(cloud: Cloud) -> None:
    cluster(cloud, capacityProviders=["FARGATE", "FARGATE_SPOT"])
    cloud.create(cloud.register(), desired=6, **SPOT, capacityProviderStrategy=STRATEGY)
    cloud.wait_for("SUCCESSFUL")

    providers = sorted(task["capacityProviderName"] for task in cloud.tasks())
    assert providers == ["FARGATE"] * 2 + ["FARGATE_SPOT"] * 4


def test_interrupt_spot__spot_task__stops_in_aws_words_and_is_replaced(cloud: Cloud) -> None:
    cluster(cloud, capacityProviders=["FARGATE", "FARGATE_SPOT"])
    cloud.create(cloud.register(), desired=2, **SPOT, capacityProviderStrategy=STRATEGY)
    cloud.wait_for("SUCCESSFUL")
    ids = {task["capacityProviderName"]: task["taskArn"].split("/")[-1] for task in cloud.tasks()}

    assert not cloud.ecs.interrupt_spot(ids["FARGATE"])
    assert cloud.ecs.interrupt_spot(ids["FARGATE_SPOT"])

    eventually(lambda: bool(cloud.tasks("STOPPED")))
    (gone,) = cloud.tasks("STOPPED")
    assert gone["stopCode"] == "SpotInterruption"
    assert gone["stoppedReason"] == "Your Spot Task was interrupted."
    eventually(lambda: len([t for t in cloud.tasks() if t["lastStatus"] == "RUNNING"]) == 2)


def test_create__provider_that_the_cluster_lacks__refused(cloud: Cloud) -> None:
    cluster(cloud)

    with pytest.raises(ApiFault, match="not associated with the cluster"):
        cloud.create(cloud.register(), **SPOT, capacityProviderStrategy=STRATEGY)


def test_update__another_strategy__only_with_a_new_deployment(cloud: Cloud) -> None:
    cluster(cloud, capacityProviders=["FARGATE", "FARGATE_SPOT"])
    cloud.create(cloud.register(), desired=1, **ALONE)
    change: dict[str, Any] = {"cluster": "dev", "service": "app"}
    change["capacityProviderStrategy"] = STRATEGY[1:]

    with pytest.raises(ApiFault, match="force a new deployment"):
        cloud.call("UpdateService", **change)
    cloud.call("UpdateService", **change, forceNewDeployment=True)

    eventually(lambda: [t.get("capacityProviderName") for t in cloud.tasks()] == ["FARGATE_SPOT"])
