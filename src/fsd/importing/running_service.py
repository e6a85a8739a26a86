"""A service that runs → a Service YAML: definition, service, load balancer, scaling, roles.

The Service YAML names the service, its target group and its roles, so that a deployment can take
them over as they are. What FSD made is not named: the next deployment makes the same.
"""

from __future__ import annotations

import re
from dataclasses import replace

from fsd.compile.desired import HEALTH_CHECK_LABEL
from fsd.importing.balancing import read_balancing, spoken_version
from fsd.importing.reader import Imported, Loss, Reader, literal, without_empty
from fsd.importing.scaling import read_scaling
from fsd.importing.scheduled_task import read_scheduled_task
from fsd.importing.service_name import service_name
from fsd.importing.task_definition import merged, read_task_definition
from fsd.importing.values import Value, listed, mapping, number, text_of
from fsd.manifest import names

# What belongs to one environment: the names of what is there.
_OF_ONE = ("existingService", "existingSchedule", "roles")
_OF_ONE_NETWORK = ("loadBalancer", "securityGroups", "subnets")
# `-Service-` and a random end: CloudFormation names what its template does not.
_MADE_BY_CLOUDFORMATION = re.compile(r"-Service-[A-Za-z0-9]{6,}$")
_SCRAPED = {
    "port": "ECS_PROMETHEUS_EXPORTER_PORT",
    "path": "ECS_PROMETHEUS_METRICS_PATH",
    "job": "ECS_PROMETHEUS_JOB_NAME",
}
_UPDATED = "the first deployment updates this schedule as FSD's own, and needs --adopt"
_FIRST = "the first deployment takes this service over, and needs --adopt; `fsd plan` says how"


def read_running(
    answer: dict[str, Value], *, source: str, pack: str, environment: str = ""
) -> Imported:
    """`answer` is what `fsd.aws.running_service` gives. With an `environment`, what only this
    service has stands below it, so that another environment makes its own."""
    if answer.get("schedule"):
        return _read_job(answer, source=source, pack=pack, environment=environment)
    service = mapping(answer.get("service"))
    imported = read_task_definition(
        mapping(answer.get("taskDefinition")), source=source, pack=pack, service=service
    )
    losses: list[Loss] = [each for each in imported.losses if "targetGroupArn" not in each.where]
    more = merged(read_balancing(answer, losses), read_scaling(answer, losses))
    for unknown in listed(answer.get("unknown")):
        losses.append(Loss(where="", value="", reason=f"could not be read: {text_of(unknown)}"))
    found = merged(_spoken(mapping(imported.tree.get("service")), answer), more)
    if listed(answer.get("targets")):  # the count is what auto scaling made of it
        mapping(found.get("resources")).pop("desiredCount", None)
    found = merged(found, _retention(answer, losses))
    imported = replace(imported, losses=tuple(losses))
    tags = _tags(service)
    if "fsd:service" in tags:
        return _of_fsd(imported, found, answer, tags)
    found["existingService"] = text_of(service.get("serviceName"))
    logs = mapping(mapping(found.get("observability")).get("logs"))
    if "group" in logs:  # how long it keeps lines is its owner's to say
        logs.pop("retention", None)
        logs.pop("kmsKey", None)
    found["networking"] = _their_network(mapping(found.get("networking")))
    name = _name(service, tags, environment) or imported.name
    tree: dict[str, Value] = {
        **imported.tree,
        "metadata": {"name": name, "pack": pack or name},
        "service": without_empty(found),
    }
    if environment:
        tree = _below(tree, environment)
    return replace(imported, name=name, tree=tree, notes=(*imported.notes, _FIRST))


def _read_job(answer: dict[str, Value], *, source: str, pack: str, environment: str) -> Imported:
    definition, schedule = mapping(answer.get("taskDefinition")), mapping(answer.get("schedule"))
    imported = read_scheduled_task(schedule, definition, source=source, pack=pack)
    losses = [*imported.losses]
    for unknown in listed(answer.get("unknown")):
        losses.append(Loss(where="", value="", reason=f"could not be read: {text_of(unknown)}"))
    found = merged(mapping(imported.tree.get("service")), _retention(answer, losses))
    imported = replace(imported, losses=tuple(losses))
    tags = _tags(definition)
    if "fsd:service" in tags:
        found.pop("existingSchedule", None)
        return replace(_of_fsd(imported, found, answer, tags), notes=())
    name = _name({"serviceName": schedule.get("Name")}, tags, environment) or imported.name
    notes = imported.notes
    arn = text_of(mapping(found.get("existingSchedule")).get("arn"))
    if environment and arn.endswith(f":schedule/default/{names.schedule(name, environment)}"):
        del found["existingSchedule"]  # FSD's own has this name, too
        notes = (*notes[:-1], _UPDATED)
    tree: dict[str, Value] = {
        **imported.tree,
        "metadata": {"name": name, "pack": pack or name},
        "service": without_empty(found),
    }
    imported = replace(imported, notes=notes)
    return replace(imported, name=name, tree=_below(tree, environment) if environment else tree)


def _spoken(service: dict[str, Value], answer: dict[str, Value]) -> dict[str, Value]:
    """With `ports`, where the target group speaks HTTP/2, gRPC or TCP to the first port.

    What a task definition says of a port is for Service Connect; a load balancer never reads it.
    """
    version = spoken_version(answer)
    if version not in ("http2", "grpc", "tcp"):
        return service
    ports = listed(service.get("ports")) or [{"port": service.get("port")}]
    first = {**mapping(ports[0]), "protocol": version}
    return {**without_empty({**service, "port": None}), "ports": [first, *ports[1:]]}


def _tags(service: dict[str, Value]) -> dict[str, str]:
    return {
        text_of(mapping(each).get("key")): text_of(mapping(each).get("value"))
        for each in listed(service.get("tags"))
    }


def _name(service: dict[str, Value], tags: dict[str, str], environment: str) -> str:
    """What Copilot's tag says, else the service's own name without its environment."""
    written = tags.get("copilot-service") or text_of(service.get("serviceName"))
    written = _MADE_BY_CLOUDFORMATION.sub("", written)
    if environment:
        written = written.removesuffix(f"-{environment}").removeprefix(f"{environment}-")
    return service_name(written) if written else ""


def _below(tree: dict[str, Value], environment: str) -> dict[str, Value]:
    service = dict(mapping(tree.get("service")))
    network = dict(mapping(service.get("networking")))
    own: dict[str, Value] = {key: service.pop(key) for key in _OF_ONE if key in service}
    there: dict[str, Value] = {key: network.pop(key) for key in _OF_ONE_NETWORK if key in network}
    seen = dict(mapping(service.get("observability")))
    logs = dict(mapping(seen.get("logs")))
    if "group" in logs:
        own["observability"] = {"logs": {"group": logs.pop("group")}}
        service["observability"] = {**seen, "logs": logs}
    changed: dict[str, Value] = {**service, "networking": network}
    environments: dict[str, Value] = {environment: without_empty({**own, "networking": there})}
    return {**tree, "service": without_empty(changed), "environments": environments}


def _retention(answer: dict[str, Value], losses: list[Loss]) -> dict[str, Value]:
    group = Reader(mapping(answer.get("logGroup")), "logGroup", losses)
    days = group.number("retentionInDays")
    key = group.text("kmsKeyId")
    logs: dict[str, Value] = {"retention": days, "kmsKey": literal(key) if key else None}
    return {"observability": {"logs": without_empty(logs)}} if days or key else {}


# --- a service that FSD made ---------------------------------------------------------------------


def _of_fsd(
    imported: Imported, found: dict[str, Value], answer: dict[str, Value], tags: dict[str, str]
) -> Imported:
    """What the next deployment derives again is left out."""
    name, environment = tags["fsd:service"], tags.get("fsd:environment", "")
    own = text_of(mapping(answer.get("service")).get("serviceName"))
    if own != names.service_name(name, environment):
        found["existingService"] = own
    found["networking"] = _with_domain(mapping(found.get("networking")), tags.get("fsd:domain", ""))
    found["roles"] = _given_roles(mapping(found.get("roles")), text_of(answer.get("boundary")))
    found["networking"] = _given_network(mapping(found.get("networking")), answer, tags)
    found |= _without_labels(found)
    logs = mapping(mapping(found.get("observability")).get("logs"))
    if logs.get("group") == names.log_group(name, environment):
        del logs["group"]
    elif logs.get("driver") is None:
        logs.pop("retention", None)
    owners: list[Value] = [*tags.get("fsd:owners", "").split()]
    metadata: dict[str, Value] = {
        "name": name,
        "pack": tags.get("fsd:pack", name),
        **({"owners": owners} if owners else {}),
    }
    tree = {**imported.tree, "metadata": metadata, "service": without_empty(found)}
    return replace(imported, name=name, tree=tree)


def _with_domain(network: dict[str, Value], tag: str) -> dict[str, Value]:
    """As `fsd.compile.tags` says it; what is made for it is not named."""
    name, zone, made = [*tag.split(), "", "", ""][:3]
    if not zone:
        return network
    domain: dict[str, Value] = {"name": literal(name), "hostedZone": zone}
    balancer = {**mapping(network.get("loadBalancer")), "domain": domain}
    if made:
        balancer.pop("certificateArn", None)
    return {**network, "loadBalancer": balancer}


def _given_roles(roles: dict[str, Value], boundary: str) -> dict[str, Value]:
    given = {key: arn for key, arn in roles.items() if f"role{names.ROLE_PATH}" not in str(arn)}
    return {**given, "boundary": boundary or None}


def _given_network(
    network: dict[str, Value], answer: dict[str, Value], tags: dict[str, str]
) -> dict[str, Value]:
    made = {
        text_of(mapping(each).get("GroupId"))
        for each in listed(answer.get("securityGroups"))
        if "fsd:service" in mapping(mapping(each).get("Tags"))
    }
    every = listed(network.get("securityGroups"))
    groups = [each for each in every if text_of(each) not in made]
    given = {**network, "securityGroups": groups}
    if groups == every:
        given = _their_network(given)
    if "fsd:subnets" not in tags:  # the environment's
        given.pop("subnets", None)
    return given


def _their_network(network: dict[str, Value]) -> dict[str, Value]:
    """The tasks keep the groups that they have, and get no other."""
    groups = listed(network.get("securityGroups"))
    return {**network, "securityGroups": {"ids": groups, "only": True}} if groups else network


def _without_labels(found: dict[str, Value]) -> dict[str, Value]:
    """Without those that FSD sets; of metrics they say what is scraped."""
    labels = dict(mapping(found.get("dockerLabels")))
    labels.pop(HEALTH_CHECK_LABEL, None)
    scraped = {key: text_of(labels.pop(label, None)) for key, label in _SCRAPED.items()}
    observability = dict(mapping(found.get("observability")))
    more: dict[str, Value] = {"dockerLabels": labels, "observability": observability}
    if scraped["port"]:
        port = number(scraped["port"])
        observability["metrics"] = {"port": port, "path": scraped["path"]}
        ports = [each for each in listed(found.get("ports")) if mapping(each).get("port") != port]
        more["ports"] = ports if len(ports) > 1 else []
        if len(ports) == 1:
            more["port"] = mapping(ports[0]).get("port")
    return more
