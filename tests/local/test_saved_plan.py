"""`fsd plan --out` and `fsd deploy --plan`: what was read is what is deployed, or nothing is."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.local.cli import Ended, Fsd
from tests.local.conftest import commit

ENV = ("--env", "local")


@pytest.fixture
def runtime() -> str:
    return "process"


def save(fsd: Fsd, *more: str, name: str = "plan.json") -> Path:
    # Beside the service, the file would be part of its image.
    file = fsd.state.parent / name
    fsd.ok("plan", *ENV, "--out", str(file), *more)
    return file


def held(fsd: Fsd, file: Path, *more: str) -> Ended:
    return fsd.run("deploy", *ENV, "--plan", str(file), "--format", "json", *more)


def refused(ended: Ended) -> tuple[int, str, str]:
    document: Any = ended.json()
    return ended.code, document["code"], document["what"]


def test_deploy__a_saved_plan__does_it_once_and_then_it_is_stale(fsd: Fsd, hello: Path) -> None:
    first = save(fsd, "--version", "v1")
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert held(fsd, first, "--version", "v1").json()["outcome"] == "succeeded"

    code, id_, what = refused(held(fsd, first, "--version", "v1"))
    assert (code, id_) == (4, "stale-plan")
    assert "the task definition" in what

    second = save(fsd, "--version", "v2", "--override", "environment.GREETING=a-value-of-mine")
    assert "a-value-of-mine" not in second.read_text()
    other = ("--version", "v2", "--override", "environment.GREETING=another")
    assert refused(held(fsd, second, *other))[2].endswith(": the manifest with its overrides")
    assert refused(held(fsd, second, "--version", "v3", *other[2:]))[2].endswith(
        ": the manifest with its overrides, the release's version or commit"
    )
    same = ("--version", "v2", "--override", "environment.GREETING=a-value-of-mine")
    (hello / "app.py").write_text((hello / "app.py").read_text() + "\n# more\n")
    commit(hello, "more")
    assert "the image" in refused(held(fsd, second, *same))[2]


def test_deploy__somebody_changes_what_the_plan_has_seen__refused_and_named(fsd: Fsd) -> None:
    fsd.ok("deploy", *ENV, "--version", "v1")
    change = ("--version", "v1", "--override", "environment.GREETING=hi")
    plan = save(fsd, *change)

    with fsd.client("ecs") as ecs:
        ecs.update_service(cluster="local", service="hello-local", desiredCount=1)
    assert "the service's settings" in refused(held(fsd, plan, *change))[2]
    with fsd.client("ecs") as ecs:
        ecs.update_service(cluster="local", service="hello-local", desiredCount=2)

    with fsd.client("cloudformation") as stacks:
        stacks.update_stack(
            StackName="fsd-hello-local",
            UsePreviousTemplate=True,
            Tags=[{"Key": "somebody", "Value": "else"}],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
    assert "the stack" in refused(held(fsd, plan, *change))[2]


def test_deploy__plan_of_no_rollback__is_the_one_that_deploys_without(fsd: Fsd) -> None:
    same = ("--version", "v1", "--no-rollback")
    plan = save(fsd, *same)

    other = refused(held(fsd, plan, "--version", "v1"))
    first = held(fsd, plan, *same).json()
    again = fsd.run("plan", *ENV, *same, "--detailed-exitcode")
    usual = fsd.run("plan", *ENV, "--version", "v1", "--detailed-exitcode")

    assert other[:2] == (4, "stale-plan")
    assert first["outcome"] == "succeeded"
    assert (again.code, usual.code) == (0, 10), usual.text


def test_deploy__plan_of_another_account__refused(fsd: Fsd) -> None:
    plan = save(fsd, "--version", "v1")
    plan.write_text(json.dumps(json.loads(plan.read_text()) | {"account": "9" * 12}))

    code, id_, what = refused(held(fsd, plan, "--version", "v1"))

    assert (code, id_) == (4, "plan-elsewhere")
    assert "(999999999999 · us-east-1)" in what


def test_plan__out_is_a_file_of_somebody__left_as_it_is(fsd: Fsd, hello: Path) -> None:
    before = (hello / "service.yml").read_text()

    ended = fsd.run("plan", *ENV, "--out", "service.yml", "--format", "json")

    assert (ended.code, ended.json()["code"]) == (4, "cannot-write")
    assert (hello / "service.yml").read_text() == before
    again = save(fsd, "--version", "v1")
    assert save(fsd, "--version", "v2") == again
