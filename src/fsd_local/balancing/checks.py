"""What a load balancer, a target group and a listener may be. Pure; raises BalancingFault."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Protocol

from fsd_local.balancing.faults import BalancingFault, not_done, not_valid
from fsd_local.balancing.query import Json
from fsd_local.ports import Subnet

_LONGEST_NAME = 32
_LISTENER_PROTOCOLS: Mapping[str, Sequence[str]] = {
    "application": ("HTTP", "HTTPS"),
    "network": ("TCP", "QUIC", "TCP_QUIC", "UDP", "TCP_UDP", "TLS"),
}
_HTTP = ("HTTP", "HTTPS")
_SECURE = ("HTTPS", "TLS")
# What AWS asks where nobody says it.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html
GRPC_DEFAULT_CODE, GRPC_DEFAULT_PATH = "12", "/AWS.ALB/healthcheck"
_MOST_GROUPS, _MOST_WEIGHT = 5, 999
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupStickinessConfig.html
LONGEST_STICKINESS = 7 * 24 * 3600  # seconds
_GOLDEN = (5**0.5 - 1) / 2
_CONFIGS: Mapping[str, str] = {
    "redirect": "RedirectConfig",
    "fixed-response": "FixedResponseConfig",
}
_ROUTING = ("forward", "redirect", "fixed-response")
_CONTENT_TYPES = (
    "text/html",
    "application/json",
    "application/javascript",
    "text/css",
    "text/plain",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    protocol: str
    vpc: str
    balancers: Sequence[str]  # ARNs of those that have it
    version: str = "HTTP1"  # or HTTP2, GRPC


@dataclass(frozen=True, slots=True, kw_only=True)
class BalancerFacts:
    arn: str
    kind: str  # application, network
    vpc: str
    ports: Mapping[int, str]  # port → ARN of its listener


class BalancingWorld(Protocol):
    """What there is in the account and the Region of the request."""

    def subnets(self, ids: Sequence[str]) -> Mapping[str, Subnet]: ...

    def security_groups(self, ids: Sequence[str]) -> Mapping[str, str]: ...

    def has_vpc(self, id_: str) -> bool: ...

    def has_certificate(self, arn: str) -> bool: ...

    def has_policy(self, name: str) -> bool:
        """An SSL policy."""

    def group(self, arn: str) -> GroupFacts | None: ...


# ---- load balancers


def check_load_balancer(given: Json, world: BalancingWorld) -> str:
    """The VPC that it is in."""
    _check_balancer_name(str(given.get("Name", "")))
    kind = given.get("Type", "application")
    if kind == "gateway":
        raise not_done("have gateway load balancers")
    for mapping in given.get("SubnetMappings") or ():
        if set(mapping) - {"SubnetId"}:
            raise not_done("give load balancers addresses of their own (SubnetMappings)")
    return check_subnets(given, world, kind=kind)


def check_subnets(given: Json, world: BalancingWorld, *, kind: str) -> str:
    """The VPC that the subnets are in."""
    ids = subnet_ids(given)
    found = world.subnets(ids)
    for id_ in ids:
        if id_ not in found:
            raise BalancingFault("SubnetNotFound", f"The subnet ID '{id_}' does not exist")
    zones = [found[id_].zone for id_ in ids]
    if len(set(zones)) != len(zones):
        raise BalancingFault(
            "InvalidConfigurationRequest",
            "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
        )
    if len(zones) < (2 if kind == "application" else 1):
        raise not_valid(
            "At least two subnets in two different Availability Zones must be specified"
            if kind == "application"
            else "At least one subnet must be specified"
        )
    vpcs = {found[id_].vpc for id_ in ids}
    if len(vpcs) > 1:
        raise BalancingFault(
            "InvalidConfigurationRequest", "All subnets must belong to the same VPC"
        )
    (vpc,) = vpcs
    groups = given.get("SecurityGroups") or ()
    known = world.security_groups(groups)
    if any(known.get(group) != vpc for group in groups):
        raise BalancingFault("InvalidSecurityGroup", "One or more security groups are invalid")
    return vpc


def subnet_ids(given: Json) -> list[str]:
    mappings = given.get("SubnetMappings") or ()
    return [*(given.get("Subnets") or ()), *(str(m.get("SubnetId", "")) for m in mappings)]


def _check_balancer_name(name: str) -> None:
    start = f"The load balancer name '{name}' "
    if len(name) > _LONGEST_NAME:
        raise not_valid(f"{start}cannot be longer than '{_LONGEST_NAME}' characters")
    if not re.fullmatch(r"[A-Za-z0-9-]*", name):
        raise not_valid(
            f"{start}can only contain characters that are alphanumeric characters and hyphens(-)"
        )
    if name.startswith("internal-"):
        raise not_valid(f"{start}cannot begin with 'internal-'")
    for verb, hit in (("begin", name.startswith("-")), ("end", name.endswith("-"))):
        if hit:
            raise not_valid(f"{start}cannot {verb} with a hyphen(-)")


# ---- target groups


def check_target_group(given: Json, world: BalancingWorld) -> None:
    _check_group_name(str(given.get("Name", "")))
    kind = given.get("TargetType", "instance")
    if kind in {"lambda", "alb"}:
        raise not_done(f"have targets of the type {kind}")
    if not given.get("Protocol"):
        raise not_valid("A protocol must be specified")
    if not given.get("Port"):
        raise not_valid("A port must be specified")
    if given["Protocol"] in {"GENEVE", "QUIC", "TCP_QUIC"}:
        raise not_done(f"forward {given['Protocol']}")
    if given.get("ProtocolVersion") and given["Protocol"] not in _HTTP:
        raise not_valid(f"You cannot specify a protocol version for {given['Protocol']}")
    if given.get("ProtocolVersion", "HTTP1") != "HTTP1" and given["Protocol"] == "HTTPS":
        raise not_done(f"speak {given['ProtocolVersion']} by TLS to targets")
    if given.get("IpAddressType", "ipv4") != "ipv4":
        raise not_done("have targets with IPv6 addresses")
    vpc = given.get("VpcId", "")
    if not vpc:
        raise not_valid("A VPC ID must be specified")
    if not world.has_vpc(vpc):
        raise not_valid(f"The VPC ID '{vpc}' is not found")
    check_health_check(given)


def _check_group_name(name: str) -> None:
    if len(name) > _LONGEST_NAME:
        raise not_valid(
            f"Target group name '{name}' cannot be longer than '{_LONGEST_NAME}' characters"
        )
    pattern = "(?!^-)(?!.*-$)^[A-Za-z0-9-]+$"
    if name and not re.fullmatch(pattern, name):
        raise not_valid(
            f"1 validation error detected: Value '{name}' at 'targetGroupName' failed to satisfy "
            f"constraint: Member must satisfy regular expression pattern: {pattern}"
        )


def check_health_check(given: Json) -> None:
    """`given` has the group's protocol and all of its health check."""
    group, default = given.get("Protocol", "HTTP"), "HTTP"
    if group not in _HTTP:
        default = "TCP"
    protocol = given.get("HealthCheckProtocol", default)
    allowed = _HTTP if group in _HTTP else (*_HTTP, "TCP")
    if protocol not in allowed:
        raise not_valid(f"Health check protocol '{protocol}' must be one of '{', '.join(allowed)}'")
    port = str(given.get("HealthCheckPort", "traffic-port"))
    if port != "traffic-port" and not (port.isdigit() and 1 <= int(port) <= 65535):
        raise not_valid(f"Health check port '{port}' must be within '1-65535' or 'traffic-port'")
    if protocol in _HTTP and not str(given.get("HealthCheckPath", "/")).startswith("/"):
        raise not_valid(
            f"Health check path '{given['HealthCheckPath']}' must begin with a '/' character"
        )
    _check_times(given, group)
    if given.get("ProtocolVersion") == "GRPC":
        _check_grpc_matcher(given.get("Matcher") or {})
    else:
        _check_matcher(given.get("Matcher") or {}, group)


def _check_times(given: Json, protocol: str) -> None:
    interval = int(given.get("HealthCheckIntervalSeconds", 30))
    timeout = int(given.get("HealthCheckTimeoutSeconds", 5 if protocol in _HTTP else 10))
    if protocol in _HTTP and timeout >= interval:
        raise not_valid(
            f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'"
        )


def _check_grpc_matcher(matcher: Json) -> None:
    if matcher.get("HttpCode"):
        raise not_valid("You cannot specify an HTTP code for a target group of GRPC")
    for number in re.split(r"[,-]", str(matcher.get("GrpcCode") or GRPC_DEFAULT_CODE)):
        if not (number.isdigit() and int(number) <= 99):
            raise not_valid(
                f"Health check matcher GRPC code '{number}' must be within '0-99' inclusive"
            )


def _check_matcher(matcher: Json, protocol: str) -> None:
    if matcher.get("GrpcCode"):
        raise not_valid("You can specify a GRPC code only for a target group of GRPC")
    code = str(matcher.get("HttpCode") or "200")
    least, most = (200, 499) if protocol in _HTTP else (200, 599)
    for number in re.split(r"[,-]", code):
        if not (number.isdigit() and least <= int(number) <= most):
            raise not_valid(
                f"Health check matcher HTTP code '{number}' must be within '{least}-{most}' "
                "inclusive"
            )


# ---- listeners


def check_listener(given: Json, balancer: BalancerFacts, world: BalancingWorld, own: str) -> None:
    """`own` is the listener's own ARN, "" for a new one."""
    if not given.get("Port"):
        raise not_valid("A listener port must be specified")
    protocol, allowed = given.get("Protocol", ""), _LISTENER_PROTOCOLS[balancer.kind]
    if protocol not in allowed:
        raise not_valid(f"Listener protocol '{protocol}' must be one of '{', '.join(allowed)}'")
    if protocol not in {*_HTTP, "TCP", "TLS"}:
        raise not_done(f"listen by {protocol}")
    if balancer.ports.get(int(given["Port"]), own) != own:
        raise BalancingFault(
            "DuplicateListener",
            f"A listener already exists on this port for this load balancer '{balancer.arn}'",
        )
    if (given.get("MutualAuthentication") or {}).get("Mode", "off") != "off":
        raise not_done("ask clients for certificates (MutualAuthentication)")
    _check_certificates(given, protocol, world)
    check_actions(given.get("DefaultActions") or (), protocol, balancer, world)


def _check_certificates(given: Json, protocol: str, world: BalancingWorld) -> None:
    arns = [str(found.get("CertificateArn", "")) for found in given.get("Certificates") or ()]
    policy = given.get("SslPolicy", "")
    if protocol not in _SECURE:
        if arns:
            raise not_valid(f"A certificate cannot be specified for {protocol} listeners")
        if policy:
            raise not_valid(f"An SSL policy cannot be specifed for {protocol} listeners")
        return
    if not arns:
        raise not_valid(f"A certificate must be specified for {protocol} listeners")
    if len(arns) > 1:
        raise BalancingFault(
            "TooManyCertificates",
            f"Up to '1' certificate ARNs can be specified, but '{len(arns)}' were specified",
        )
    if not world.has_certificate(arns[0]):
        raise BalancingFault("CertificateNotFound", f"Certificate '{arns[0]}' not found")
    if policy and not world.has_policy(policy):
        raise BalancingFault("SSLPolicyNotFound", f"SSL policy '{policy}' not found")


# ---- actions


def check_actions(
    actions: Sequence[Json], protocol: str, balancer: BalancerFacts, world: BalancingWorld
) -> None:
    for action in actions:
        kind = action.get("Type", "")
        if kind.startswith(("authenticate-", "jwt-")):
            raise not_done(f"act on {kind}: it would let everyone in")
        _check_config(action, kind)
    kinds = [str(action.get("Type")) for action in actions]
    if len(kinds) > 1:
        raise not_valid(f"Action types '{','.join(kinds)}' cannot be specified together")
    if balancer.kind == "network" and kinds != ["forward"]:
        raise not_valid(f"Actions of type '{kinds[0]}' are not supported by network load balancers")
    for action in actions:
        if action.get("Type") == "forward":
            _check_forward(action, protocol, balancer, world)


def _check_config(action: Json, kind: str) -> None:
    needed = _CONFIGS.get(kind, "")
    config = action.get(needed) or {}
    if needed and not config:
        raise not_valid(
            f"For actions of type '{kind}', you must specify the following fields: '{needed}'"
        )
    changed = {name for name in ("Protocol", "Port", "Host", "Path", "Query") if name in config}
    if kind == "redirect" and not changed:
        raise not_valid("The redirect configuration is not valid because it creates a loop.")
    if kind == "fixed-response" and config.get("ContentType", "text/plain") not in _CONTENT_TYPES:
        known = ", ".join(f"'{name}'" for name in _CONTENT_TYPES)
        raise not_valid(f"The ContentType must be one of:{known}.")


def forward_groups(action: Json) -> Iterator[tuple[str, int]]:
    """(ARN, weight) of each target group of a forward action."""
    config = action.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or ()
    for group in groups:
        yield str(group.get("TargetGroupArn", "")), int(group.get("Weight", 1))
    if not groups and action.get("TargetGroupArn"):
        yield str(action["TargetGroupArn"]), 1


def choose_group(action: Json, request_number: int) -> str:
    """The target group of this request: of 1 to 3, each fourth request is the first one's.

    Evenly mixed: of 95 to 5, the five are not the last five of a hundred. "" where none has a
    weight.
    """
    weighed = [arn for arn, weight in forward_groups(action) for _ in range(weight)]
    if not weighed:
        return ""
    return weighed[request_number * _stride(len(weighed)) % len(weighed)]


def stickiness(action: Json) -> int:
    """For how many seconds a client stays at its target group; 0 where it does not."""
    config = (action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
    return int(config.get("DurationSeconds", 0)) if config.get("Enabled") else 0


def _stride(length: int) -> int:
    """Steps of the golden ratio visit every place once, and never two neighbours in turn."""
    stride = max(1, round(length * _GOLDEN))
    while gcd(stride, length) != 1:
        stride += 1
    return stride


def _check_forward(
    action: Json, protocol: str, balancer: BalancerFacts, world: BalancingWorld
) -> None:
    arns = [arn for arn, _ in forward_groups(action)]
    if not arns:
        raise not_valid("A target group ARN must be specified")
    _check_weights(action)
    found = {arn: world.group(arn) for arn in arns}
    known = {arn: facts for arn, facts in found.items() if facts is not None}
    if len(known) != len(found):
        raise BalancingFault("TargetGroupNotFound", "One or more target groups not found")
    bad = [arn for arn, facts in known.items() if not _agree(protocol, facts.protocol)]
    if bad:
        raise BalancingFault(
            "IncompatibleProtocols",
            "The listener and the following target groups have incompatible protocols: "
            f"{', '.join(bad)}",
        )
    for facts in known.values():
        if protocol == "HTTP" and facts.version != "HTTP1":
            raise BalancingFault(
                "InvalidLoadBalancerAction",
                "Listener protocol 'HTTP' is not supported with a target group with the "
                f"protocol-version '{facts.version}'",
            )
    far = [arn for arn, facts in known.items() if facts.vpc != balancer.vpc]
    if far:
        raise BalancingFault(
            "InvalidConfigurationRequest",
            "The following target groups are in a different VPC than load balancer "
            f"'{balancer.arn}': {', '.join(far)}",
        )
    taken = [arn for arn, facts in known.items() if set(facts.balancers) - {balancer.arn}]
    if taken:
        raise BalancingFault(
            "TargetGroupAssociationLimit",
            "The following target groups cannot be associated with more than one load balancer: "
            f"{', '.join(taken)}",
        )


def _check_weights(action: Json) -> None:
    config = action.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or ()
    if len(groups) > _MOST_GROUPS:
        raise BalancingFault(
            "TooManyTargetGroups",
            f"You cannot specify more than {_MOST_GROUPS} target groups per action",
        )
    arns = [group.get("TargetGroupArn") for group in groups]
    if arns and action.get("TargetGroupArn") and arns != [action["TargetGroupArn"]]:
        raise not_valid(
            "You can specify both a target group list and a top-level target group ARN only if "
            "the ARNs match"
        )
    if len(groups) > 1 and any("Weight" not in group for group in groups):
        raise not_valid("The weight for each target group must be between 0 and 999, inclusive")
    if any(not 0 <= int(group.get("Weight", 1)) <= _MOST_WEIGHT for group in groups):
        raise not_valid("The weight for the target group must be between 1 and 999, inclusive")
    sticky = config.get("TargetGroupStickinessConfig") or {}
    seconds = int(sticky.get("DurationSeconds", 0))
    if sticky.get("Enabled") and not 1 <= seconds <= LONGEST_STICKINESS:
        raise not_valid(
            f"The stickiness duration must be between 1 and {LONGEST_STICKINESS} seconds"
        )


def _agree(listener: str, group: str) -> bool:
    if listener in _HTTP:
        return group in _HTTP
    return group in {"TCP", "TLS", "TCP_UDP"}
