"""The input of RegisterTaskDefinition, without its tags (see `fsd.compile.tags`).

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html
"""

from __future__ import annotations

from collections.abc import Mapping

from fsd.compile.connect import port_name
from fsd.compile.container import linux_parameters, own_settings
from fsd.compile.desired import HEALTH_CHECK_LABEL, Image, Json, JsonValue, Release, Target
from fsd.compile.logs import log_group_name, log_router, routed
from fsd.compile.network import find_load_balancer
from fsd.compile.observability import (
    COLLECTOR,
    COLLECTOR_CPU,
    collector,
    metrics_labels,
    trace_environment,
)
from fsd.compile.roles import execution_role_arn, secret_arn, task_role_arn
from fsd.compile.schedule import timeout_container
from fsd.compile.sidecars import compile_sidecars, compile_volumes, depends_on, mount_points
from fsd.manifest import names
from fsd.manifest.container import ContainerPort
from fsd.manifest.models import GRPC_PATH, HealthCheck, Manifest, Service

LOG_STREAM_PREFIX = "ecs"

# What ECS takes for a container's check; a load balancer's ranges are wider.
# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html
_MAXIMUM_TIMEOUT = 60
_MAXIMUM_START_PERIOD = 300


def compile_task_definition(
    manifest: Manifest, *, target: Target, image: Image, release: Release
) -> Json:
    service = manifest.service
    logs = _log_configuration(manifest, target)
    main = _main_container(manifest, target=target, image=image, release=release)
    main |= routed(manifest, logs=logs)
    router = log_router(manifest, logs=logs)
    sidecar = collector(manifest, target=target, logs=logs)
    beside = compile_sidecars(service, target=target, logs=logs)
    containers: list[JsonValue] = [main, *beside]
    shares = sum(int(str(container.get("cpu", 0))) for container in beside)
    if shares:
        main["cpu"] = service.resources.cpu - shares
    if sidecar is not None:
        # A container without a share of its own would get next to none beside one that has one.
        main["cpu"] = service.resources.cpu - shares - COLLECTOR_CPU
        main["dependsOn"] = depends_on({**service.depends_on, COLLECTOR: "START"})
        containers.append(sidecar)
    if router is not None:
        containers.append(router)
    if manifest.is_job and service.timeout_seconds is not None:
        containers.append(timeout_container(service.timeout_seconds, image=image, logs=logs))
    definition: Json = {
        "family": names.service_name(manifest.metadata.name, target.environment),
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": str(service.resources.cpu),
        "memory": str(service.resources.memory),
        "taskRoleArn": task_role_arn(manifest, target),
        "executionRoleArn": execution_role_arn(manifest, target),
        "runtimePlatform": {
            "cpuArchitecture": service.platform,
            "operatingSystemFamily": "LINUX",
        },
        "containerDefinitions": containers,
    }
    if service.volumes:
        definition["volumes"] = compile_volumes(service)
    if service.enable_fault_injection:
        definition["enableFaultInjection"] = True
    if service.resources.ephemeral_storage is not None:
        definition["ephemeralStorage"] = {"sizeInGiB": service.resources.ephemeral_storage}
    return definition


def container_check(service: Service) -> Json | None:
    """The check that ECS runs in the container: the manifest's command, else the port's.

    None without both, or with a load balancer and no command: a second check of the same could only
    disagree. The port's is what the load balancer would do (no proxy, no redirect, any
    certificate), and needs nothing but Python.
    """
    checks = service.checks
    timeout = min(checks.timeout, _MAXIMUM_TIMEOUT)
    command = _written_check(checks) or _port_check(service, timeout)
    if not command:
        return None
    return {
        "command": command,
        "interval": checks.interval,
        "timeout": timeout,
        "retries": checks.unhealthy_threshold,
        "startPeriod": _start_period(checks),
    }


def _start_period(checks: HealthCheck) -> int:
    if checks.start_period is not None:
        return checks.start_period
    return min(checks.grace_period, _MAXIMUM_START_PERIOD)


def _written_check(checks: HealthCheck) -> list[JsonValue]:
    """https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html"""
    if checks.command is None:
        return []
    if isinstance(checks.command, str):
        return ["CMD-SHELL", checks.command]
    return ["CMD", *checks.command]


def checked_port(service: Service) -> int | None:
    """Where the check in the container asks; None where there is none, or a command of its own."""
    checks = service.checks
    is_asked = checks.command is None and find_load_balancer(service) is None
    return (checks.port or service.main_port) if is_asked and service.main_port else None


def _port_check(service: Service, timeout: int) -> list[JsonValue]:
    port = checked_port(service)
    if port is None:
        return []
    match service.check_protocol:
        case "tcp":
            program = f"import socket;socket.create_connection(('127.0.0.1',{port}),{timeout})"
        case "grpc":
            program = _grpc_program(service, port, timeout)
        case _:
            program = _http_program(service, port, timeout)
    return ["CMD", "python", "-c", program]


def _grpc_program(service: Service, port: int, timeout: int) -> str:
    """What a service that speaks gRPC has anyway: grpcio. Its health service also answers OK when
    it is not serving, so without a matcher the answer itself is read.

    https://github.com/grpc/grpc/blob/master/doc/health-checking.md
    """
    call = (
        f"grpc.insecure_channel('127.0.0.1:{port}').unary_unary({service.check_path!r})"
        f"(b'',timeout={timeout})"
    )
    if service.check_path == GRPC_PATH and service.checks.matcher is None:
        return f"import grpc;raise SystemExit({call}!=b'\\x08\\x01')"
    return (
        f"import grpc\ntry:{call};n=0\nexcept grpc.RpcError as e:n=e.code().value[0]\n"
        f"raise SystemExit({_is_unhealthy(service.healthy_codes, 'n')})"
    )


def _http_program(service: Service, port: int, timeout: int) -> str:
    connect, more = f"HTTPConnection('127.0.0.1',{port},timeout={timeout}", ""
    if service.check_protocol == "https":
        connect = f"HTTPS{connect.removeprefix('HTTP')},context=s._create_unverified_context()"
        more = ",ssl as s"
    return (
        f"import http.client as h{more};"
        f"c=h.{connect});"
        f"c.request('GET',{service.check_path!r});"
        f"raise SystemExit({_is_unhealthy(service.healthy_codes, 'c.getresponse().status')})"
    )


def _is_unhealthy(matcher: str, status: str) -> str:
    """In Python, of the expression `status`."""
    if matcher == "200-299":
        return f"{status}//100!=2"
    ranges = (part.partition("-") for part in matcher.split(","))
    healthy = (f"{low}<=n<={high or low}" for low, _, high in ranges)
    return f"not any({' or '.join(healthy)} for n in[{status}])"


def _main_container(manifest: Manifest, *, target: Target, image: Image, release: Release) -> Json:
    service = manifest.service
    secrets = {secret.name: secret_arn(secret, target) for secret in service.secrets}
    traces = trace_environment(manifest, target=target, release=release)
    # The manifest's own word wins, also where it is a secret.
    environment = {k: v for k, v in traces.items() if k not in secrets} | service.environment
    container: Json = {
        "name": manifest.metadata.name,
        "image": image.uri,
        "essential": True,
        **own_settings(service),
        "linuxParameters": linux_parameters(service),
        "environment": _pairs(environment, "value"),
        "secrets": _pairs(secrets, "valueFrom"),
        "dependsOn": depends_on(service.depends_on),
        "mountPoints": mount_points(service.volumes),
        "portMappings": _ports(service),
        "dockerLabels": {
            **service.docker_labels,
            **metrics_labels(manifest),
            **_health_check_label(service),
        },
        "healthCheck": container_check(service),
    }
    return {key: value for key, value in container.items() if value not in ([], {}, None)}


def _health_check_label(service: Service) -> dict[str, str]:
    """The load balancer's check, as a label: another check is another release.

    The check itself is in the stack, and ECS rolls nothing out when a target group changes; with
    the label it is a new revision, so it is watched, judged and rolled back like one.
    """
    balancer = find_load_balancer(service)
    if service.main_port is None or balancer is None or balancer.target_group_arn is not None:
        return {}
    checks = service.checks
    method = {"grpc": "gRPC", "tcp": "connect"}.get(service.check_protocol, "GET")
    text = (
        f"{method} {service.check_path}".rstrip()
        + f"{_where_and_what(service)} every {checks.interval} s, "
        f"timeout {checks.timeout} s, "
        f"{checks.healthy_threshold} good, {checks.unhealthy_threshold} bad"
    )
    return {HEALTH_CHECK_LABEL: text}


def _where_and_what(service: Service) -> str:
    """Only what is not the default, so that the label of most services never changed."""
    checks = service.checks
    port = f" on port {checks.port}" if checks.port not in {None, service.main_port} else ""
    scheme = " by https" if service.check_protocol == "https" else ""
    expected = service.healthy_codes
    codes = f", expecting {expected}," if expected not in ("200-299", "0") else ""
    return f"{port}{scheme}{codes}"


def _ports(service: Service) -> list[JsonValue]:
    """Only a named port says its protocol to ECS: it is Service Connect that asks for both.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html
    """
    metrics = service.observability.metrics
    ports: dict[int, Json] = {each.port: _named(each) for each in service.open_ports}
    if metrics is not None and metrics.enabled:
        ports.setdefault(metrics.port, {})
    offered = service.offered_port
    if offered is not None and not ports.get(offered):
        protocols = {each.port: each.protocol for each in service.open_ports}
        ports[offered] = _app_protocol(protocols.get(offered, "http"))
        ports[offered]["name"] = port_name(service, offered)
    return [
        {"containerPort": port, "protocol": "tcp", **more} for port, more in sorted(ports.items())
    ]


def _named(port: ContainerPort) -> Json:
    return {"name": port.name, **_app_protocol(port.protocol)} if port.name is not None else {}


def _app_protocol(protocol: str) -> Json:
    """Without one a port is TCP."""
    return {"appProtocol": protocol} if protocol != "tcp" else {}


def _log_configuration(manifest: Manifest, target: Target) -> Json:
    """{} where logs are off.

    The mode is said because an account's setting can make it `blocking`, and then a full buffer
    stops the service. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html
    """
    if not manifest.service.log_settings.enabled:
        return {}
    return {
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": log_group_name(manifest, target.environment),
                "awslogs-region": target.region,
                "awslogs-stream-prefix": LOG_STREAM_PREFIX,
                "mode": "non-blocking",
                "max-buffer-size": "25m",
            },
        }
    }


def _pairs(values: Mapping[str, str], key: str) -> list[JsonValue]:
    return [{"name": name, key: value} for name, value in sorted(values.items())]
