"""Target groups that ask running tasks a health check which is not theirs yet.

A load balancer checks a target group only where a listener or a rule forwards to it
(Target.NotInUse), so a probe has a rule, of conditions that no request meets.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fsd.aws.errors import aws_code, call, pages
from fsd.aws.session import Clients
from fsd.errors import CallFailedError, ErrorCode
from fsd.plan.moved_check import TargetCheck
from fsd.release.ports import Clock, TargetGroupGone
from fsd.release.probe import CHECKS, check_interval
from fsd.snapshot import TargetHealth

# RFC 5737 and RFC 2606: addresses that are nobody's, and names that never are.
_NOBODY = "192.0.2.0/24"
_LAST_PRIORITY = 50_000  # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html
_TRIES = 5
_A_PAGE = 400  # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetGroups.html
_AT_ONCE = 100  # targets in one call; a target group takes 1,000, and the call names no limit
# A copy has to be of the same kind, or its targets are refused.
_COPIED = ("Protocol", "ProtocolVersion", "Port", "VpcId", "TargetType", "IpAddressType")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupProbes:
    """`fsd.release.ports.Probes`."""

    clients: Clients
    clock: Clock
    poll: timedelta

    def start(
        self,
        name: str,
        *,
        like: str,
        check: TargetCheck,
        targets: Sequence[TargetHealth],
        tags: Mapping[str, str],
    ) -> str:
        group = self._group(like)
        listener = self._listener(group)
        labels = [{"Key": key, "Value": tags[key]} for key in sorted(tags)]
        copied = {key: group[key] for key in _COPIED if group.get(key) is not None}
        arn = self._create_group(name, {**copied, **_check_parameters(check), "Tags": labels})
        with _own_group(name):
            self._create_rule(listener, arn, labels)
            wanted = [{"Id": target.address, "Port": target.port} for target in targets]
            for at in range(0, len(wanted), _AT_ONCE):
                batch = wanted[at : at + _AT_ONCE]
                call(self._client, "register_targets", name, TargetGroupArn=arn, Targets=batch)
        return arn

    def names(self, prefix: str) -> list[str]:
        found = pages(self._client, "describe_target_groups", prefix, PageSize=_A_PAGE)
        every = (str(group["TargetGroupName"]) for page in found for group in page["TargetGroups"])
        return [name for name in every if name.startswith(prefix)]

    def remove(self, name: str) -> bool:
        """Its rules are looked for again while the target group is in use: AWS may show them, and
        the end of them, a moment late."""
        was_there = False
        for left in range(_TRIES, 0, -1):
            found = self._find(name)
            if found is None:
                break
            was_there = True
            for rule in list(self._rules_to(found)):
                self._delete("delete_rule", rule, RuleArn=rule)
            try:
                self._delete("delete_target_group", name, TargetGroupArn=found["TargetGroupArn"])
            except CallFailedError as error:
                if not aws_code(error).startswith("ResourceInUse") or left == 1:
                    raise
                self.clock.wait(self.poll)
            else:
                break
        return was_there

    # --- inside ----------------------------------------------------------------------------

    def _find(self, name: str) -> dict[str, Any] | None:
        try:
            answer = call(self._client, "describe_target_groups", name, Names=[name])
        except CallFailedError as error:
            if _is_absent(error):
                return None
            raise
        groups: list[dict[str, Any]] = answer["TargetGroups"]
        return groups[0] if groups else None

    def _group(self, arn: str) -> dict[str, Any]:
        answer = call(self._client, "describe_target_groups", arn, TargetGroupArns=[arn])
        group: dict[str, Any] = answer["TargetGroups"][0]
        return group

    def _listener(self, group: Mapping[str, Any]) -> str:
        """Any of the load balancer's: a rule that nothing matches does the same on each."""
        for balancer in group["LoadBalancerArns"]:
            for listener in self._listeners(balancer):
                return listener
        raise CallFailedError(
            "no load balancer's listener forwards to the target group",
            where=str(group["TargetGroupArn"]),
            fix="restore the listener, or deploy with --allow-interruption",
            code=ErrorCode.HEALTH_CHECK_NOT_TRIED,
        )

    def _listeners(self, balancer: str) -> Iterator[str]:
        for page in pages(self._client, "describe_listeners", balancer, LoadBalancerArn=balancer):
            yield from (str(listener["ListenerArn"]) for listener in page["Listeners"])

    def _rules(self, listener: str) -> Iterator[dict[str, Any]]:
        for page in pages(self._client, "describe_rules", listener, ListenerArn=listener):
            yield from page["Rules"]

    def _rules_to(self, group: Mapping[str, Any]) -> Iterator[str]:
        for balancer in group["LoadBalancerArns"]:
            for listener in self._listeners(balancer):
                for rule in self._rules(listener):
                    if group["TargetGroupArn"] in _forwards_to(rule):
                        yield str(rule["RuleArn"])

    def _create_group(self, name: str, parameters: Mapping[str, Any]) -> str:
        """Its ARN. One that has the name already is ours: the answer to its creation got lost."""
        try:
            made = call(self._client, "create_target_group", name, Name=name, **parameters)
        except CallFailedError as error:
            found = self._find(name) if _is_taken(error) else None
            if found is None:
                raise
            return str(found["TargetGroupArn"])
        return str(made["TargetGroups"][0]["TargetGroupArn"])

    def _create_rule(self, listener: str, arn: str, labels: list[dict[str, str]]) -> None:
        """At the end, after all rules that mean something. A priority that is taken meanwhile is
        another run's, or of a call of ours whose answer got lost."""
        for _ in range(_TRIES):
            rules = list(self._rules(listener))
            if any(arn in _forwards_to(rule) for rule in rules):
                return
            try:
                call(
                    self._client,
                    "create_rule",
                    listener,
                    ListenerArn=listener,
                    Priority=_free_priority(rules),
                    Conditions=_never(),
                    Actions=[{"Type": "forward", "TargetGroupArn": arn}],
                    Tags=labels,
                )
            except CallFailedError as error:
                if aws_code(error) not in {"PriorityInUse", "PriorityInUseException"}:
                    raise
            else:
                return
        raise CallFailedError(
            f"other runs took every priority that was free, {_TRIES} times",
            where=listener,
            fix="run it again",
            code=ErrorCode.HEALTH_CHECK_NOT_TRIED,
        )

    def _delete(self, operation: str, name: str, **parameters: str) -> None:
        """Absent is fine."""
        try:
            call(self._client, operation, name, **parameters)
        except CallFailedError as error:
            if not _is_absent(error):
                raise

    @property
    def _client(self) -> Any:
        return self.clients.client("elbv2")


def _check_parameters(check: TargetCheck) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "HealthCheckEnabled": True,
        "HealthCheckProtocol": check.protocol,
        "HealthCheckPort": check.port,
        "HealthCheckIntervalSeconds": check_interval(check.timeout),
        "HealthCheckTimeoutSeconds": check.timeout,
        "HealthyThresholdCount": CHECKS,
        "UnhealthyThresholdCount": CHECKS,
    }
    if check.protocol != "TCP":
        code = "GrpcCode" if check.matches_grpc else "HttpCode"
        parameters |= {"HealthCheckPath": check.path, "Matcher": {code: check.matcher}}
    return parameters


def _free_priority(rules: Sequence[Mapping[str, Any]]) -> int:
    taken = {str(rule["Priority"]) for rule in rules}
    priorities = range(_LAST_PRIORITY, 0, -1)
    return next(number for number in priorities if str(number) not in taken)


def _never() -> list[dict[str, Any]]:
    """Both must hold, and either never does."""
    host = f"fsd-probe-{secrets.token_hex(8)}.invalid"
    return [
        {"Field": "host-header", "HostHeaderConfig": {"Values": [host]}},
        {"Field": "source-ip", "SourceIpConfig": {"Values": [_NOBODY]}},
    ]


def _forwards_to(rule: Mapping[str, Any]) -> Iterator[str]:
    for action in rule.get("Actions", ()):
        if "TargetGroupArn" in action:
            yield action["TargetGroupArn"]
        for group in action.get("ForwardConfig", {}).get("TargetGroups", ()):
            yield group["TargetGroupArn"]


@contextmanager
def _own_group(name: str) -> Iterator[None]:
    """What is just made is there, except where somebody has removed it. Raises TargetGroupGone."""
    try:
        yield
    except CallFailedError as error:
        if not _is_absent(error):
            raise
        raise TargetGroupGone(error.what, where=name, fix=error.fix) from error


def _is_taken(error: CallFailedError) -> bool:
    return aws_code(error).removesuffix("Exception") == "DuplicateTargetGroupName"


def _is_absent(error: CallFailedError) -> bool:
    return aws_code(error).removesuffix("Exception") in {"TargetGroupNotFound", "RuleNotFound"}
