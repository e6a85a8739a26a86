"""Load balancers' access logs, written to MiniStack's S3: real lines of real requests."""

from __future__ import annotations

import asyncio
import gzip
import json
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import alb, s3

from fsd_local.balancing.access_logs import (
    INTERVAL,
    AccessEntry,
    LogPlace,
    access_line,
    check_log_attributes,
)
from fsd_local.balancing.faults import BalancingFault
from fsd_local.patches.scope import account_and_region, current, scope

_TEST_FILE = b"Enable AccessLog for ELB"


class AccessLogWriter:
    """Collects lines, and writes a file of each load balancer every five minutes of its time."""

    def __init__(self, *, speed: float) -> None:
        self._interval = INTERVAL / speed
        self._lines: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, balancer_arn: str, entry: AccessEntry) -> None:
        """On the event loop. Nothing happens where the load balancer writes no logs."""
        if _place_of(balancer_arn) is None:
            return
        lines = self._lines[balancer_arn]
        lines.append(access_line(entry, balancer=_short(balancer_arn)))
        if len(lines) == 1:
            loop = asyncio.get_running_loop()
            loop.call_later(self._interval, self._flush, balancer_arn)

    def _flush(self, balancer_arn: str) -> None:
        lines = self._lines.pop(balancer_arn, [])
        place = _place_of(balancer_arn)
        if place is not None:  # else they were switched off meanwhile
            _write(place, _short(balancer_arn), lines)


def check_attributes(given: Mapping[str, str]) -> None:
    """Of the request that is answered. Raises BalancingFault."""
    place = _place(given, *current())
    check_log_attributes(dict(given), place=place, policy=_policy(place.bucket))
    if given.get("access_logs.s3.enabled") == "true":
        _put(place, f"{place.folder}/ELBAccessLogTestFile", _TEST_FILE)


def checked(modify: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """ModifyLoadBalancerAttributes, which looks at the bucket first."""

    def modify_attributes(parameters: Any) -> Any:
        given, number = {}, 1
        while key := alb._p(parameters, f"Attributes.member.{number}.Key"):
            given[key] = alb._p(parameters, f"Attributes.member.{number}.Value")
            number += 1
        try:
            check_attributes(given)
        except BalancingFault as fault:
            return alb._error(fault.code, fault.message)
        return modify(parameters)

    return modify_attributes


def attributes_of(props: Any) -> dict[str, str]:
    """Of a load balancer in a template."""
    return {str(one["Key"]): str(one["Value"]) for one in props.get("LoadBalancerAttributes") or ()}


def _policy(bucket: str) -> Any:
    text = s3._bucket_policies.get(bucket) if bucket in s3._buckets else None
    return json.loads(text) if text else None


def _place_of(balancer_arn: str) -> LogPlace | None:
    """None where it writes none."""
    account, region = account_and_region(balancer_arn)
    with scope(account, region):
        found = {each["Key"]: each["Value"] for each in alb._lb_attrs.get(balancer_arn) or ()}
    is_on = found.get("access_logs.s3.enabled") == "true"
    return _place(found, account, region) if is_on else None


def _place(attributes: Mapping[str, str], account: str, region: str) -> LogPlace:
    return LogPlace(
        bucket=attributes.get("access_logs.s3.bucket", ""),
        prefix=attributes.get("access_logs.s3.prefix", "").strip("/"),
        account=account,
        region=region,
    )


def _short(balancer_arn: str) -> str:
    return balancer_arn.partition("loadbalancer/")[2]


def _write(place: LogPlace, balancer: str, lines: list[str]) -> None:
    body = gzip.compress("".join(f"{line}\n" for line in lines).encode())
    _put(place, place.key(balancer, time.time(), unique=secrets.token_hex(4)), body)


def _put(place: LogPlace, key: str, body: bytes) -> None:
    with scope(place.account, place.region):
        s3._put_object(place.bucket, key, body, {})
