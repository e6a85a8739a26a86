"""The path of a digest through environments, in a tag's 256 characters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fsd.compile.tags import VALUE_LIMIT, clean_tags
from fsd.release.promotion_path import PROMOTED_FROM, read_path, write_path
from fsd.release.result import PromotionStage, ReleaseInfo

RUN = "https://github.com/org/web/actions/runs/42"
DEV = ReleaseInfo(
    version="v1",
    commit="",
    revision="web-dev:3",
    task_definition_arn="",
    digest="sha256:1",
    at=datetime(2026, 11, 30, 2, 44, 10, tzinfo=UTC),
    run=RUN,
)
STAGE = PromotionStage(environment="dev", revision="web-dev:3", at=DEV.at, run=RUN)


def test_path__written_as_a_tag_and_read__is_the_same() -> None:
    written = write_path("dev", DEV)

    assert read_path(clean_tags({PROMOTED_FROM: written})[PROMOTED_FROM]) == (STAGE,)


def test_path__of_what_was_promoted_before__goes_on() -> None:
    staging = replace(DEV, revision="web-staging:9", run="amy b@laptop", promoted_from=(STAGE,))

    nearest, farthest = read_path(write_path("staging", staging))

    assert (nearest.environment, nearest.run) == ("staging", "amy_b@laptop")
    assert farthest == STAGE


def test_path__longer_than_a_tag__forgets_the_farthest() -> None:
    staging = replace(DEV, revision="web-staging:9", promoted_from=(STAGE,) * 5)

    written = write_path("staging", staging)

    assert len(written) <= VALUE_LIMIT
    assert [stage.environment for stage in read_path(written)] == ["staging", "dev", "dev"]


@pytest.mark.parametrize("text", ["", "dev", "dev=web-dev:3", "a b c", "dev=web-dev:3=2026"])
def test_read_path__what_is_no_stage__is_left_out(text: str) -> None:
    assert read_path(text) == ()


def test_read_path__instant_that_is_none__is_unknown() -> None:
    (stage,) = read_path("dev=web-dev:3=yesterday=amy=b@laptop")

    assert (stage.at, stage.run) == (None, "amy=b@laptop")
