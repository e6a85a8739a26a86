"""What a target group thinks of a target: a pure state machine over health check results.

States and reason codes are ELBv2's, word for word, because deployers match on them:
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fsd_local.ports import TargetState

REGISTERING = TargetState(
    state="initial",
    reason="Elb.RegistrationInProgress",
    description="Target registration is in progress",
)
CHECKING = TargetState(
    state="initial",
    reason="Elb.InitialHealthChecking",
    description="Initial health checks in progress",
)
HEALTHY = TargetState(state="healthy")
DRAINING = TargetState(
    state="draining",
    reason="Target.DeregistrationInProgress",
    description="Target deregistration is in progress",
)
NOT_REGISTERED = TargetState(
    state="unused",
    reason="Target.NotRegistered",
    description="Target is not registered to the target group",
)
NOT_IN_USE = TargetState(
    state="unused",
    reason="Target.NotInUse",
    description="Target group is not configured to receive traffic from the load balancer",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroupCheck:
    """A target group's check, in AWS's units (seconds, not yet divided by the speed)."""

    path: str = "/"
    protocol: str = "HTTP"  # or HTTPS, with any certificate, or TCP: a connection is enough
    port: str = "traffic-port"
    matcher: str = "200"  # "200", "200,202" or "200-299"; with GRPC "0"
    version: str = "HTTP1"  # or HTTP2, GRPC
    interval: float = 30.0
    timeout: float = 5.0
    healthy_threshold: int = 5
    unhealthy_threshold: int = 2
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One check's result; `reason` is "" for a pass."""

    reason: str = ""
    description: str = ""

    @property
    def passed(self) -> bool:
        return not self.reason

    @property
    def refused(self) -> bool:
        return self.reason == FAILED.reason


PASSED = Probe()
TIMED_OUT = Probe(reason="Target.Timeout", description="Request timed out")
FAILED = Probe(reason="Target.FailedHealthChecks", description="Health checks failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealthState:
    """A target's state, with the run of equal results that led to it."""

    state: TargetState = REGISTERING
    passes: int = 0
    failures: int = 0


def judge(status: int, matcher: str) -> Probe:
    """Whether an HTTP status passes."""
    if matches(status, matcher):
        return PASSED
    return Probe(
        reason="Target.ResponseCodeMismatch",
        description=f"Health checks failed with these codes: [{status}]",
    )


def matches(status: int, matcher: str) -> bool:
    for part in matcher.split(","):
        low, _, high = part.strip().partition("-")
        if low.isdigit() and int(low) <= status <= int(high if high.isdigit() else low):
            return True
    return False


def advance(before: TargetHealthState, probe: Probe, check: TargetGroupCheck) -> TargetHealthState:
    """The health after one more result.

    A new target needs a single pass, whatever the threshold; the thresholds hold from then on.
    """
    if probe.passed:
        return _after_pass(before, check)
    failures = before.failures + 1
    after = replace(before, passes=0, failures=failures)
    unhealthy = TargetState(state="unhealthy", reason=probe.reason, description=probe.description)
    if before.state.state == "unhealthy" or failures >= check.unhealthy_threshold:
        return replace(after, state=unhealthy)
    if before.state.state == "initial":
        return replace(after, state=CHECKING)
    return after


def _after_pass(before: TargetHealthState, check: TargetGroupCheck) -> TargetHealthState:
    passes = before.passes + 1
    after = replace(before, passes=passes, failures=0)
    if before.state.state == "initial" or passes >= check.healthy_threshold:
        return replace(after, state=HEALTHY)
    return after
