"""Cron expressions: what AWS refuses, and what a crontab's line is there."""

from __future__ import annotations

import pytest

from fsd.manifest.cron import find_fault, from_unix


@pytest.mark.parametrize(
    "expression",
    [
        "cron(0 6 * * ? *)",
        "cron(0/15 8-18 ? * MON-FRI *)",
        "cron(0 10 ? * 6L 2027-2030)",
        "cron(0 10 L * ? *)",
        "cron(0 10 15W * ? *)",
        "cron(0 10 ? jan,JUL 2#1 *)",
        "cron(5,35 * 1/2 * ? *)",
        "cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)",
        "cron(1-31/30 1-1 ? * 1,7 *)",
    ],
)
def test_find_fault__what_aws_documents__none(expression: str) -> None:
    assert find_fault(expression) is None


@pytest.mark.parametrize(
    ("expression", "what", "fix"),
    [
        ("cron(0 6 * * *)", "has 5 fields", "`cron(0 6 * * ? *)`"),
        ("cron(0 6 * * 0,6)", "has 5 fields", "`cron(0 6 ? * SUN,SAT *)`"),
        ("cron(0 6 1 * 1)", "has 5 fields", "is six o'clock"),
        ("cron(0 6 * * * *)", "needs `?` in one", "`cron(0 6 * * ? *)`"),
        ("cron(0 6 ? * ? *)", "needs `?` in one", "`cron(0 6 * * ? *)`"),
        ("cron(0 6 1 * 2 *)", "needs `?` in one", "`cron(0 6 ? * 2 *)`"),
        ("cron(60 6 * * ? *)", "`60` is not a value of minutes", "minutes is 0 to 59"),
        ("cron(0 24 * * ? *)", "`24` is not a value of hours", "hours is 0 to 23"),
        ("cron(0 6 ? * 0 *)", "`0` is not a value of day-of-week", "or SUN to SAT"),
        ("cron(0 6 ? * MON/2 *)", "`MON/2` is not a value of day-of-week", "1 to 7"),
        ("cron(*/0 6 * * ? *)", "`*/0` is not a value of minutes", "0 to 59"),
        ("cron(0 6 32W * ? *)", "`32W` is not a value of day-of-month", "1 to 31"),
        ("cron(0 6 * FEV ? *)", "`FEV` is not a value of month", "or JAN to DEC"),
        (
            "cron(0/5, 9-18, ?, *, MON-FRI, *)",
            "`0/5,` is not a value of minutes",
            "write `cron(0/5 9-18 ? * MON-FRI *)`",
        ),
        (
            "cron(cron(0 12 ? * 1 *))",
            "`cron(0` is not a value of minutes",
            "write `cron(0 12 ? * 1 *)`",
        ),
        ("cron(* ? * * * *)", "`?` is not a value of hours", "hours is 0 to 23"),
        ("cron(15 12 ? * -1 *)", "`-1` is not a value of day-of-week", "or SUN to SAT"),
    ],
)
def test_find_fault__wrong__said_with_what_to_write(expression: str, what: str, fix: str) -> None:
    found = find_fault(expression)

    assert found is not None
    assert what in found[0]
    assert fix in found[1]


@pytest.mark.parametrize(
    ("line", "expression"),
    [
        ("0 9 * * *", "cron(0 9 * * ? *)"),
        ("*/5 * * * *", "cron(*/5 * * * ? *)"),
        ("0 9 * * 1-5", "cron(0 9 ? * MON-FRI *)"),
        ("0 9 * * 7", "cron(0 9 ? * SUN *)"),
        ("0 9 * * sun", "cron(0 9 ? * SUN *)"),
        ("@daily", "cron(0 0 * * ? *)"),
        ("@weekly", "cron(0 0 ? * SUN *)"),
        ("@every 1h30m", "rate(90 minutes)"),
        ("@every 24h0m0s", "rate(1 day)"),
        ("@every 30s", None),
        ("@every 24h", "rate(1 day)"),
        ("0 9 1 * 1", None),
        ("0 9 * * */2", None),
        ("nonsense", None),
    ],
)
def test_from_unix__a_crontab_s_line__as_aws_writes_it(line: str, expression: str | None) -> None:
    assert from_unix(line) == expression
