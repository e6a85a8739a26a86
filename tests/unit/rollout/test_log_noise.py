from __future__ import annotations

import pytest

from fsd.rollout.log_noise import is_health_check, without_health_checks

OK = 'INFO:     10.0.1.7:41234 - "GET /health HTTP/1.1" 200 OK'
BAD = 'INFO:     10.0.1.7:41234 - "GET /health HTTP/1.1" 503 Service Unavailable'


@pytest.mark.parametrize(
    "line",
    [
        OK,
        '10.0.1.7 - - [04/Mar/2026 14:00:00] "GET /healthz HTTP/1.1" 200 -',
        '10.0.1.7 - - [04/Mar/2026:14:00:00 +0000] "GET / HTTP/1.1" 200 2 "-" "ELB-HealthChecker/2.0"',
        '[info] "HEAD /api/v1/ping?x=1 HTTP/1.1" 204 0',
    ],
)
def test_is_health_check__access_lines_of_checks__they_are(line: str) -> None:
    assert is_health_check(line)


@pytest.mark.parametrize(
    "line",
    [
        "ERROR health check of the database failed: connection refused",
        'INFO:     10.0.1.7:41234 - "GET /offers HTTP/1.1" 500 Internal Server Error',
        'INFO:     10.0.1.7:41234 - "POST /health HTTP/1.1" 200 OK',
        "GET /health",
        "",
    ],
)
def test_is_health_check__anything_else__is_not(line: str) -> None:
    assert not is_health_check(line)


def test_without_health_checks__error_among_them__the_error_and_the_last_failed_check() -> None:
    assert without_health_checks(["boom", OK, OK, BAD, BAD]) == [0, 4]
    assert without_health_checks(["boom", BAD, OK]) == [0]


def test_without_health_checks__nothing_else__all_of_them() -> None:
    assert without_health_checks([OK, OK]) == [0, 1]
    assert without_health_checks([]) == []
