"""The security policies of Elastic Load Balancing, with the protocols that each takes. Pure.

Their ciphers are not listed: no listener here does TLS.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fsd_local.balancing.faults import BalancingFault

_PREFIX = "ELBSecurityPolicy-"
_ALL = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
# Name → the oldest and the newest version of TLS, as places in `_ALL`.
_POLICIES: Mapping[str, tuple[int, int]] = {
    "2016-08": (0, 2),
    "FS-2018-06": (0, 2),
    "FS-1-1-2019-08": (1, 2),
    "FS-1-2-2019-08": (2, 2),
    "FS-1-2-Res-2019-08": (2, 2),
    "FS-1-2-Res-2020-10": (2, 2),
    "TLS-1-0-2015-04": (0, 2),
    "TLS-1-1-2017-01": (1, 2),
    "TLS-1-2-2017-01": (2, 2),
    "TLS-1-2-Ext-2018-06": (2, 2),
    "TLS13-1-0-2021-06": (0, 3),
    "TLS13-1-1-2021-06": (1, 3),
    "TLS13-1-2-2021-06": (2, 3),
    "TLS13-1-2-Ext1-2021-06": (2, 3),
    "TLS13-1-2-Ext2-2021-06": (2, 3),
    "TLS13-1-2-Res-2021-06": (2, 3),
    "TLS13-1-3-2021-06": (3, 3),
    # With key exchange for the time after quantum computers.
    "TLS13-1-0-PQ-2025-09": (0, 3),
    "TLS13-1-2-PQ-2025-09": (2, 3),
    "TLS13-1-2-Ext0-PQ-2025-09": (2, 3),
    "TLS13-1-2-Ext1-PQ-2025-09": (2, 3),
    "TLS13-1-2-Ext2-PQ-2025-09": (2, 3),
    "TLS13-1-2-Res-PQ-2025-09": (2, 3),
    "TLS13-1-3-PQ-2025-09": (3, 3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SslPolicy:
    name: str
    protocols: tuple[str, ...]


def has_policy(name: str) -> bool:
    return name.removeprefix(_PREFIX) in _POLICIES


def find_policies(names: Sequence[str]) -> list[SslPolicy]:
    """All, without names. Raises BalancingFault for one that does not exist."""
    for name in names:
        if not name.startswith(_PREFIX) or not has_policy(name):
            raise BalancingFault("SSLPolicyNotFound", f"SSL policy '{name}' not found")
    wanted = [name.removeprefix(_PREFIX) for name in names] or [*_POLICIES]
    return [_policy(name) for name in wanted]


def _policy(name: str) -> SslPolicy:
    oldest, newest = _POLICIES[name]
    return SslPolicy(name=_PREFIX + name, protocols=_ALL[oldest : newest + 1])
