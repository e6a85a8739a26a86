from __future__ import annotations

import pytest

from fsd.errors import UsageError
from fsd.release.ledger import read_history, resolve_version
from fsd.release.result import PastOutcome, ReleaseInfo
from tests.fakes.aws import FakeAws


def release(
    revision: int, *, version: str, commit: str, outcome: PastOutcome = PastOutcome.SUCCEEDED
) -> ReleaseInfo:
    return ReleaseInfo(
        version=version,
        commit=commit * 40,
        revision=f"web-dev:{revision}",
        task_definition_arn=f"arn:web-dev:{revision}",
        digest=f"sha256:{commit * 64}",
        outcome=outcome,
    )


HISTORY = (
    release(44, version="v1.3.0", commit="d", outcome=PastOutcome.ROLLED_BACK),
    release(43, version="v1.3.0", commit="c"),
    release(42, version="v1.2.9", commit="b"),
    release(41, version="v1.2.8", commit="a"),
)


@pytest.mark.parametrize(
    ("wanted", "revision"),
    [
        ("v1.2.9", 42),
        ("bbbbbbb", 42),
        ("b" * 40, 42),
        ("sha256:" + "a" * 64, 41),
        ("sha256:aaaaaaaa", 41),
        ("43", 43),
        ("web-dev:41", 41),
        ("arn:web-dev:41", 41),
        ("v1.3.0", 43),  # the one that succeeded, not the newer one that did not
    ],
)
def test_resolve_version__all_its_forms__the_release(wanted: str, revision: int) -> None:
    assert resolve_version(HISTORY, wanted).revision == f"web-dev:{revision}"


@pytest.mark.parametrize("wanted", ["v9", "bbbbbb", "999", "sha256:b", ""])
def test_resolve_version__unknown__error_lists_what_there_is(wanted: str) -> None:
    with pytest.raises(UsageError) as error:
        resolve_version(HISTORY, wanted)

    assert "v1.3.0, v1.2.9, v1.2.8" in error.value.what


def test_resolve_version__two_releases_of_a_commit_prefix__ambiguous() -> None:
    twins = (
        release(2, version="v2", commit="a"),
        ReleaseInfo(
            version="v1", commit="aaaaaaab", revision="web-dev:1", task_definition_arn="x",
            digest="sha256:other",
        ),
    )  # fmt: skip

    with pytest.raises(UsageError) as error:
        resolve_version(twins, "aaaaaaa")

    assert error.value.code == "release-ambiguous"


def test_read_history__a_success_and_a_try_in_flight__both_told() -> None:
    aws = FakeAws()
    aws.ecs.declare_running(41)
    aws.ecs.take_over(42)

    history = read_history(aws.ecs, cluster="dev", service="web-dev")

    assert [(r.revision, r.outcome) for r in history] == [
        ("web-dev:42", "in progress"),
        ("web-dev:41", "succeeded"),
    ]
