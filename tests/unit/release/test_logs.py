"""Which log lines are shown."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from fsd.release.logs import LogFilter
from fsd.release.ports import LogLine

CHECK = 'INFO: 10.0.1.7:41022 - "GET /health HTTP/1.1" 200 OK'
FAILED_CHECK = 'INFO: 10.0.1.7:41022 - "GET /health HTTP/1.1" 503 Service Unavailable'
REQUEST = 'INFO: 10.0.1.9:5531 - "GET /offers HTTP/1.1" 200 OK'
ERROR = "ERROR: no offer 7"
TEXTS = (CHECK, REQUEST, CHECK, ERROR, FAILED_CHECK)


def lines() -> list[LogLine]:
    at = datetime(2026, 3, 4, 14, 2, 9, tzinfo=UTC)
    return [LogLine(at=at, text=text, stream="web/web/7f3a") for text in TEXTS]


@pytest.mark.parametrize(
    ("chosen", "shown", "left_out"),
    [
        (LogFilter(), [REQUEST, ERROR, FAILED_CHECK], 2),
        (LogFilter(with_health_checks=True), list(TEXTS), 0),
        (LogFilter(pattern=re.compile("ERROR|offers")), [REQUEST, ERROR], 0),
        (LogFilter(pattern=re.compile("health")), [FAILED_CHECK], 2),
    ],
    ids=["good-checks-hidden", "all", "pattern", "pattern-of-checks"],
)
def test_log_filter__lines__those_that_say_something(
    chosen: LogFilter, shown: list[str], left_out: int
) -> None:
    assert [line.text for line in chosen.of(lines())] == shown
    assert chosen.left_out == left_out
