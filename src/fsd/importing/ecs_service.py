"""A service of ECS, as somebody wrote it or as AWS describes it, → what a Service YAML says of it.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html
"""

from __future__ import annotations

from fsd.importing.reader import Reader, literal, without_empty
from fsd.importing.values import Value, listed, mapping, text_of

_ANSWERS = frozenset(
    {"serviceArn", "clusterArn", "status", "runningCount", "pendingCount", "events"}
    | {"deployments", "createdAt", "createdBy", "taskSets", "roleArn", "platformFamily"}
    | {"serviceName", "cluster", "taskDefinition", "clientToken", "enableECSManagedTags"}
    | {"propagateTags", "platformVersion", "currentServiceDeployment", "currentServiceRevisions"}
    | {"resourceManagementType", "tags"}
)


_STAGES = {
    "POST_SCALE_UP": "postScaleUp",
    "PRE_PRODUCTION_TRAFFIC_SHIFT": "preProductionTrafficShift",
    "POST_PRODUCTION_TRAFFIC_SHIFT": "postProductionTrafficShift",
}
_STRATEGIES = {"BLUE_GREEN": "blueGreen", "CANARY": "canary", "LINEAR": "linear"}


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
        "exec": reader.flag("enableExecuteCommand") or None,
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
    controller.finish()
    if reader.text("availabilityZoneRebalancing") not in ("ENABLED", ""):
        reader.lose("availabilityZoneRebalancing", "FSD leaves it on")
    reader.lose("serviceRegistries", "Cloud Map: FSD's services find each other by Service Connect")
    for key in ("serviceName", "taskDefinition"):
        reader.text(key)
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
    if breaker.flag("enable") is False:
        breaker.lose("enable", "FSD's circuit breaker is always on")
    breaker.flag("rollback")
    threshold = breaker.inside("thresholdConfiguration")
    if threshold.text("type") not in ("COUNT", ""):
        threshold.lose("type", "FSD's threshold is a number of failed tasks")
        threshold.ignore("value")
    failed = threshold.number("value") if threshold.text("type") == "COUNT" else None
    threshold.finish()
    breaker.finish()
    alarms = config.inside("alarms")
    watched = alarms.words("alarmNames")
    names = watched if alarms.flag("enable") is not False else []
    alarms.flag("rollback")
    alarms.finish()
    strategy = config.text("strategy")
    if strategy not in ("", "ROLLING", *_STRATEGIES):
        config.lose("strategy", "ECS has no such strategy")
    found: dict[str, Value] = {
        "minimumHealthyPercent": config.number("minimumHealthyPercent"),
        "maximumPercent": config.number("maximumPercent"),
        "circuitBreaker": {"threshold": failed},
        "earlySuccess": _early_success(config),
        "alarms": names,
        "bakeTime": _bake_time(config),
        "strategy": _STRATEGIES.get(strategy),
        "canary": _canary(config),
        "linear": _linear(config),
        "approval": _approval(config),
    }
    config.finish()
    return found


def _approval(config: Reader) -> Value:
    """The first pause of a deployment that shifts traffic. Functions stay with the service.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeploymentLifecycleHook.html
    """
    found: Value = None
    shifts = config.text("strategy") in _STRATEGIES
    for hook in config.readers("lifecycleHooks"):
        if hook.text("targetType") == "PAUSE" and shifts and found is None:
            found = _pause(hook)
            hook.finish()
        elif hook.text("targetType") == "PAUSE":
            reason = "a deployment has one approval" if shifts else "a rolling one does not pause"
            _lose_hook(hook, "lifecycleStages", reason)
        elif shifts:
            _lose_hook(hook, "hookTargetArn", "FSD has no key for it, and leaves it on the service")
        else:
            reason = "it makes a rolling deployment fail, so that FSD takes it from the service"
            _lose_hook(hook, "hookTargetArn", reason)
    return found


def _lose_hook(hook: Reader, key: str, reason: str) -> None:
    """Once, with what tells it from the others."""
    hook.lose(key if hook.values.get(key) else "targetType", reason)
    hook.ignore(*hook.values)


def _pause(hook: Reader) -> Value:
    stages = [text_of(each) for each in hook.words("lifecycleStages")]
    known = [_STAGES[each] for each in stages if each in _STAGES]
    if len(stages) != 1 or not known:
        hook.taken.discard("lifecycleStages")
        kept = f", and it gets {known[0]}" if known else ""
        hook.lose("lifecycleStages", f"FSD pauses once, at one of {', '.join(_STAGES)}{kept}")
    waits = hook.inside("timeoutConfiguration")
    minutes, action = waits.number("timeoutInMinutes"), waits.text("action")
    waits.finish()
    if not known:
        hook.ignore(*hook.values)
        return None
    return {
        "stage": known[0],
        "timeout": f"{minutes}m" if minutes else None,
        "then": action.lower() or None,
    }


def _bake_time(config: Reader) -> int | None:
    """0 says something where traffic shifts: FSD's own default is longer."""
    found = config.number("bakeTimeInMinutes")
    return found if config.text("strategy") in _STRATEGIES else found or None


def _canary(config: Reader) -> dict[str, Value]:
    canary = config.inside("canaryConfiguration")
    percent, bake = _percent(canary, "canaryPercent"), canary.number("canaryBakeTimeInMinutes")
    canary.finish()
    return {"percent": percent, "bakeTime": bake}


def _linear(config: Reader) -> dict[str, Value]:
    linear = config.inside("linearConfiguration")
    percent, bake = _percent(linear, "stepPercent"), linear.number("stepBakeTimeInMinutes")
    linear.finish()
    return {"stepPercent": percent, "stepBakeTime": bake}


def _percent(shift: Reader, key: str) -> Value:
    """ECS takes a decimal: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CanaryConfiguration.html"""
    found = shift.values.get(key)
    if not isinstance(found, float):
        return shift.number(key)
    if not found.is_integer():
        shift.lose(key, f"FSD takes a whole percent, and it gets {round(found)}")
    shift.ignore(key)
    return round(found)


def _early_success(config: Reader) -> dict[str, Value]:
    early = config.inside("earlySuccessCriteria")
    is_on = early.flag("enable") is True
    percent, cleanup = early.number("healthyPercent"), early.text("sourceServiceRevisionCleanup")
    early.finish()
    return {"healthyPercent": percent, "cleanup": cleanup.lower() or None} if is_on else {}


def _network(reader: Reader) -> dict[str, Value]:
    network = reader.inside("networkConfiguration")
    vpc = network.inside("awsvpcConfiguration")
    groups: list[Value] = [literal(text_of(each)) for each in vpc.words("securityGroups")]
    subnets: list[Value] = [literal(text_of(each)) for each in vpc.words("subnets")]
    public = vpc.text("assignPublicIp") == "ENABLED"
    if vpc.text("assignPublicIp") not in ("ENABLED", "DISABLED", ""):
        vpc.lose("assignPublicIp", "it is neither ENABLED nor DISABLED")
    vpc.finish()
    network.finish()
    return {"vpc": False if public else None, "securityGroups": groups, "subnets": subnets}


def _connect(reader: Reader) -> Value:
    connect = reader.inside("serviceConnectConfiguration")
    if connect.flag("enabled") is not True:
        connect.ignore("namespace", "services", "logConfiguration", "accessLogConfiguration")
        connect.finish()
        return None
    connect.text("namespace")  # the environment's
    found: dict[str, Value] = {}
    for index, service in enumerate(connect.readers("services")):
        aliases = list(service.readers("clientAliases"))
        first = aliases[0] if aliases else Reader({}, "", [])
        name, port = first.text("dnsName"), first.number("port")
        for alias in aliases[:1]:
            alias.finish()
        if index:
            service.taken.clear()
            service.lose("portName", "a service has one name in Service Connect")
            service.ignore(*service.values)
        else:
            found = {"name": name or service.text("discoveryName"), "port": port}
        for key in ("portName", "discoveryName"):
            service.text(key)
        service.finish()
    connect.lose("logConfiguration", "FSD leaves the proxy's logs as they are")
    connect.finish()
    return without_empty(found) or {}


def _load_balancer(reader: Reader) -> Value:
    """That there is one is known; its listener, certificate and checks are not in this file."""
    items = list(reader.readers("loadBalancers"))
    for balancer in items:
        balancer.text("containerName")
        balancer.number("containerPort")
        balancer.lose(
            "targetGroupArn",
            "FSD makes a target group and a load balancer of its own; which health check, listener "
            "and certificate yours has does not stand here",
        )
        balancer.lose(
            "advancedConfiguration", "FSD makes a second target group and a rule of its own"
        )
        balancer.finish()
    return {"type": "application"} if items else None


def _grace(reader: Reader) -> dict[str, Value]:
    return {"gracePeriod": reader.number("healthCheckGracePeriodSeconds")}
