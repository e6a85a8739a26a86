from __future__ import annotations

import pytest

from fsd.release.mask import mask, mask_lines

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (f"Authorization: Bearer {TOKEN}", "Authorization: ***"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: ***"),
        (f"got {TOKEN}", "got ***"),
        ("using github_pat_11ABCDEFG0123456789_abcdefghijklmnop", "using ***"),
        ("key AKIAIOSFODNN7EXAMPLE is old", "key *** is old"),
        ("POST https://hooks.slack.com/services/T0/B0/xyz failed", "POST https://*** failed"),
        ("postgres://user:hunter2@db:5432/x", "postgres://user:***@db:5432/x"),
        ("postgres://user:a:b@db/x", "postgres://user:***@db/x"),
        ("redis://:hunter2@cache:6379/0", "redis://:***@cache:6379/0"),
        ('{"db_password": "hunter2", "a": 1}', '{"db_password": "***", "a": 1}'),
        ('{"password": "hun ter2", "a": 1}', '{"password": "***", "a": 1}'),
        ("password='hun ter2' host=db", "password='***' host=db"),
        ("host=db password=hunter2 dbname=x", "host=db password=*** dbname=x"),
        ("DB_PASS=hunter2", "DB_PASS=***"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG", "aws_secret_access_key = ***"),
        ("AccountName=a;AccountKey=abc123==;Suffix=x", "AccountName=a;AccountKey=***;Suffix=x"),
        ("GET /blob?se=2026&sig=abc%2B&x=1", "GET /blob?se=2026&sig=***&x=1"),
        ("?X-Amz-Signature=abcdef", "?X-Amz-Signature=***"),
        ("Set-Cookie: session=abc; Path=/", "Set-Cookie: ***"),
    ],
)
def test_mask__what_looks_like_a_secret__hidden(line: str, shown: str) -> None:
    assert mask(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        "GET /health 200",
        "listening on http://0.0.0.0:8000/",
        "http://db:5432/x?to=a@b",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret-none",
        "the password is wrong",
        "KeyError: 'DATABASE_URL'",
        "OperationalError: connection to server at db.internal, port 5432 failed",
    ],
)
def test_mask__what_a_reader_needs__stays(line: str) -> None:
    assert mask(line) == line


def test_mask_lines__private_key__not_one_line_of_it() -> None:
    body = "MIIEpAIBAAKCAQEA7bq0Z5k2q9v8" * 2 + "+/AbCd=="
    lines = [
        "loaded",
        "key: -----BEGIN RSA PRIVATE KEY-----",
        "short",
        "-----END RSA PRIVATE KEY-----",
        "going on",
        body,
    ]

    assert list(mask_lines(lines)) == ["loaded", "***", "***", "***", "going on", "***"]


@pytest.mark.parametrize(
    "piece", ["token", "x", "eyJ-", "a://", "key ", "password='", "-----BEGIN "]
)
def test_mask__a_very_long_line__soon(piece: str) -> None:
    """In quadratic time each would take tens of seconds."""
    line = piece * (50_000 // len(piece))

    assert len(mask(line)) <= len(line)


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        # https://github.com/xrootd/xrootd/issues/2222
        ("(path: /x?authz=foo9zQ1234&timeout=3s, flags: none)", "foo9zQ1234"),
        # https://github.com/postgresql-interfaces/psqlodbc/pull/206
        ("pqopt={sslmode=disable password='two words9'}", "two words9"),
        # https://github.com/fluentmigrator/fluentmigrator/issues/1479
        ("Server = db;Database = F;Password = p@9zQ;User Id = u", "p@9zQ"),
        # https://github.com/plan-net/core4/issues/67
        ("set job to [Tag] at [mongodb://u:p9zQp@host/plans/display]", "p9zQp"),
        # https://github.com/kubernetes-client/python/issues/656
        ("ValueError: Invalid header value b'Bearer abc9zQdef\\n'", "abc9zQdef"),
        # https://github.com/drone-plugins/drone-ecr/issues/36
        ("docker build --build-arg NPM_TOKEN=plain9zQtoken .", "plain9zQtoken"),
        # https://github.com/docker/build-push-action/issues/1025
        ('--build-arg C={"private_key":"-----BEGIN PRIVATE KEY-----\\nMII9zQ', "MII9zQ"),
    ],
)
def test_mask__lines_of_public_reports__hidden(line: str, secret: str) -> None:
    assert secret not in mask(line)


@pytest.mark.parametrize(
    "line",
    [
        "fetch secret arn:aws:secretsmanager:us-east-1:000000000000:secret:none-AbCdEf from x",
        "token arn:aws:secretsmanager:eu-west-1:123456789012:secret:api/token-AbCdEf is missing",
    ],
)
def test_mask__arn_behind_the_word_secret__stays(line: str) -> None:
    assert mask(line) == line
