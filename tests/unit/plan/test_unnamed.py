from __future__ import annotations

from dataclasses import replace

import pytest

from fsd.compile.desired import ANY_COMMIT, ANY_VERSION, Desired, Json
from fsd.plan.observed import Observed, ObservedRevision
from fsd.plan.planner import plan_release
from fsd.plan.unnamed import find_kept_version
from fsd.report.notes import note_texts
from tests.fakes.aws import FakeAws
from tests.unit.plan.test_planner import NOTHING
from tests.unit.release.desired import make_desired

COMMIT = "c" * 40


def named(version: str, commit: str, *, greeting: str = "hello") -> Json:
    """A task definition that uses the release's name in several places."""
    environment = {"VERSION": version, "AT": f"{version}+{commit}", "GREETING": greeting}
    return {
        "family": "web-dev",
        "containerDefinitions": [
            {
                "name": "web",
                "image": "web@sha256:1",
                "command": ["serve", f"--release={version}"],
                "environment": [{"name": k, "value": v} for k, v in environment.items()],
            }
        ],
    }


def running(definition: Json, **tags: str) -> Observed:
    aws = FakeAws()
    aws.ecs.declare_running(41)
    revision = ObservedRevision(
        arn=aws.ecs.definitions[0].arn,
        definition=definition,
        tags={f"fsd:{name}": value for name, value in tags.items()},
    )
    service = aws.ecs.services["web-dev"]
    return replace(NOTHING, cluster_exists=True, service=service, running=revision, latest=revision)


def wanted(*, greeting: str = "hello", is_named: bool = False) -> Desired:
    unnamed = None if is_named else named(ANY_VERSION, ANY_COMMIT, greeting=greeting)
    definition = named("new", "d" * 40, greeting=greeting)
    return replace(make_desired(), task_definition=definition, unnamed=unnamed)


@pytest.mark.parametrize(
    ("version", "commit"), [("old", COMMIT), ("v1.0", ""), ('a "quoted" \\ one', COMMIT)]
)
def test_find_kept_version__only_the_name_differs__stays(version: str, commit: str) -> None:
    observed = running(named(version, commit), version=version, commit=commit)

    assert find_kept_version(wanted(), observed) == version
    plan = plan_release(wanted(), observed)
    assert note_texts(plan.notes) == (
        f"only the version and the commit differ from the running release, so {version} stays",
    )


@pytest.mark.parametrize(
    ("desired", "observed"),
    [
        pytest.param(
            wanted(greeting="good day"),
            running(named("old", COMMIT), version="old", commit=COMMIT),
            id="a setting too",
        ),
        pytest.param(
            wanted(is_named=True),
            running(named("old", COMMIT), version="old", commit=COMMIT),
            id="a version was asked for",
        ),
        pytest.param(wanted(), running(named("old", COMMIT)), id="nobody knows what runs"),
        pytest.param(
            wanted(),
            running(named("old", COMMIT), version="other", commit=COMMIT),
            id="the tags tell of another release",
        ),
        pytest.param(
            wanted(), running(named("new", "d" * 40), version="new", commit="d" * 40), id="the same"
        ),
        pytest.param(wanted(), NOTHING, id="nothing runs"),
    ],
)
def test_find_kept_version__anything_else__none(desired: Desired, observed: Observed) -> None:
    assert find_kept_version(desired, observed) is None
