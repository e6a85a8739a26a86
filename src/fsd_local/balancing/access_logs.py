"""The line that a load balancer writes of a request, and where in the bucket it goes. Pure.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from fsd_local.balancing.faults import BalancingFault

INTERVAL = 300.0  # seconds between two files of a load balancer
_DELIVERY = "logdelivery.elasticloadbalancing.amazonaws.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """What the load balancer saw of one request. Times are seconds since the epoch."""

    began: float
    ended: float
    protocol: str  # http, https, h2
    client: str  # address:port
    target: str  # address:port; "" where none answered
    group: str  # ARN; "" where none was asked
    status: int
    sent: int  # bytes
    request: str  # `GET http://host:80/path HTTP/1.1`
    user_agent: str
    trace: str
    host: str
    action: str  # forward, redirect, fixed-response


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPlace:
    bucket: str
    prefix: str
    account: str
    region: str

    @property
    def folder(self) -> str:
        return "/".join(filter(None, (self.prefix, "AWSLogs", self.account)))

    def key(self, balancer: str, when: float, *, unique: str) -> str:
        """`balancer` is `app/NAME/ID`."""
        at = datetime.fromtimestamp(when, UTC)
        name = balancer.replace("/", ".")
        file = (
            f"{self.account}_elasticloadbalancing_{self.region}_{name}_{at:%Y%m%dT%H%MZ}_"
            f"127.0.0.1_{unique}.log.gz"
        )
        return f"{self.folder}/elasticloadbalancing/{self.region}/{at:%Y/%m/%d}/{file}"


def access_line(entry: AccessEntry, *, balancer: str) -> str:
    """A dash stands for what there is nothing of, and -1 for a time that did not pass."""
    took = f"{max(entry.ended - entry.began, 0):.3f}"
    times = f"0.000 {took} 0.000" if entry.target else "-1 -1 -1"
    status = str(entry.status) if entry.target else "-"
    return " ".join(
        (
            entry.protocol,
            _instant(entry.ended),
            balancer,
            entry.client,
            entry.target or "-",
            times,
            str(entry.status),
            status,
            "-1",
            str(entry.sent),
            _quoted(entry.request),
            _quoted(entry.user_agent),
            "- -",
            entry.group or "-",
            _quoted(entry.trace),
            _quoted(entry.host),
            '"-" 0',
            _instant(entry.began),
            _quoted(entry.action),
            '"-" "-"',
            _quoted(entry.target),
            _quoted(status),
            '"-" "-"',
        )
    )


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped or "-"}"'


def check_log_attributes(attributes: dict[str, str], *, place: LogPlace, policy: Any) -> None:
    """Raises BalancingFault where the bucket is not there (`policy` is None) or does not let the
    load balancer in.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
    """
    if attributes.get("access_logs.s3.enabled") != "true":
        return
    if not place.bucket:
        raise BalancingFault(
            "InvalidConfigurationRequest", "The value of 'access_logs.s3.bucket' cannot be empty"
        )
    resource = f"arn:aws:s3:::{place.bucket}/{place.folder}/elasticloadbalancing/x"
    statements = (policy or {}).get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    if not any(_lets_in(each, resource) for each in listed):
        raise BalancingFault(
            "InvalidConfigurationRequest",
            f"Access Denied for bucket: {place.bucket}. Please check S3bucket permission",
        )


def _lets_in(statement: Any, resource: str) -> bool:
    principal = statement.get("Principal", {})
    who = _texts(principal if isinstance(principal, str) else [*principal.values()])
    # Regions from before August 2022 know it by an account instead.
    is_balancing = any(_DELIVERY in one or one == "*" or one.endswith(":root") for one in who)
    does = any(fnmatchcase("s3:putobject", one.lower()) for one in _texts(statement.get("Action")))
    there = any(fnmatchcase(resource, one) for one in _texts(statement.get("Resource")))
    return statement.get("Effect") == "Allow" and is_balancing and does and there


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [str(value)] if value is not None else []
