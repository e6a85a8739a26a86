"""Which requests meet a listener rule's condition, and where weights send them."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

import pytest

from fsd_local.balancing.checks import choose_group
from fsd_local.balancing.rules import BalancedRequest, meets

REQUEST = BalancedRequest(
    method="GET",
    path="/img/a.png",
    host="app.example.com",
    headers={"user-agent": "Chrome/1"},
    query={"version": ["2"], "q": ["Tea"]},
    client="127.0.0.1",
)


def typed(field: str, config: str, *values: Any, **more: str) -> dict[str, Any]:
    return {"Field": field, config: {"Values": list(values), **more}}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (typed("query-string", "QueryStringConfig", {"Key": "version", "Value": "2"}), True),
        (typed("query-string", "QueryStringConfig", {"Key": "version", "Value": "3"}), False),
        (typed("query-string", "QueryStringConfig", {"Key": "VERSION", "Value": "?"}), True),
        (typed("query-string", "QueryStringConfig", {"Value": "te*"}), True),
        (typed("query-string", "QueryStringConfig", {"Key": "none", "Value": "*"}), False),
        (typed("source-ip", "SourceIpConfig", "10.0.0.0/8"), False),
        (typed("source-ip", "SourceIpConfig", "10.0.0.0/8", "127.0.0.0/8"), True),
        (typed("source-ip", "SourceIpConfig", "::1/128"), False),
        ({"Field": "path-pattern", "Values": ["/img/*"]}, True),
        ({"Field": "path-pattern", "Values": ["/IMG/*"]}, False),
        ({"Field": "path-pattern", "Values": ["/img/[a].png"]}, False),
        (typed("path-pattern", "PathPatternConfig", "/img/?.png"), True),
        (typed("host-header", "HostHeaderConfig", "*.EXAMPLE.com"), True),
        (typed("host-header", "HostHeaderConfig", "example.com"), False),
        (typed("http-request-method", "HttpRequestMethodConfig", "GET", "HEAD"), True),
        (typed("http-request-method", "HttpRequestMethodConfig", "POST"), False),
        (typed("http-header", "HttpHeaderConfig", "*chrome*", HttpHeaderName="User-Agent"), True),
        (typed("http-header", "HttpHeaderConfig", "*", HttpHeaderName="X-None"), False),
        ({"Field": "something-new", "Values": ["a"]}, False),
    ],
)
def test_meets__condition__as_the_load_balancer_reads_it(
    condition: dict[str, Any], expected: bool
) -> None:
    assert meets(condition, REQUEST) is expected


def test_forward__weights__share_the_requests() -> None:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in (("a", 1), ("b", 3))]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    off = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{**groups[0], "Weight": 0}]}}

    chosen = Counter(choose_group(action, turn) for turn in range(8))

    assert chosen == {"a": 2, "b": 6}
    canary = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in (("a", 5), ("b", 95))]
    rare = {"Type": "forward", "ForwardConfig": {"TargetGroups": canary}}
    turns = [turn for turn in range(100) if choose_group(rare, turn) == "a"]
    gaps = [after - before for before, after in itertools.pairwise(turns)]
    assert len(turns) == 5
    assert min(gaps) > 5
    assert choose_group(off, 0) == ""
