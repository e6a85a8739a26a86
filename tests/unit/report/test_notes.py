"""Every sentence of a note, in one file; and that the core has values only."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import get_args

import pytest

from fsd.change import Change, Sign
from fsd.manifest.rollout_time import Estimate, Part
from fsd.plan import notes as plan_notes
from fsd.plan.moved_check import MovedCheck, TargetCheck
from fsd.quoted import Quoted
from fsd.release import notes
from fsd.release.follow_ups import ServiceCommand
from fsd.release.notes import Note
from fsd.report.notes import note_text
from fsd.rollout.log_remarks import LogElsewhere
from fsd.snapshot import LifecycleHook
from tests.golden import golden

ERROR = Quoted(text="AccessDenied: no")
TIMEOUT = Quoted(text="ReadTimeout: no answer within 30 s")
PLACED = Quoted(text="AccessDenied: no", where="DeleteTargetGroup")
AT = datetime(2026, 3, 4, 14, 2, 9, tzinfo=UTC)
MOVED = MovedCheck(
    target_group="TargetGroup", before=TargetCheck(path="/health"), after=TargetCheck(path="/ready")
)
CLASH = notes.StackClash(
    stack="fsd-web-dev", changes=(Change(what="TaskRole", sign=Sign.CHANGE), Change(what="Alarm"))
)
HOOK = LifecycleHook(
    id="canary", status="AWAITING_ACTION", expires_at=AT, timeout_action="ROLLBACK"
)
LEFT = notes.LeftBehind(stack="fsd-web-dev", resources=("TargetGroup1", "ListenerRule1"))
SAMPLES: tuple[Note, ...] = (
    *notes.Remark,
    plan_notes.VersionKept(version="v1.2.9"),
    plan_notes.HealthCheckMoves(moved=MOVED),
    plan_notes.HealthCheckMoves(moved=MOVED, is_tried=False),
    plan_notes.ShiftsLater(strategy="BLUE_GREEN"),
    plan_notes.CountWithoutEffect(wished=4, now=2),
    plan_notes.ForeignPolicies(service="web-dev", policies=("cpu-high",)),
    plan_notes.ForeignPolicies(service="web-dev", policies=("cpu-high", "cpu-low")),
    plan_notes.ForeignTarget(service="web-dev", minimum=1, maximum=4, policies=()),
    plan_notes.ServiceAdopted(service="api", revision="shop-api:7"),
    plan_notes.TargetGroupLeft(arn="arn:aws:e:r:1:targetgroup/shop/0a1b"),
    plan_notes.SecurityGroupsLeft(groups=("sg-1", "sg-2")),
    plan_notes.ScheduleTakenOver(name="nightly", is_rule=True),
    plan_notes.OldScheduleGone(arn="arn:aws:events:us-east-1:123456789012:rule/nightly"),
    plan_notes.RoleReplaced(what="task role", role="shop-task"),
    plan_notes.TargetStays(service="web-dev", minimum=1, maximum=4, policies=("cpu-high",)),
    notes.OutputLine(text="Step 1/3 : FROM python"),
    notes.OutputLine(text="migrated", source="beforeDeploy"),
    notes.StepLog(step="beforeDeploy", remark=LogElsewhere(container="web")),
    notes.NoAnswer(error=TIMEOUT, is_look=True),
    notes.NoAnswer(error=TIMEOUT, is_look=False),
    notes.AnswerLost(error=TIMEOUT),
    *(notes.CouldNot(what=what, error=ERROR) for what in notes.Undone),
    notes.StopRefused(error=ERROR),
    notes.DeploymentAwaited(revision="web-dev:41"),
    notes.ShiftStopped(revision="web-dev:41"),
    notes.AttachedTo(deployment_arn="arn:aws:ecs:us-east-1:123456789012:service-deployment/a/b/c"),
    notes.OlderTakenOver(revision="web-dev:41", version="v1.2.9"),
    notes.OlderTakenOver(revision="web-dev:41", version=""),
    notes.TakenOver(revision="web-dev:41", had_succeeded=True),
    notes.TakenOver(revision="web-dev:41", had_succeeded=False),
    notes.WaitTooShort(
        expected=Estimate(parts=((Part.DRAIN, 600), (Part.START, 40))),
        speed=1.0,
        timeout=timedelta(minutes=5),
    ),
    notes.WaitTooShort(
        expected=Estimate(parts=((Part.DRAIN, 600),)), speed=10.0, timeout=timedelta(seconds=40)
    ),
    notes.AlarmsIgnored(alarms=("5xx",)),
    notes.AlarmsMissing(alarms=("5xx",)),
    notes.AlarmsMissing(alarms=("5xx", "slow")),
    notes.AlarmsWatched(alarms=("5xx", "slow")),
    notes.TasksWatched(seconds=30.0),
    notes.DeploymentPaused(hook=HOOK, stage="PRE_SCALE_UP"),
    notes.UnhealthyTasks(
        healthy=1,
        desired=2,
        look=ServiceCommand(name="diagnose", service="web", environment="dev"),
    ),
    notes.ServiceIsDown(service="web-dev", revision="web-dev:41", since=AT, is_since_known=True),
    notes.ServiceIsDown(service="web-dev", revision="web-dev:41", since=AT, is_since_known=False),
    notes.BackTo(
        service="web-dev",
        revision="web-dev:42",
        version="v1.3.0",
        target_revision="web-dev:41",
        target_version="",
    ),
    notes.FirstTasks(revision="web-dev:41"),
    notes.OneOffFailedAfter(
        error=Quoted(text="`afterDeploy` ended with exit code 1"),
        fix="make it end with exit code 0",
    ),
    notes.CountSet(service="web-dev", count=2),
    notes.ClashLeft(
        clash=CLASH, since=(notes.OtherDeployment(revision="web-dev:43", run="org/web/runs/7"),)
    ),
    notes.ClashLeft(clash=CLASH, since=()),
    notes.ClashMended(clash=CLASH, error=None),
    notes.ClashMended(clash=CLASH, error=ERROR),
    notes.Undeleted(resources=("TaskRole",)),
    LEFT,
    notes.StackNotRestored(error=ERROR, left=LEFT),
    notes.StackKeepsMore(),
    notes.StackKeepsMore(error=ERROR),
    notes.CheckTried(moved=MOVED, tasks=1),
    notes.CheckPassed(moved=MOVED, tasks=1),
    notes.CheckPassed(moved=MOVED, tasks=2),
    notes.PortOpened(port="8081"),
    notes.ProbeLeft(error=PLACED, is_own=True),
    notes.ProbeLeft(error=PLACED, is_own=False),
    notes.Forced(entry="deploy from a1b2c3d by amy@laptop"),
    notes.ImageNotBuilt(image="web:4f2c1e9"),
    notes.TagMissing(has="src-77aa", tag="4f2c1e9", error=ERROR),
    notes.DigestUnknown(reference="docker.io/org/web:1", why=notes.NoDigest.NOT_ECR),
    notes.DigestUnknown(reference="web:1", why=notes.NoDigest.NOT_THERE),
    notes.DigestUnknown(reference="web:1", why=ERROR),
    notes.StepsSkipped(steps=("RUN apt-get install curl", "USER app")),
    *(notes.Created(what=what, name="web") for what in notes.Made),
    notes.DefaultVpcUsed(vpc_id="vpc-1"),
    notes.FilesNotFetched(files=("a.bin",)),
    notes.FilesNotFetched(files=("a.bin", "b.bin", "c.bin", "d.bin")),
    notes.ReferrerLeft(digest="sha256:0b", to="registry.example/hello", error=ERROR),
    notes.ImageUntagged(image="registry.example/hello@sha256:0a", error=ERROR),
    notes.ScanAwaited(image="hello@sha256:0a…"),
    notes.ScanAhead(image="hello@sha256:0a…", status="IN_PROGRESS"),
    notes.ScanAhead(image="hello:4f2c1e9"),
    notes.ProvenanceVerified(repository="org/web", workflow="deploy.yml", commit="4f2c1e9" * 5),
    notes.PolicyUnread(policy="promoteFrom", error=ERROR),
    notes.ApprovalAhead(stage="postScaleUp", timeout="24h", then="rollback"),
    notes.ApprovalAhead(stage="postScaleUp", timeout="4h", then="continue"),
    notes.ScanPassed(image="hello@sha256:0a…", block="critical", counts=(("HIGH", 2), ("LOW", 1))),
    notes.ScanPassed(image="hello@sha256:0a…", block="high", counts=()),
    notes.ScanPassed(
        image="hello@sha256:0a…",
        block="high",
        counts=(("UNDEFINED", 4),),
        unrated=("CVE-2026-1", "CVE-2026-2", "CVE-2026-3", "CVE-2026-4"),
        completed_at=datetime(2026, 11, 22, 23, 30, tzinfo=UTC),
    ),
    notes.ImageCopied(to="registry.example/hello", sent=12_340_000, seconds=1.26),
    notes.Promoted(
        version="v1.2.9", revision="web-stg:7", digest="sha256:" + "9" * 64, source="stg"
    ),
    *(notes.Removing(what=what, name="web-dev") for what in notes.Removal),
)
KINDS = get_args(notes.Note)


def test_note_text__every_kind__reads_as_in_the_file() -> None:
    assert {type(sample) for sample in SAMPLES} == set(KINDS)

    text = "".join(f"{note_text(sample)}\n" for sample in SAMPLES)
    assert text == golden("report/notes.txt", text)


@pytest.mark.parametrize(
    "note", SAMPLES, ids=[f"{n}-{type(s).__name__}" for n, s in enumerate(SAMPLES)]
)
def test_note_text__every_sample__one_line_without_a_full_stop(note: Note) -> None:
    text = note_text(note)

    assert text == text.strip()
    assert "\n" not in text
    assert not text.endswith(".")
    assert isinstance(note, StrEnum) or dataclasses.is_dataclass(note)
