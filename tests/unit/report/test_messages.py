"""Every sentence about an outcome, in one file."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

from fsd.quoted import Quoted
from fsd.release import messages
from fsd.release.follow_ups import AdvisedFix, DeployAgain, FollowUp, ServiceCommand
from fsd.release.messages import Message, RolloutStage
from fsd.release.notes import DeploymentPaused, LeftBehind, StackClash, Undeleted
from fsd.report.follow_ups import follow_up_texts
from fsd.report.messages import message_text
from fsd.snapshot import DeploymentStatus, LifecycleHook
from tests.golden import golden

ERROR = Quoted(text="AccessDenied: no", where="web-dev")
SIGNAL = Quoted(text="stopped by SIGTERM")
AT = datetime(2026, 3, 4, 14, 2, 9, tzinfo=UTC)
SINCE = messages.Since(at=AT, is_known=True)
REVISION = "web-dev:42"
HOOK = LifecycleHook(id="canary", status="AWAITING_ACTION", expires_at=AT)
LOOK = ServiceCommand(name="status", service="web", environment="dev")
WHY = messages.WhyNot(revision="web-dev:41", cause=Quoted(text="the image does not exist"))
CLASH = StackClash(stack="fsd-web-dev", changes=())
LEFT = LeftBehind(stack="fsd-web-dev", resources=("ListenerRule1",))
CUTS: tuple[messages.CutOff, ...] = (
    messages.NotRequested(),
    messages.NotRequested(stack="fsd-web-dev"),
    messages.ScheduleCut(look=None),
    messages.ScheduleCut(look=LOOK),
    messages.NotListed(revision=REVISION),
    messages.GoesOn(revision=REVISION),
    messages.GoesOn(revision=REVISION, refused=ERROR),
    messages.RollbackRequested(revision=REVISION),
    messages.TooLateToGoBack(revision=REVISION, status=DeploymentStatus.SUCCESSFUL),
    messages.TooLateToGoBack(revision=REVISION, status=None),
    messages.Unconfirmed(revision=REVISION),
    messages.WasGoingBack(revision=REVISION),
    messages.WasSettling(revision=REVISION),
)


def standing(stage: RolloutStage) -> messages.RolloutProgress:
    return messages.RolloutProgress(
        stage=stage,
        desired=2,
        running=1,
        pending=1,
        healthy=0,
        old_running=2,
        alarms=("5xx",),
        drained_at=AT,
        drain=timedelta(minutes=5),
        slowest=RolloutStage.DRAIN,
        slowest_took=timedelta(seconds=38),
    )


def not_done(stands: messages.RolloutProgress | DeploymentPaused) -> messages.NotDone:
    return messages.NotDone(
        timeout=timedelta(minutes=20), status=DeploymentStatus.IN_PROGRESS, stands=stands
    )


BACK: tuple[messages.BackEnded, ...] = (
    *messages.BareMessage,
    messages.OvertakenBy(revision="web-dev:43"),
    messages.OvertakenBy(),
    messages.AsBefore(),
    messages.AsBefore(is_stack_restored=True),
    messages.AsBefore(new_stack="fsd-web-dev"),
    messages.AsBefore(clash=CLASH, left=LEFT),
    messages.AsBefore(undeleted=Undeleted(resources=("TaskRole",))),
    messages.RunsAgain(revision="web-dev:41"),
    messages.NothingBefore(unproved="", is_stopped=True),
    messages.NothingBefore(unproved="web-dev:41", is_stopped=False),
    messages.RollbackDenied(error=ERROR),
    messages.EcsCouldNot(reason=Quoted(text="rollback failed"), why=WHY),
    messages.BackNotDone(revision="web-dev:41"),
    messages.BackFailed(revision="web-dev:41", got_healthy=False, why=None),
    messages.BackFailed(revision="web-dev:41", got_healthy=True, why=WHY),
    messages.StepRefused(error=ERROR),
    messages.BackUnknown(revision="web-dev:41", error=ERROR),
    messages.NotRolledOutAgain(revision="web-dev:41", error=ERROR),
    messages.CheckNotRestored(error=ERROR),
    messages.Down(
        service="web-dev",
        since=messages.Since(at=AT, is_known=False),
        revision="web-dev:41",
        tried=messages.StepRefused(error=ERROR),
        health_path="/health",
    ),
    messages.Down(
        service="web-dev",
        since=SINCE,
        revision="web-dev:41",
        tried=messages.BackNotDone(revision="web-dev:41"),
        health_path="",
    ),
)
SAMPLES: tuple[Message, ...] = (
    *(messages.StoppedBySignal(signal=SIGNAL, state=state) for state in CUTS),
    messages.StateUnknown(revision=REVISION, error=ERROR, is_called_done=False),
    messages.StateUnknown(revision=REVISION, error=ERROR, is_called_done=True),
    messages.NothingRan(revision=REVISION),
    *(not_done(standing(stage)) for stage in RolloutStage),
    not_done(DeploymentPaused(hook=HOOK, stage="PRE_SCALE_UP")),
    messages.LeftFailed(revision=REVISION),
    messages.LeftFailed(revision=REVISION, others=("web-dev:41",), do_serve=True),
    messages.LeftFailed(revision=REVISION, others=("web-dev:40", "web-dev:41")),
    messages.NotBegun(error=Quoted(text="`beforeDeploy` ended with exit code 1")),
    messages.NotBegun(error=Quoted(text="`beforeDeploy` ended with exit code 1"), is_job=True),
    messages.InWorkflow(said=Quoted(text="not rolled back (`rollback: false`)")),
    messages.RunsAlready(revision=REVISION),
    messages.CountAlready(count=2),
    messages.CountChanged(before=2, after=4),
    *BACK,
    messages.BackAndHealth(
        ended=messages.AsBefore(), health=messages.WasDown(since=SINCE, until=AT)
    ),
    messages.BackAndHealth(ended=messages.AsBefore(), health=messages.HealthUnknown(error=ERROR)),
)
FOLLOW_UPS: tuple[FollowUp, ...] = (
    LOOK,
    ServiceCommand(name="logs", service="web", environment="dev", options=(("since", "1h"),)),
    *DeployAgain,
    AdvisedFix(text="give the role the permission"),
)


def test_message_text__every_kind__reads_as_in_the_file() -> None:
    assert {type(sample) for sample in SAMPLES} == set(get_args(Message))
    assert {type(cut) for cut in CUTS} == set(get_args(messages.CutOff))

    text = "".join(f"{message_text(sample)}\n" for sample in SAMPLES)
    assert text == golden("report/messages.txt", text)


def test_follow_up_texts__every_kind__reads_as_in_the_file() -> None:
    assert {type(each) for each in FOLLOW_UPS} == set(get_args(FollowUp))

    text = "".join(f"{line}\n" for line in follow_up_texts(FOLLOW_UPS))
    assert text == golden("report/follow_ups.txt", text)
