"""A saved plan holds digests and no values, and whatever else is in the file is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from fsd.compile.desired import Scaling
from fsd.plan.planner import plan_release
from fsd.plan.saved import (
    Basis,
    Read,
    changed_reads,
    digest_observed,
    read_saved_plan,
    save_plan,
    saved_plan_text,
)
from tests.unit.plan.test_planner import SCALING, deployed
from tests.unit.release.desired import IMAGE, make_desired

SECRET = "hunter2-not-in-the-file"


def basis(**changes: Any) -> Basis:
    desired, observed = make_desired(cpu="1024"), deployed()
    made = Basis(
        manifest={"service": {"environment": {"TOKEN": SECRET}}},
        network=("subnet-1",),
        version="v9",
        commit="9" * 40,
        image=IMAGE,
        desired=desired,
        observed=observed,
        plan=plan_release(desired, observed),
    )
    return replace(made, **changes)


def saved_text(**changes: Any) -> str:
    return saved_plan_text(save_plan(basis(**changes), made_by="0.1.0"))


def test_saved_plan__written_and_read__the_same() -> None:
    saved = save_plan(basis(), made_by="0.1.0")

    assert read_saved_plan(saved_plan_text(saved)) == saved


def test_saved_plan__longest_name_of_a_service__is_read_again() -> None:
    desired = replace(make_desired(cpu="1024"), service_name="a" * 255)

    assert read_saved_plan(saved_text(desired=desired)).service == "a" * 255


def test_saved_plan__a_value_of_the_manifest__is_not_in_it() -> None:
    text = saved_text()

    assert SECRET not in text
    assert "subnet-1" not in text


def observed(**changes: Any) -> dict[str, Any]:
    return {"observed": replace(deployed(), **changes)}


def service(**changes: Any) -> dict[str, Any]:
    found = deployed().service
    assert found is not None
    return observed(service=replace(found, **changes))


def stack(**changes: Any) -> dict[str, Any]:
    found = deployed().stack
    assert found is not None
    return observed(stack=replace(found, **changes))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"manifest": {}}, {Read.MANIFEST}),
        ({"version": "v10"}, {Read.RELEASE}),
        ({"commit": ""}, {Read.RELEASE}),
        ({"image": replace(IMAGE, digest="sha256:" + "0" * 64)}, {Read.IMAGE}),
        ({"network": ("subnet-2",)}, {Read.NETWORK}),
        (observed(cluster_exists=False), {Read.CLUSTER}),
        (stack(status="UPDATE_ROLLBACK_COMPLETE"), {Read.STACK}),
        (stack(tags={"fsd:service": "other"}), {Read.STACK}),
        (service(desired=3), {Read.SERVICE}),
        (service(exec=True), {Read.SERVICE}),
        (observed(latest=None), {Read.REVISION}),
        (observed(scaling=SCALING), {Read.SCALING, Read.SERVICE}),
        (service(running=1, pending=1, events=()), set()),
        ({}, set()),
    ],
    ids=[f"change-{number}" for number in range(14)],
)
def test_changed_reads__one_thing_changes__named(
    changes: dict[str, Any], expected: set[Read]
) -> None:
    saved, now = (save_plan(one, made_by="0.1.0") for one in (basis(), basis(**changes)))

    assert set(changed_reads(saved, now.reads)) == expected


def test_changed_reads__auto_scaling_moves_the_count__no_change() -> None:
    scaled = Scaling(
        minimum=1, maximum=9, cpu=60, memory=None, scale_in_cooldown=0, scale_out_cooldown=0
    )
    before = replace(deployed(), scaling=scaled)
    assert before.service is not None
    after = replace(before, service=replace(before.service, desired=7))

    assert digest_observed(before) == digest_observed(after)


def edited(**changes: Any) -> str:
    return json.dumps(json.loads(saved_text()) | changes)


def without(key: str) -> str:
    return json.dumps({k: v for k, v in json.loads(saved_text()).items() if k != key})


READS = json.loads(saved_text())["reads"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        "[" * 100_000,
        '{"a":' * 50_000,
        "1" * 10_000,
        without("account"),
        edited(more=1),
        edited(schema="fsd/saved-plan/v2"),
        edited(account="12345678901"),
        edited(account=123456789012),
        edited(account="١٢٣٤٥٦٧٨٩٠١٢"),
        edited(region="us-east-1\n"),
        edited(region="../../etc"),
        edited(service="web\u001b[2J"),
        edited(environment="dev/../prod"),
        edited(digest="sha256:latest"),
        edited(madeBy="<script>"),
        edited(reads={}),
        edited(reads=[]),
        edited(reads=READS | {"more": "0" * 64}),
        edited(reads=READS | {"stack": ["0" * 64]}),
        edited(reads=READS | {"stack": "0" * 63 + "G"}),
        saved_text().replace('"account"', '"region": "eu-west-1", "account"'),
    ],
    ids=[f"hostile-{number}" for number in range(25)],
)
def test_read_saved_plan__not_as_fsd_writes_it__refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_saved_plan(text)
