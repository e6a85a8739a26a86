"""Service Connect: the name and port by which other services of the cluster reach this one.

The namespace is left out: it is the cluster's, which a deployment makes where there is none.
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect.html
"""

from __future__ import annotations

from collections.abc import Mapping

from fsd.compile.desired import Json
from fsd.manifest.models import Manifest, Service

# Of the port that Service Connect offers, where the manifest gives it no name.
PORT_NAME = "connect"


def port_name(service: Service, port: int) -> str:
    named = (each.name for each in service.open_ports if each.port == port)
    return next(named, None) or PORT_NAME


def compile_connect(manifest: Manifest) -> Json | None:
    connect = manifest.service.networking.connect
    if connect is None:
        return None
    port = manifest.service.offered_port
    if port is None:
        return {"enabled": True}
    name = connect.name or manifest.metadata.name
    return {
        "enabled": True,
        "services": [
            {
                "portName": port_name(manifest.service, port),
                "discoveryName": name,
                "clientAliases": [{"port": port, "dnsName": name}],
            }
        ],
    }


def connect_words(configuration: Mapping[str, object] | None) -> str:
    """`offer-api:8000`; "client" for one that only reaches others; "" where it is off."""
    if not configuration or not configuration.get("enabled"):
        return ""
    services = configuration.get("services")
    names = [
        f"{alias.get('dnsName')}:{alias.get('port')}"
        for service in (services if isinstance(services, list) else [])
        for alias in service.get("clientAliases", [])
    ]
    return ", ".join(names) or "client"
