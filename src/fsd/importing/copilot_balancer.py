"""The load balancer of a Copilot manifest: `http`, or `nlb`.

https://aws.github.io/copilot-cli/docs/manifest/lb-web-service/#http
https://aws.github.io/copilot-cli/docs/manifest/lb-web-service/#nlb
"""

from __future__ import annotations

from fsd.importing.reader import Loss, Reader, is_empty, literal, shown, without_empty
from fsd.importing.values import Value, mapping, number, text_of

_PUBLIC = ("Load Balanced Web Service", "Request-Driven Web Service")
_SHARED = "main"  # the load balancer of an environment
_NEEDS_HTTPS = (
    "http2 and gRPC want HTTPS, and the certificate is not in the manifest: name it in "
    "`loadBalancer.certificateArn`, and the protocol in `ports`"
)
_ONE_DAY = 86_400  # seconds; Copilot's stickiness


def read_balancer(reader: Reader, kind: str) -> dict[str, Value]:
    """A load balancer that is shared by an environment, with the path and the names of a rule."""
    written = reader.take("http")
    network = _network_balancer(reader, beside_http=isinstance(written, dict))
    if network:
        return network
    if not isinstance(written, dict):
        if written is not False:
            reader.lose("http", "it has no keys")
        is_public = kind in _PUBLIC and written is not False
        balancer: Value = {"internal": False} if is_public else None
        return {"networking": {"loadBalancer": balancer}}
    http = Reader(written, reader.place("http"), reader.losses)
    hosts = _hosts(http)
    path = http.text("path")
    paths = [] if path in ("", "/") else _paths(path)
    names: list[Value] = [literal(text_of(mapping(each).get("name") or each)) for each in hosts]
    names, paths = _with_more(names, paths, http)
    has_rule = bool(names or paths)
    found: dict[str, Value] = {
        "healthCheck": _health(http),
        "deployment": {"deregistrationDelay": http.seconds("deregistration_delay")},
        "networking": {
            "loadBalancer": {
                "internal": kind == "Backend Service",
                "shared": _SHARED if has_rule else None,
                "domain": _domain(hosts, http),
                "hosts": names,
                "paths": paths,
                "stickiness": _ONE_DAY if http.flag("stickiness") else None,
                "ingress": http.items("allowed_source_ips"),
            }
        },
    }
    port = http.number("target_port") if not http.values.get("target_container") else None
    if port:
        found["port"] = port
    if text_of(http.values.get("version")).lower() == "http1":
        http.ignore("version")
    else:
        http.lose("version", _NEEDS_HTTPS)
    http.lose("alb", "yours is taken by its listener: `loadBalancer.listenerArn`")
    http.lose("target_container", "FSD's load balancer sends to the service's own container")
    http.lose("target_port", "of another container")
    http.lose("ssl_policy", "FSD's listener has a policy of its own")
    http.ignore("redirect_to_https")  # FSD's load balancer does so where it has a certificate
    http.finish()
    return found


def _hosts(reader: Reader) -> list[Value]:
    """Names, or sections with a name; what is neither is lost."""
    found: list[Value] = []
    for index, each in enumerate(reader.items("alias")):
        if text_of(mapping(each).get("name")) or text_of(each):
            found.append(each)
        elif not is_empty(each):
            where = f"{reader.place('alias')}[{index}]"
            reader.losses.append(Loss(where=where, value=shown(each), reason="it has no name"))
    return found


def _with_more(
    hosts: list[Value], paths: list[Value], http: Reader
) -> tuple[list[Value], list[Value]]:
    """With the rules beside the first that lead to the same target; a rule of FSD's is all of its
    hosts with all of its paths, so that one of the two has to be the same."""
    checks = http.values.get("healthcheck")
    for rule in http.readers("additional_rules"):
        more: list[Value] = [
            literal(text_of(mapping(each).get("name") or each)) for each in _hosts(rule)
        ]
        path = rule.text("path")
        there = [] if path in ("", "/") else _paths(path)
        is_same_check = rule.values.get("healthcheck") in (None, checks)
        same = ("deregistration_delay", "stickiness", "version", "allowed_source_ips")
        if is_same_check:
            rule.ignore("healthcheck")
        rule.ignore(
            *(k for k in same if rule.values.get(k) in (http.values.get(k), False, "http1"))
        )
        if sorted(map(text_of, more)) == sorted(map(text_of, hosts)):
            paths = (
                [] if not paths or not there else [*paths, *(e for e in there if e not in paths)]
            )
        elif there == paths:
            hosts = _both(hosts, more)
        else:
            rule.taken -= {"alias", "path"}
        rule.finish("a service has one rule, target group and health check")
    return hosts, paths


def _both(first: list[Value], second: list[Value]) -> list[Value]:
    """[] is every host, or every path."""
    return [*first, *(each for each in second if each not in first)] if first and second else []


def _domain(hosts: list[Value], http: Reader) -> dict[str, Value]:
    """A record that Copilot makes in a zone of yours; the first, as the language has one."""
    zone = http.text("hosted_zone")
    for host in hosts:
        own = text_of(mapping(host).get("hosted_zone")) or zone
        if own:
            name = text_of(mapping(host).get("name")) or text_of(host)
            return {"name": literal(name), "hostedZone": literal(own)}
    return {}


def _paths(path: str) -> list[Value]:
    plain = f"/{path.strip('/')}"
    return [plain] if "*" in plain else [plain, f"{plain}/*"]


def _health(http: Reader) -> dict[str, Value]:
    """Copilot's own path is `/`."""
    written = http.take("healthcheck")
    if not isinstance(written, dict):
        return {"path": http.text("healthcheck") or "/"}
    check = Reader(written, http.place("healthcheck"), http.losses)
    codes = check.text("success_codes")
    found: dict[str, Value] = {
        "path": literal(check.text("path")) or "/",
        "port": check.number("port"),
        "interval": check.seconds("interval"),
        "timeout": check.seconds("timeout"),
        "healthyThreshold": check.number("healthy_threshold"),
        "unhealthyThreshold": check.number("unhealthy_threshold"),
        "gracePeriod": check.seconds("grace_period"),
        "matcher": codes or None,
    }
    check.finish()
    return without_empty(found)


def say_which_check(before: dict[str, Value], after: dict[str, Value], reader: Reader) -> None:
    """Both checks have one rhythm here, the load balancer's."""
    image = Reader(mapping(reader.values.get("image")), reader.place("image"), reader.losses)
    for key, value in before.items():
        if after.get(key) != value:
            where = f"{image.place('healthcheck')}.{key}"
            reason = f"the check in the container has the load balancer's: {after[key]}"
            reader.losses.append(Loss(where=where, value=shown(value), reason=reason))


def _network_balancer(reader: Reader, *, beside_http: bool) -> dict[str, Value]:
    """{} where there is none, or where the other load balancer is kept."""
    if not isinstance(reader.values.get("nlb"), dict):
        reader.ignore("nlb")
        return {}
    if beside_http:
        reader.lose("nlb", "a service has one load balancer: the application load balancer is kept")
        return {}
    nlb = reader.inside("nlb")
    port, _, protocol = nlb.text("port").partition("/")
    if protocol == "udp":
        nlb.taken.discard("port")
        nlb.lose("port", "FSD's ports are TCP")
    inside = number(mapping(reader.values.get("image")).get("port"))
    target = nlb.number("target_port") or inside or number(port)
    if number(port) != target:
        nlb.taken.discard("port")
        nlb.lose("port", f"FSD's listener has the number of the service's port, {target}")
    nlb.lose("target_container", "FSD's load balancer sends to the service's own container")
    nlb.lose("additional_listeners", "a service has one listener of a network load balancer")
    nlb.lose("ssl_policy", "FSD's listener has a policy of its own")
    alias = nlb.take("alias")
    if alias:
        nlb.taken.discard("alias")
        nlb.lose("alias", "its zone is not named here: `loadBalancer.domain` takes both")
    stickiness = nlb.take("stickiness")
    if stickiness:
        nlb.taken.discard("stickiness")
        nlb.lose("stickiness", "of a network load balancer: FSD has that of cookies")
    check = nlb.inside("healthcheck")
    found: dict[str, Value] = {
        "port": None,
        "ports": [{"port": target, "protocol": "tcp"}],
        "healthCheck": {
            "protocol": "tcp",
            "port": check.number("port"),
            "interval": check.seconds("interval"),
            "timeout": check.seconds("timeout"),
            "healthyThreshold": check.number("healthy_threshold"),
            "unhealthyThreshold": check.number("unhealthy_threshold"),
            "gracePeriod": check.seconds("grace_period"),
        },
        "deployment": {"deregistrationDelay": nlb.seconds("deregistration_delay")},
        "networking": {
            "loadBalancer": {
                "type": "network",
                "internal": False,
                "ingress": [literal(text_of(each)) for each in nlb.items("allowed_source_ips")],
            }
        },
    }
    if protocol == "tls":
        nlb.taken.discard("port")
        nlb.lose("port", "TLS wants a certificate: name it in `loadBalancer.certificateArn`")
    check.finish()
    nlb.finish()
    return found
