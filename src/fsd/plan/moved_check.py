"""Whether a stack's change asks the running tasks something else than before.

A health check belongs to the target group, so a changed one judges the old tasks too, from the
moment on in which the stack is changed. Pure: what they answer is asked in `fsd.release.probe`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from fsd.compile.desired import Json
from fsd.plan.template_parts import object_at
from fsd.plan.transition import transition_template

_TYPE = "AWS::ElasticLoadBalancingV2::TargetGroup"
_DEFAULT_TIMEOUT = 5  # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetCheck:
    """What a target group asks its targets, in ELB's own words."""

    protocol: str = "HTTP"
    port: str = "traffic-port"
    path: str = "/"
    matcher: str = "200"
    matches_grpc: bool = False
    timeout: int = field(default=_DEFAULT_TIMEOUT)  # seconds

    @property
    def text(self) -> str:
        """`GET /health`, with the port only where it is not each target's own."""
        port = "" if self.port == "traffic-port" else f" on port {self.port}"
        scheme = "" if self.protocol in {"HTTP", "TCP"} else f" by {self.protocol}"
        method = "gRPC" if self.matches_grpc else "GET"
        what = "a TCP connection" if self.protocol == "TCP" else f"{method} {self.path}"
        return f"{what}{port}{scheme}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedCheck:
    target_group: str  # logical id
    before: TargetCheck
    after: TargetCheck

    @property
    def change(self) -> str:
        """`GET /ready, expecting 200-299 (currently GET /health)`."""
        expects = _expects(self.after) if self.after.matcher != self.before.matcher else ""
        within = f" within {self.after.timeout} s" if self._is_only_faster else ""
        before = self.before.text + (_expects(self.before) if expects else "")
        before += f" within {self.before.timeout} s" if within else ""
        return f"{self.after.text}{expects}{within} (currently {before})"

    @property
    def _is_only_faster(self) -> bool:
        return self.after == replace(self.before, timeout=self.after.timeout)


def find_moved_checks(before: Json, after: Json) -> tuple[MovedCheck, ...]:
    """Of target groups that both templates have; one that is new has no old task in it.

    How often is asked, and how often in vain, changes no answer, nor does more time for it.
    """
    old, new = _checks(before), _checks(after)
    return tuple(
        MovedCheck(target_group=name, before=old[name], after=check)
        for name, check in new.items()
        if name in old and _asks_more(old[name], check)
    )


def open_port(before: Json, after: Json) -> Json:
    """`before`, with what `after` lets through its security groups besides: so that a port can be
    asked before anything else changes. Equal to `before` where nothing is missing."""
    has = object_at(before, "Resources")
    groups: Json = {
        name: resource
        for name, resource in object_at(after, "Resources").items()
        if isinstance(resource, dict)
        and resource.get("Type") == "AWS::EC2::SecurityGroup"
        and name in has
    }
    return transition_template({"Resources": groups}, before)


def _asks_more(old: TargetCheck, new: TargetCheck) -> bool:
    return new.timeout < old.timeout or replace(new, timeout=old.timeout) != old


def _expects(check: TargetCheck) -> str:
    return f", expecting {check.matcher}" if check.protocol != "TCP" else ""


def _checks(template: Json) -> dict[str, TargetCheck]:
    found: dict[str, TargetCheck] = {}
    for name, resource in object_at(template, "Resources").items():
        if isinstance(resource, dict) and resource.get("Type") == _TYPE:
            properties = resource.get("Properties")
            known = properties if isinstance(properties, dict) else {}
            # Of a network load balancer there is no rule that nothing matches, to ask behind.
            if known.get("Protocol") != "TCP":
                found[name] = _check(known)
    return found


def _check(properties: Json) -> TargetCheck:
    """With ELB's defaults for what the template does not say."""
    matcher = properties.get("Matcher")
    matcher = matcher if isinstance(matcher, dict) else {}
    is_grpc = "GrpcCode" in matcher
    return TargetCheck(
        protocol=str(properties.get("HealthCheckProtocol", "HTTP")),
        port=str(properties.get("HealthCheckPort", "traffic-port")),
        path=str(properties.get("HealthCheckPath", "/")),
        matcher=str(matcher.get("GrpcCode" if is_grpc else "HttpCode", "200")),
        matches_grpc=is_grpc,
        timeout=int(str(properties.get("HealthCheckTimeoutSeconds", _DEFAULT_TIMEOUT))),
    )
