from __future__ import annotations

from dataclasses import replace

from fsd.change import Change, CommitCount
from fsd.compile.desired import Json, JsonValue
from fsd.errors import CallFailedError
from fsd.release.changed import Changed, find_changes
from fsd.release.deploy import deploy
from fsd.release.reporter import Silent
from tests.fakes.aws import PREFIX, FakeAws, FakeClock
from tests.unit.release.desired import make_request
from tests.unit.release.test_deploy import running


def arn(revision: int) -> str:
    return f"{PREFIX}:task-definition/web-dev:{revision}"


def two_releases() -> FakeAws:
    aws = FakeAws()
    aws.ecs.declare_release(41)
    aws.ecs.declare_release(42)
    old, new = aws.ecs.definitions[1], aws.ecs.definitions[0]
    containers: list[JsonValue] = [
        {
            "name": "web",
            "image": "repo@sha256:42",
            "environment": [{"name": "DATABASE_URL", "value": "postgres://u:p@h"}],
        }
    ]
    changed: Json = {**new.definition, "cpu": "1024", "containerDefinitions": containers}
    aws.ecs.definitions = [replace(new, definition=changed), old]
    return aws


def test_find_changes__two_releases__commits_image_fields_and_keys_by_name() -> None:
    changed = find_changes(
        two_releases().ecs, good=arn(41), failed=arn(42), count_commits=lambda *_: 3
    )

    assert changed.since == "web-dev:41 (v41)"
    assert changed.changes == (
        Change(what="commits", before="41" * 40, after="42" * 40, remark=CommitCount(count=3)),
        Change(what="cpu", before="512", after="1024"),
        Change(what="image", before="sha256:41", after="sha256:42"),
        Change(what="environment", added=("DATABASE_URL",)),
    )


def test_find_changes__git_does_not_know__the_range_alone() -> None:
    changed = find_changes(two_releases().ecs, good=arn(41), failed=arn(42))

    assert changed.changes[0] == Change(what="commits", before="41" * 40, after="42" * 40)


def test_find_changes__no_good_release_or_the_same_or_gone__nothing() -> None:
    ecs = two_releases().ecs

    assert find_changes(ecs, good=None, failed=arn(42)) == Changed()
    assert find_changes(ecs, good=arn(42), failed=arn(42)) == Changed()
    assert find_changes(ecs, good=arn(7), failed=arn(42)) == Changed()


def test_deploy__the_running_release_is_no_good_one__compared_with_the_last_good() -> None:
    aws = running(41)
    aws.ecs.take_over(50)
    aws.ecs.end_all("STOPPED")
    aws.ecs.script("ROLLBACK_SUCCESSFUL")

    result = deploy(make_request(), aws.aws(), clock=FakeClock(), reporter=Silent())

    assert result.previous is not None
    assert result.previous.revision == "web-dev:50"
    assert result.diagnosis is not None
    assert result.diagnosis.changed_since == "web-dev:41 (v41)"


def test_deploy__timed_out_while_tasks_fail__says_what_stands_in_its_way() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS")
    aws.ecs.crash(42, times=1)

    result = deploy(make_request(), aws.aws(), clock=FakeClock(), reporter=Silent())

    assert int(result.outcome.exit_code) == 9
    assert result.diagnosis is not None
    assert result.diagnosis.cause.code == "crashed"
    assert result.diagnosis.cause.tasks == ("0" * 32,)


def test_deploy__definitions_cannot_be_read__the_cause_is_told_all_the_same() -> None:
    aws = running()
    aws.ecs.script("ROLLBACK_SUCCESSFUL")
    aws.ecs.fail("find_task_definition", CallFailedError("no", where="ecs", fix="x"))

    assert find_changes(aws.ecs, good=arn(41), failed=arn(42)) == Changed()
