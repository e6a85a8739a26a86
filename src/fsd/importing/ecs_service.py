"""A service of ECS, as somebody wrote it or as AWS describes it, → what a Service YAML says of it.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
"""

from __future__ import annotations

from fsd.importing.reader import Reader, without_empty
from fsd.importing.values import Value, listed, mapping, number, text_of

_ANSWERS = frozenset(
    {"serviceArn", "clusterArn", "status", "runningCount", "pendingCount", "events"}
    | {"deployments", "createdAt", "createdBy", "taskSets", "roleArn", "platformFamily"}
    | {"serviceName", "cluster", "taskDefinition", "clientToken", "enableECSManagedTags"}
    | {"propagateTags", "platformVersion", "currentServiceDeployment", "currentServiceRevisions"}
    | {"resourceManagementType", "tags"}
)


def unwrap_service(value: dict[str, Value]) -> dict[str, Value]:
    """Of `describe-services`' answer, or of a file with the key `service`."""
    services = listed(value.get("services"))
    if services and isinstance(services[0], dict):
        return services[0]
    inner = value.get("service")
    return inner if isinstance(inner, dict) else value


def is_service(value: Value) -> bool:
    found = unwrap_service(mapping(value))
    known = {"desiredCount", "networkConfiguration", "loadBalancers", "deploymentConfiguration"}
    return len(known & found.keys()) > 0 and "containerDefinitions" not in found


def read_service(reader: Reader) -> dict[str, Value]:
    found: dict[str, Value] = {
        "resources": {"desiredCount": reader.number("desiredCount"), "spot": _spot(reader)},
        "exec": reader.take("enableExecuteCommand") or None,
        "deployment": _deployment(reader),
        "networking": {
            **_network(reader),
            "connect": _connect(reader),
            "loadBalancer": _load_balancer(reader),
        },
        "healthCheck": _grace(reader),
    }
    if reader.text("launchType") not in ("FARGATE", ""):
        reader.lose("launchType", "FSD runs on Fargate")
    if reader.text("schedulingStrategy") not in ("REPLICA", ""):
        reader.lose("schedulingStrategy", "FSD runs a number of tasks, not one an instance")
    controller = reader.inside("deploymentController")
    if controller.text("type") not in ("ECS", ""):
        controller.lose("type", "FSD's deployments are ECS's own")
    if reader.text("availabilityZoneRebalancing") == "DISABLED":
        reader.lose("availabilityZoneRebalancing", "FSD leaves it on")
    reader.lose("serviceRegistries", "Cloud Map: FSD's services find each other by Service Connect")
    reader.ignore(*_ANSWERS)
    reader.finish()
    return without_empty(found)


def _spot(reader: Reader) -> Value:
    """FARGATE's base and the share of FARGATE_SPOT."""
    weights: dict[str, int] = {}
    base = 0
    for provider in reader.readers("capacityProviderStrategy"):
        name = provider.text("capacityProvider")
        weights[name] = provider.number("weight") or 0
        if name == "FARGATE":
            base = provider.number("base") or 0
        if name not in ("FARGATE", "FARGATE_SPOT"):
            provider.taken.clear()
            provider.lose("capacityProvider", "FSD runs on Fargate")
        provider.ignore("weight", "base", "capacityProvider")
        provider.finish()
    if not weights.get("FARGATE_SPOT"):
        return None
    percent = round(100 * weights["FARGATE_SPOT"] / sum(weights.values()))
    return True if not base and percent == 100 else {"base": base, "percent": percent}


def _deployment(reader: Reader) -> dict[str, Value]:
    config = reader.inside("deploymentConfiguration")
    breaker = config.inside("deploymentCircuitBreaker")
    if breaker.values and breaker.values.get("enable") is False:
        breaker.lose("enable", "FSD's circuit breaker is always on")
    breaker.ignore("enable", "rollback")
    threshold = breaker.inside("thresholdConfiguration")
    if threshold.text("type") not in ("COUNT", ""):
        threshold.lose("type", "FSD's threshold is a number of failed tasks")
        threshold.ignore("value")
    failed = threshold.number("value") if threshold.text("type") == "COUNT" else None
    threshold.finish()
    breaker.finish()
    alarms = config.inside("alarms")
    names = listed(alarms.take("alarmNames")) if alarms.values.get("enable") is not False else []
    alarms.ignore("enable", "rollback")
    alarms.finish()
    strategy = config.text("strategy")
    found: dict[str, Value] = {
        "minimumHealthyPercent": config.number("minimumHealthyPercent"),
        "maximumPercent": config.number("maximumPercent"),
        "circuitBreaker": {"threshold": failed},
        "earlySuccess": _early_success(config),
        "alarms": names,
        "bakeTime": config.number("bakeTimeInMinutes") or None,
        "strategy": {"BLUE_GREEN": "blueGreen", "CANARY": "canary", "LINEAR": "linear"}.get(
            strategy
        ),
    }
    config.finish()
    return found


def _early_success(config: Reader) -> dict[str, Value]:
    early = config.inside("earlySuccessCriteria")
    is_on = early.take("enable") is True
    percent, cleanup = early.number("healthyPercent"), early.text("sourceServiceRevisionCleanup")
    early.finish()
    return {"healthyPercent": percent, "cleanup": cleanup.lower() or None} if is_on else {}


def _network(reader: Reader) -> dict[str, Value]:
    network = reader.inside("networkConfiguration")
    vpc = network.inside("awsvpcConfiguration")
    groups, subnets = listed(vpc.take("securityGroups")), listed(vpc.take("subnets"))
    public = vpc.text("assignPublicIp") == "ENABLED"
    vpc.finish()
    network.finish()
    return {"vpc": False if public else None, "securityGroups": groups, "subnets": subnets}


def _connect(reader: Reader) -> Value:
    connect = reader.inside("serviceConnectConfiguration")
    if connect.take("enabled") is not True:
        connect.ignore(*connect.values)
        return None
    connect.ignore("namespace")  # the environment's
    found: dict[str, Value] = {}
    for index, service in enumerate(connect.readers("services")):
        aliases = listed(service.take("clientAliases"))
        first = mapping(aliases[0]) if aliases else {}
        if index:
            service.taken.clear()
            service.lose("portName", "a service has one name in Service Connect")
            service.ignore(*service.values)
        else:
            found = {
                "name": text_of(first.get("dnsName")) or service.text("discoveryName"),
                "port": number(first.get("port")),
            }
        service.ignore("portName", "discoveryName")
        service.finish()
    connect.lose("logConfiguration", "FSD leaves the proxy's logs as they are")
    connect.finish()
    return without_empty(found) or {}


def _load_balancer(reader: Reader) -> Value:
    """That there is one is known; its listener, certificate and checks are not in this file."""
    items = list(reader.readers("loadBalancers"))
    for balancer in items:
        balancer.ignore("containerName", "containerPort")
        balancer.lose(
            "targetGroupArn",
            "FSD makes a target group and a load balancer of its own; which health check, listener "
            "and certificate yours has does not stand here",
        )
        balancer.finish()
    return {"type": "application"} if items else None


def _grace(reader: Reader) -> dict[str, Value]:
    return {"gracePeriod": reader.number("healthCheckGracePeriodSeconds")}
