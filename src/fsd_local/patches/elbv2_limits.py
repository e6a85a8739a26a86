"""How many load balancers and target groups an account may have, in each Region.

Service Quotas raises them, and DescribeAccountLimits says what they are.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeAccountLimits.html
"""

from __future__ import annotations

from typing import Any, Protocol

from ministack.services import alb

from fsd_local.balancing.faults import BalancingFault
from fsd_local.patches.scope import current

SERVICE = "elasticloadbalancing"
# Its name here → the quota's code.
CODES = {
    "application-load-balancers": "L-53DA6B97",
    "network-load-balancers": "L-69A177A2",
    "target-groups": "L-B22855CB",
}
# What is not enforced here.
_FIXED = {"rules-per-application-load-balancer": 100}


class BalancingLimits(Protocol):
    """`fsd_local.quotas.Quotas.value`."""

    def __call__(self, service: str, code: str, *, account: str, region: str) -> float: ...


class _Known:
    """Until it is mounted, there is no limit."""

    value: BalancingLimits | None = None


def mount(limits: BalancingLimits) -> None:
    _Known.value = limits
    alb._ACTION_MAP["DescribeAccountLimits"] = _describe


def require_free(kind: str) -> None:
    """Raises BalancingFault where there are as many load balancers of the kind as there may be."""
    limits = _Known.value
    used = sum(record["Type"] == kind for record in alb._lbs.values())
    if limits is not None and used >= _limit(limits, f"{kind}-load-balancers"):
        raise BalancingFault(
            "TooManyLoadBalancers",
            "The maximum number of load balancers has been reached",
        )


def _limit(limits: BalancingLimits, name: str) -> int:
    account, region = current()
    return int(limits(SERVICE, CODES[name], account=account, region=region))


def _describe(_parameters: Any) -> Any:
    assert _Known.value is not None
    limits = {name: _limit(_Known.value, name) for name in CODES} | _FIXED
    members = "".join(
        f"<member><Name>{name}</Name><Max>{most}</Max></member>" for name, most in limits.items()
    )
    return alb._xml(200, "DescribeAccountLimits", f"<Limits>{members}</Limits>")
