from __future__ import annotations

import pytest

from fsd.quoted import Quoted
from fsd.report.cause_advice import advice_text
from fsd.report.cause_summaries import summary_text
from fsd.rollout.cause import Cause, Diagnosis
from fsd.rollout.placeholders import explain_by_placeholders

ARN = "arn:aws:secretsmanager:us-east-1:000000000000:secret:shop-db"
PUT = "aws secretsmanager put-secret-value --secret-id"


def diagnosis(summary: str, *lines: str) -> Diagnosis:
    cause = Cause(
        code="crashed",
        summary=Quoted(text=summary),
        where="x",
        evidence=(),
        advice=Quoted(text="read the log"),
    )
    return Diagnosis(causes=(cause,), causes_without_log=(cause,), log_lines=lines)


@pytest.mark.parametrize(
    ("summary", "line"),
    [
        ("the main process ended: ValidationError", "database_url"),
        ("the main process ended: ValueError: DATABASE_URL is no URL", ""),
        ("the main process ended", "Could not parse URL from string 'placeholder'"),
    ],
)
def test_explain__the_service_complains_of_a_value__it_is_made_up(summary: str, line: str) -> None:
    found = explain_by_placeholders(diagnosis(summary, "x", line), {"DATABASE_URL": ARN})

    assert summary_text(found.cause.summary) == (
        "DATABASE_URL has a placeholder value, as the embedded AWS has no secrets of yours. "
        f"T{summary[1:]}"
    )
    assert advice_text(found.cause.advice) == (
        f'give DATABASE_URL its value with `eval "$(fsd local env)" && {PUT} {ARN} '
        "--secret-string VALUE`, and deploy again; else read the log"
    )
    assert found.causes_without_log == found.causes


@pytest.mark.parametrize(
    ("secrets", "summary"),
    [
        ({}, "the main process ended: bad placeholder"),
        ({"API_TOKEN": ARN}, "the main process ended: KeyError: 'PRICE'"),
    ],
)
def test_explain__another_reason__as_it_was(secrets: dict[str, str], summary: str) -> None:
    before = diagnosis(summary)

    assert explain_by_placeholders(before, secrets) == before


@pytest.mark.parametrize(
    ("value_from", "command"),
    [
        (f"{ARN}:user::", f'{PUT} {ARN} --secret-string \'{{"user": "VALUE"}}\''),
        ("/shop/token", "aws ssm put-parameter --overwrite --type SecureString --name /shop/token"),
        (
            "arn:aws:ssm:us-east-1:000000000000:parameter/shop/token",
            "aws ssm put-parameter --overwrite --type SecureString --name /shop/token",
        ),
    ],
)
def test_explain__each_kind_of_secret__the_command_for_it(value_from: str, command: str) -> None:
    found = explain_by_placeholders(diagnosis("TOKEN is wrong"), {"TOKEN": value_from})

    assert f'eval "$(fsd local env)" && {command}' in advice_text(found.cause.advice)
