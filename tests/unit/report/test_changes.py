"""Changes, steps and phases in words."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from fsd.change import BareRemark, Change, CommitCount, KeptKind, OwnershipTaken, Sign
from fsd.compile.desired import OneOff, Scaling
from fsd.plan.steps import (
    ApplyScaling,
    ApplyShared,
    ApplyStack,
    CreateCluster,
    CreateService,
    PrepareCluster,
    PutSchedule,
    RegisterRevision,
    RemoveScaling,
    ReturnTraffic,
    RunOneOff,
    SetCount,
    SetStrategy,
    Step,
    TakeOver,
    UpdateService,
    UseRevision,
)
from fsd.release.reporter import hide_in
from fsd.report.changes import (
    change_json,
    change_text,
    changes_text,
    step_kind,
    step_subject,
    step_text,
)
from fsd.report.phases import phase_text
from tests.unit.release.desired import make_shared
from tests.unit.report.results import make_phase

CPU = Change(what="cpu", before="512", after="1024")
COUNT = Change(what="desired count", before="2", after="4")
STRATEGY = Change(what="strategy", before="ROLLING", after="CANARY")
WHEN = Change(what="rate(1 hour)")
DIGEST = "sha256:9b1f" + "0" * 60


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (CPU, "cpu 512 → 1024"),
        (
            Change(what="image", before="app:v1", after=DIGEST),
            "image app:v1 → sha256:9b1f00000000…",
        ),
        (Change(what="cpu target", after="70"), "cpu target none → 70"),
        (Change(what="cpu target", before="70"), "cpu target 70 → none"),
        (
            Change(what="environment", added=("A", "B"), removed=("C",), changed=("D",)),
            "environment +A +B -C ~D",
        ),
        (Change(what="load balancer", remark=BareRemark.REPLACED), "load balancer replaced"),
        (Change(what="again"), "again"),
        (Change(what="TaskRole", sign=Sign.CHANGE), "~TaskRole"),
        (Change(what="Listener", sign=Sign.ADD, remark=BareRemark.MISSING), "+Listener (missing)"),
        (
            Change(
                what="commits", before="1a2b3c4d5e", after="4f2c1e9aab", remark=CommitCount(count=3)
            ),
            "commits 1a2b3c4..4f2c1e9 (3 commits)",
        ),
        (Change(what="commits", before="1a2b3c4d5e", after="4f2c1e9"), "commits 1a2b3c4..4f2c1e9"),
    ],
)
def test_change_text__every_form__one_phrase(change: Change, text: str) -> None:
    assert change_text(change) == text


def test_changes_text__two__between_as_asked() -> None:
    assert changes_text((CPU, COUNT)) == "cpu 512 → 1024 · desired count 2 → 4"
    assert changes_text((CPU, COUNT), between=", ") == "cpu 512 → 1024, desired count 2 → 4"


def test_change_json__values_and_the_phrase() -> None:
    assert change_json(replace(CPU, remark=BareRemark.UNPROVED, sign=Sign.CHANGE)) == {
        "what": "cpu",
        "text": "512 → 1024 (nothing has proved it yet)",
        "sign": "~",
        "before": "512",
        "after": "1024",
        "added": [],
        "removed": [],
        "changed": [],
        "remark": "nothing has proved it yet",
    }


def stack(count: int, **fields: object) -> ApplyStack:
    changes = tuple(Change(what=f"R{number}", sign=Sign.CHANGE) for number in range(count))
    step = ApplyStack(name="fsd-web-dev", template={}, changes=changes, sign=Sign.CHANGE)
    return replace(step, **fields)  # type: ignore[arg-type] # keywords


SCALING = Scaling(
    minimum=1, maximum=4, cpu=70, memory=None, scale_in_cooldown=60, scale_out_cooldown=60
)
STEPS: list[tuple[Step, str, str]] = [
    (CreateCluster(name="dev"), "create-cluster", "cluster dev"),
    (
        RunOneOff(key="beforeDeploy", one_off=OneOff(command=("migrate", "--all"), timeout=60)),
        "run-one-off",
        "task beforeDeploy: migrate --all",
    ),
    (
        PrepareCluster(name="dev", namespace="dev", providers=("FARGATE_SPOT",)),
        "prepare-cluster",
        "cluster dev   +namespace dev · +capacity provider FARGATE_SPOT",
    ),
    (stack(1), "apply-stack", "stack fsd-web-dev   ~R0"),
    (
        stack(8),
        "apply-stack",
        "stack fsd-web-dev   ~R0 · ~R1 · ~R2 · ~R3 · ~R4 · ~R5 · 2 more",
    ),
    (
        ApplyShared(
            name="fsd-shared-main-dev",
            shared=make_shared(),
            changes=(Change(what="HttpListener", sign=Sign.CHANGE),),
            sign=Sign.CHANGE,
        ),
        "apply-shared-stack",
        "stack fsd-shared-main-dev   shared load balancer   ~HttpListener",
    ),
    (stack(8, sign=Sign.ADD), "apply-stack", "stack fsd-web-dev   8 resources"),
    (
        stack(1, cleans_up=True),
        "apply-stack",
        "stack fsd-web-dev   ~R0   once no old task needs it",
    ),
    (
        RegisterRevision(family="web-dev", definition={}, changes=(CPU,), sign=Sign.CHANGE),
        "register-revision",
        "revision cpu 512 → 1024",
    ),
    (
        RegisterRevision(family="web-dev", definition={}, changes=(), sign=Sign.ADD),
        "register-revision",
        "revision web-dev",
    ),
    (
        UseRevision(arn="arn:aws:ecs:r:1:task-definition/web-dev:42", changes=(CPU,)),
        "use-revision",
        "revision web-dev:42 (registered before)   cpu 512 → 1024",
    ),
    (CreateService(name="web-dev", desired_count=1), "create-service", "service web-dev   1 task"),
    (CreateService(name="web-dev", desired_count=2), "create-service", "service web-dev   2 tasks"),
    (
        UpdateService(name="web-dev", changes=(COUNT,), rolls_out=False),
        "update-service",
        "service web-dev   desired count 2 → 4",
    ),
    (
        UpdateService(name="web-dev", changes=(), rolls_out=True),
        "update-service",
        "service web-dev",
    ),
    (
        PutSchedule(name="report-dev", changes=(WHEN,), releases=True, sign=Sign.ADD),
        "put-schedule",
        "schedule report-dev   starts the new revision · rate(1 hour)",
    ),
    (
        PutSchedule(name="report-dev", changes=(), releases=True, sign=Sign.CHANGE),
        "put-schedule",
        "schedule report-dev   starts the new revision",
    ),
    (
        ApplyScaling(scaling=SCALING, changes=(COUNT,), sign=Sign.ADD),
        "apply-scaling",
        "scaling desired count 2 → 4",
    ),
    (
        TakeOver(
            name="api",
            arn="arn",
            changes=(
                Change(what="ownership", remark=OwnershipTaken(keeps=((KeptKind.TASK_ROLE, "a"),))),
            ),
        ),
        "take-over",
        "service api   ownership taken over from another tool: keeps its task role a",
    ),
    (RemoveScaling(), "remove-scaling", "scaling no longer scaled"),
    (
        RemoveScaling(kept_for=("nightly", "burst")),
        "remove-scaling",
        "scaling no longer scaled by FSD's policies; nightly, burst stays",
    ),
    (
        SetCount(name="web-dev", count=4, changes=(COUNT,)),
        "set-count",
        "service web-dev   desired count 2 → 4   once auto scaling is gone",
    ),
    (
        ReturnTraffic(
            stack="fsd-web-dev",
            group="arn:a",
            changes=(
                Change(what="traffic", before="b", after="a", remark=BareRemark.ALL_REQUESTS),
            ),
        ),
        "return-traffic",
        "stack traffic b → a (all requests)",
    ),
    (
        SetStrategy(name="web-dev", configuration={}, changes=(STRATEGY,)),
        "set-strategy",
        "service web-dev   strategy ROLLING → CANARY",
    ),
    (
        SetStrategy(name="web-dev", configuration={}, changes=(STRATEGY,), is_after=True),
        "set-strategy",
        "service web-dev   strategy ROLLING → CANARY   after the rollout",
    ),
]


@pytest.mark.parametrize(("step", "kind", "text"), STEPS)
def test_step__kind_subject_and_what_it_does(step: Step, kind: str, text: str) -> None:
    assert step_kind(step) == kind
    assert f"{step_subject(step)} {step_text(step)}" == text


def test_step_kind__every_step__a_word_of_its_own() -> None:
    shown = {type(step): step_kind(step) for step, _, _ in STEPS}

    assert shown.keys() == set(get_args(Step.__value__ if hasattr(Step, "__value__") else Step))
    assert len(set(shown.values())) == len(shown)


def test_phase_text__step__what_it_does_then_what_came_of_it() -> None:
    step = RegisterRevision(family="web-dev", definition={}, changes=(CPU,), sign=Sign.CHANGE)
    running = replace(make_phase(fact=None), step=step)

    assert phase_text(running) == "cpu 512 → 1024"
    assert phase_text(replace(running, revision="web-dev:42")) == "web-dev:42   cpu 512 → 1024"


def test_hide_in__secret_in_a_step__in_no_report() -> None:
    change = Change(what="labels", before="hunter2", after="hunter2", added=("hunter2",))
    step = UseRevision(arn="hunter2", changes=(change,))
    phase = replace(make_phase(fact=None), step=step, revision="hunter2")

    hidden = hide_in(phase, lambda text: text.replace("hunter2", "***"))

    assert "hunter2" not in phase_text(hidden)
    assert "hunter2" not in repr(hidden)
    assert phase_text(hidden).startswith("***   labels +*** *** → ***")
