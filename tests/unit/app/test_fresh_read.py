"""A plan is made on what is so now: what was read before a large context was hashed may be old."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.app.account import Connection
from fsd.manifest.environments import Environment
from fsd.release.ports import ServiceRead
from tests.fakes.aws import FakeAws

READ = ServiceRead(cluster="dev", name="web-dev", service=None)
AT = 1_000.0  # seconds: a monotonic clock begins anywhere


def make_connection() -> Connection:
    return Connection(
        aws=FakeAws().aws(),
        environment=Environment(name="dev"),
        run="ada@laptop",
        embedded=None,
        read=READ,
        read_at=AT,
    )


@pytest.mark.parametrize("age", [0.0, 0.5, 2.0])
def test_fresh_read__just_answered__is_planned_on(age: float) -> None:
    assert make_connection().fresh_read(AT + age) == READ


@pytest.mark.parametrize("age", [2.1, 60.0])
def test_fresh_read__answered_before_a_long_look_at_the_context__is_read_again(age: float) -> None:
    assert make_connection().fresh_read(AT + age) is None


def test_fresh_read__nothing_was_read__nothing() -> None:
    assert replace(make_connection(), read=None).fresh_read(AT) is None
