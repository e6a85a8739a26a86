"""Around the tasks of a Copilot manifest: their network, how they are replaced, logs and traces.

https://aws.github.io/copilot-cli/docs/manifest/backend-service/#network
"""

from __future__ import annotations

from fsd.importing.copilot_names import EXPORT
from fsd.importing.reader import Reader, literal, without_empty
from fsd.importing.service_name import service_name
from fsd.importing.values import Value


def read_network(reader: Reader, *, has_port: bool) -> dict[str, Value]:
    """Without a port a service is not reached, but reaches others."""
    network = reader.inside("network")
    connect = network.take("connect")
    vpc = network.inside("vpc")
    placement = vpc.take("placement")
    groups = vpc.take("security_groups")
    found: dict[str, Value] = {
        "vpc": False if placement == "public" else True if placement == "private" else None,
    }
    if placement not in (None, "public", "private") and not isinstance(placement, dict):
        vpc.lose("placement", "Copilot has no such placement")
    if isinstance(placement, dict):
        inner = Reader(placement, vpc.place("placement"), vpc.losses)
        found["subnets"] = inner.take("subnets")
        inner.finish()
    if isinstance(groups, list):
        named: list[Value] = [each for each in groups if isinstance(each, str)]
        found["securityGroups"] = named
        if len(named) < len(groups):
            vpc.taken.discard("security_groups")
            vpc.lose("security_groups", EXPORT)
    elif isinstance(groups, dict):
        vpc.taken.discard("security_groups")
        vpc.lose("security_groups", "name the groups in `networking.securityGroups`")
    else:
        vpc.lose("security_groups", "it is no list")
    if connect is True:
        found["connect"] = {"name": service_name(reader.text("name"))} if has_port else {}
    elif isinstance(connect, dict):
        inner = network.inside("connect")
        found["connect"] = {"name": inner.text("alias")}
        inner.finish()
    elif connect is not False:
        network.lose("connect", "it is neither true nor has an alias")
    vpc.finish()
    network.finish()
    return {"networking": found}


def read_deployment(reader: Reader) -> dict[str, Value]:
    deployment = reader.inside("deployment")
    rolling = deployment.text("rolling")
    if rolling not in ("", "default", "recreate"):
        deployment.lose("rolling", "Copilot has no such deployment")
    alarms = deployment.take("rollback_alarms")
    if isinstance(alarms, dict):
        deployment.taken.discard("rollback_alarms")
        deployment.lose("rollback_alarms", "name alarms that are there in `deployment.alarms`")
        alarms = None
    deployment.finish()
    return {
        "deployment": {
            "minimumHealthyPercent": 0 if rolling == "recreate" else None,
            "maximumPercent": 100 if rolling == "recreate" else None,
            "alarms": alarms,
        }
    }


def read_logs(reader: Reader) -> dict[str, Value]:
    logging = reader.inside("logging")
    found: dict[str, Value] = {"retention": logging.number("retention")}
    destination = logging.take("destination")
    if isinstance(destination, dict):  # of Fluent Bit, which Copilot starts for it
        options = {key: literal(value) for key, value in logging.texts("destination").items()}
        found |= {"driver": "awsfirelens", "options": without_empty({**options})}
    else:
        logging.lose("destination", "it has no keys")
    logging.ignore("enableMetadata")  # on, as in Copilot without it
    logging.finish("FSD's Fluent Bit has AWS's image and no file of its own")
    return {"observability": {"logs": found}}


def read_traces(reader: Reader) -> dict[str, Value]:
    """X-Ray, by the same collector beside the service.

    https://aws.github.io/copilot-cli/docs/developing/observability/
    """
    observability = reader.inside("observability")
    is_on = observability.text("tracing") == "awsxray"
    if not is_on:
        observability.lose("tracing", "FSD's collector sends to X-Ray")
    observability.finish()
    return {"observability": {"traces": {"enabled": True}}} if is_on else {}
