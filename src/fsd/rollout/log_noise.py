"""Lines that a health check leaves in a log, every few seconds: they hide what went wrong.

Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_CHECKER = re.compile(r"ELB-HealthChecker/|kube-probe/|Route 53 Health Check")
# An access line: the method, the path, and the status, in the orders that servers write.
_ACCESS = re.compile(
    r"\b(?:GET|HEAD)\b[^/]{0,20}(?P<path>/[^\s\"?]*)"
    r"|\"(?:path|url|uri|request_uri)\": ?\"(?P<json>/[^\"?]*)",
)
_HEALTH_PATH = re.compile(
    r"(?:^|[/_-])(?:health|healthz|healthcheck|health_check|livez?|liveness|alive|readyz?|readiness|"
    r"ping|heartbeat|status)(?:$|[/_-])",
    re.IGNORECASE,
)
_STATUS = re.compile(r"(?<![\d.:])[1-5]\d\d(?![\d.:])")


def is_health_check(line: str) -> bool:
    """An access line for a health path, or of a load balancer's checker."""
    if _CHECKER.search(line):
        return True
    access = _ACCESS.search(line)
    if access is None or _STATUS.search(line, access.end()) is None:
        return False
    return _HEALTH_PATH.search(access["path"] or access["json"] or "") is not None


def is_passed_check(line: str) -> bool:
    """A health check that says nothing of an error."""
    return is_health_check(line) and _ERROR.search(line) is None


def without_health_checks(lines: Sequence[str]) -> list[int]:
    """The numbers of the other lines, and of the last health check where its status is an error; of
    all lines where there is nothing else."""
    checks = [number for number, line in enumerate(lines) if is_health_check(line)]
    if len(checks) == len(lines):
        return checks
    last = checks[-1] if checks and _ERROR.search(lines[checks[-1]]) else None
    dropped = set(checks) - {last}
    return [number for number in range(len(lines)) if number not in dropped]


_ERROR = re.compile(r"(?<![\d.:])[45]\d\d(?![\d.:])")
