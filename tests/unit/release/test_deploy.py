from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from fsd.compile.desired import Desired, Json, Scaling
from fsd.errors import CallFailedError, Interrupted, RefusedError, TimedOutError
from fsd.plan.transition import is_same_template
from fsd.release.concurrency.in_flight import CommitOrder, InFlight
from fsd.release.deploy import deploy
from fsd.release.deploy_request import DeployRequest, OnCancel
from fsd.release.follow_ups import DeployAgain
from fsd.release.ports import RevisionInactive, Throttled
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, PhaseName, ReleaseInfo, Result
from fsd.report.follow_ups import follow_up_texts
from fsd.report.messages import message_text
from fsd.report.notes import note_texts
from fsd.snapshot import TargetHealth
from tests.fakes.aws import START, FakeAws, FakeClock
from tests.unit.release.desired import make_desired, make_request

SCALING = Scaling(
    minimum=2, maximum=5, cpu=70, memory=None, scale_in_cooldown=300, scale_out_cooldown=300
)
HICCUP = CallFailedError("connection reset", where="ecs", fix="again")


def run(
    aws: FakeAws, request: DeployRequest | None = None, clock: FakeClock | None = None
) -> Result:
    return deploy(
        request or make_request(), aws.aws(), clock=clock or FakeClock(), reporter=Silent()
    )


def running(revision: int = 41) -> FakeAws:
    aws = FakeAws()
    aws.ecs.declare_running(revision)
    aws.stacks.apply("fsd-web-dev", template=make_desired().template, tags={"fsd:service": "web"})
    aws.stacks.applied.clear()
    return aws


def names(aws: FakeAws) -> list[str]:
    return [name for name, _ in aws.ecs.calls]


def test_deploy__first_one__creates_everything_and_succeeds() -> None:
    aws = FakeAws()
    aws.ecs.script("PENDING", "IN_PROGRESS", "SUCCESSFUL")

    result = run(aws, make_request(make_desired(scaling=SCALING)))

    assert result.outcome is Outcome.SUCCEEDED
    assert names(aws) == ["create_cluster", "create_service"]
    assert aws.stacks.find("fsd-web-dev") is not None
    assert aws.scaling.scaling == SCALING
    assert result.previous is None
    assert result.running is not None
    assert result.running.revision == "web-dev:1"


def test_deploy__update__one_update_service_and_success() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")

    result = run(aws)

    assert result.outcome is Outcome.SUCCEEDED
    assert names(aws) == ["update_service"]
    assert aws.stacks.applied == []
    assert result.previous is not None
    assert result.previous.revision == "web-dev:41"
    assert [change.what for change in result.changes] == ["image"]


def test_deploy__same_again__unchanged_and_no_call() -> None:
    aws = running()
    run(aws)
    aws.ecs.calls.clear()

    result = run(aws)

    assert result.outcome is Outcome.UNCHANGED
    assert aws.ecs.calls == []


def test_deploy__revision_registered_by_a_run_that_died__used_again() -> None:
    aws = running()
    desired = make_desired()
    aws.ecs.register(desired.task_definition, tags={})
    aws.ecs.script("SUCCESSFUL")

    run(aws)

    assert len(aws.ecs.definitions) == 2


@pytest.mark.parametrize(
    ("statuses", "is_told"),
    [
        (("IN_PROGRESS", "SUCCESSFUL"), True),
        (("IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"), False),
    ],
    ids=["success", "rollback"],
)
def test_deploy__strategy_waits_for_the_next_release__told_only_where_it_is_set(
    statuses: tuple[str, ...], *, is_told: bool
) -> None:
    aws, desired = running(), make_desired()
    strategy: Json = {"strategy": "CANARY"}
    shifting = replace(
        desired.service, deployment_configuration=strategy, has_load_balancer=True, port=8000
    )
    made = ("TargetGroupArn", "AlternateTargetGroupArn", "ProductionRuleArn")
    aws.stacks.outputs = {name: f"arn:{name}" for name in (*made, "InfrastructureRoleArn")}
    aws.stacks.apply("fsd-web-dev", template=desired.template, tags={"fsd:service": "web"})
    healthy = [TargetHealth(address=f"10.0.0.{at}", port=8000, state="healthy") for at in (1, 2)]
    aws.targets.declare("arn:TargetGroupArn", *healthy)
    aws.ecs.script(*statuses)

    result = run(aws, make_request(replace(desired, service=shifting)))

    assert (result.outcome is Outcome.SUCCEEDED) is is_told
    assert any("CANARY" in text for text in note_texts(result.notes)) is is_told


def test_deploy__ecs_rolls_back__outcome_and_stack_restored() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL")
    before = make_desired().template
    changed = make_desired(template={"Resources": {"Logs": {"Type": "other"}}})

    result = run(aws, make_request(changed))

    assert result.outcome is Outcome.ROLLED_BACK
    assert aws.stacks.applied == [changed.template, before]
    assert result.running is not None
    assert result.running.revision == "web-dev:41"
    assert "stop_service_deployment" not in names(aws)


def died(aws: FakeAws, changed: Desired) -> None:
    """A run of `changed` that was killed after it had asked ECS; ECS has rolled back since."""
    aws.ecs.script("IN_PROGRESS")
    clock = FakeClock()
    clock.at(1, kill)
    with pytest.raises(MemoryError):
        run(aws, make_request(changed), clock)
    aws.ecs.end("ROLLBACK_SUCCESSFUL")
    aws.stacks.applied.clear()


def kill() -> None:
    raise MemoryError


CHECK_A: Json = {"Resources": {"Check": {"Type": "a"}}}
CHECK_B: Json = {"Resources": {"Check": {"Type": "b"}}}


def test_deploy__run_before_died_and_this_one_fails__stack_of_the_last_good_release() -> None:
    aws = running()
    before = make_desired().template
    died(aws, make_desired(template=CHECK_A))
    aws.ecs.script("ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL")

    result = run(aws, make_request(make_desired(template=CHECK_B)))

    assert result.outcome is Outcome.ROLLED_BACK
    assert aws.stacks.applied[-1] == before


def test_deploy__run_before_died_and_the_same_fails_again__stack_of_the_last_good_release() -> None:
    aws = running()
    before = make_desired().template
    died(aws, make_desired(template=CHECK_A))
    aws.ecs.script("ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL")

    result = run(aws, make_request(make_desired(template=CHECK_A)))

    assert result.outcome is Outcome.ROLLED_BACK
    assert aws.stacks.applied == [before]


def test_deploy__run_before_died_and_a_release_succeeded_since__its_own_stack_stays() -> None:
    aws = running()
    died(aws, make_desired(template=CHECK_A))
    aws.ecs.script("SUCCESSFUL")
    run(aws, make_request(make_desired(template=CHECK_A)))
    aws.ecs.script("ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL")

    result = run(aws, make_request(make_desired(template=CHECK_B, cpu="1024")))

    assert result.outcome is Outcome.ROLLED_BACK
    assert aws.stacks.applied[-2:] == [CHECK_B, CHECK_A]


def test_deploy__crashes_twice__stopped_at_once_and_rolled_back() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS")
    aws.ecs.on_stop("ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL")
    aws.ecs.crash(42, times=2)
    aws.logs.say("fatal: password=hunter2 refused")

    result = run(aws)

    assert result.outcome is Outcome.ROLLED_BACK
    assert names(aws) == ["update_service", "stop_service_deployment", "tag_task_definition"]
    tags = aws.ecs.calls[-1][1]["tags"]
    assert tags == {"fsd:failed": "crashed: the main process ended =282 tasks=2C exit code 1=29"}
    assert result.diagnosis is not None
    assert result.diagnosis.cause.code == "crashed"
    assert result.diagnosis.log_lines == ("14:00:00 fatal: password=*** refused",)
    assert result.diagnosis.changed_since == "web-dev:41 (v41)"


def test_deploy__failed_release__count_and_scaling_as_before() -> None:
    aws = running()
    aws.ecs.script("ROLLBACK_SUCCESSFUL")

    run(aws, make_request(make_desired(count=7)))

    assert aws.ecs.services["web-dev"].desired == 2

    aws = running()
    aws.ecs.script("ROLLBACK_SUCCESSFUL")
    run(aws, make_request(make_desired(scaling=SCALING)))

    assert aws.scaling.scaling is None


def test_deploy__stop_lost_the_race__success() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS", "SUCCESSFUL")
    aws.ecs.on_stop("SUCCESSFUL")
    aws.ecs.crash(42, times=2)

    assert run(aws).outcome is Outcome.SUCCEEDED


def test_deploy__superseded__nothing_of_the_other_is_undone() -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.script("IN_PROGRESS")
    clock.at(2, lambda: aws.ecs.take_over(99))

    result = run(aws, clock=clock)

    assert result.outcome is Outcome.SUPERSEDED
    assert names(aws) == ["update_service"]
    assert result.running is not None
    assert result.running.revision == "web-dev:99"


def test_deploy__stopped_without_a_rollback__goes_back_itself() -> None:
    aws = running()
    aws.ecs.script("STOPPED")
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")

    result = run(aws)

    assert result.outcome is Outcome.ROLLED_BACK
    assert result.running is not None
    assert result.running.revision == "web-dev:41"


def test_deploy__rollback_fails__exit_7() -> None:
    aws = running()
    aws.ecs.script("ROLLBACK_FAILED")

    result = run(aws)

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert result.outcome.exit_code == 7


@pytest.mark.parametrize(
    ("drain", "outcome"), [(3600, Outcome.ROLLED_BACK), (30, Outcome.ROLLBACK_FAILED)]
)
def test_deploy__rollback_drains_for_long__waited_for_as_long(drain: int, outcome: Outcome) -> None:
    """Half an hour in ROLLBACK_IN_PROGRESS, by the pace of the looks."""
    aws, clock = running(), FakeClock()
    aws.ecs.script("ROLLBACK_IN_PROGRESS")
    clock.at(228, lambda: aws.ecs.end("ROLLBACK_SUCCESSFUL"))
    desired = replace(make_desired(), drain=drain)

    assert run(aws, make_request(desired), clock).outcome is outcome


def test_deploy__first_one_fails__no_tasks_left_and_exit_7() -> None:
    aws = FakeAws()
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS")
    aws.ecs.on_stop("STOPPED")
    aws.ecs.crash(1, times=2)

    result = run(aws)

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert aws.ecs.services["web-dev"].desired == 0
    assert "nothing to roll back to" in message_text(result.message)
    assert aws.stacks.find("fsd-web-dev") is not None


def test_deploy__no_rollback_asked_for__left_as_it_is() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS")
    aws.ecs.crash(42, times=2)

    result = run(aws, make_request(rollback=False))

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert names(aws) == ["update_service", "tag_task_definition"]


def test_deploy__never_done__timed_out_and_left_to_ecs() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS")

    result = run(aws)

    assert result.outcome is Outcome.TIMED_OUT
    assert names(aws) == ["update_service"]


def test_deploy__throttled_and_hiccups__survived() -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS", "SUCCESSFUL")
    throttled = Throttled("rate exceeded", where="ecs", fix="later")
    clock.at(1, lambda: aws.ecs.fail("find_service", throttled, HICCUP, HICCUP, throttled))

    assert run(aws, clock=clock).outcome is Outcome.SUCCEEDED


def test_deploy__aws_stays_away__state_unknown_and_exit_9() -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.script("IN_PROGRESS")
    clock.at(1, lambda: aws.ecs.fail("find_service", *[HICCUP] * 9))

    result = run(aws, clock=clock)

    assert result.outcome is Outcome.TIMED_OUT
    assert result.outcome.exit_code == 9
    assert "connection reset" in message_text(result.message)


def test_deploy__last_look_fails__still_the_success_that_it_was() -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS", "SUCCESSFUL")
    aws.stacks.on_find = [None, HICCUP]

    result = run(aws, clock=clock)

    assert result.outcome is Outcome.SUCCEEDED
    assert note_texts(result.notes) == ("FSD could not read what is running now: connection reset",)
    assert result.running is not None


def test_deploy__stack_is_not_done_in_the_rollback__state_unknown_and_the_diagnosis_kept() -> None:
    aws = running()
    aws.ecs.script("ROLLBACK_SUCCESSFUL")
    changed = make_desired(template={"Resources": {"Logs": {"Type": "other"}}})
    aws.stacks.on_apply = [None, TimedOutError("not done after 45 minutes", where="s", fix="wait")]

    result = run(aws, make_request(changed))

    assert result.outcome is Outcome.TIMED_OUT
    assert "not done after 45 minutes" in message_text(result.message)
    assert result.diagnosis is not None


def test_deploy__what_it_superseded_had_succeeded__goes_back_to_that_and_its_stack() -> None:
    aws = running()
    begun = make_desired(template=CHECK_A)
    aws.ecs.script("IN_PROGRESS")
    run(aws, make_request(begun, wait=False))
    as_found = aws.stacks.applied[-1]
    aws.ecs.before_update = [lambda: aws.ecs.end("SUCCESSFUL")]
    aws.ecs.script("IN_PROGRESS", "STOPPED")
    aws.ecs.script("SUCCESSFUL")

    result = run(
        aws,
        make_request(make_desired(template=CHECK_B, cpu="1024"), in_flight=InFlight.SUPERSEDE),
    )

    assert result.outcome is Outcome.ROLLED_BACK
    assert aws.ecs.services["web-dev"].task_definition_arn.endswith("web-dev:42")
    assert aws.stacks.applied[-1] == as_found


def test_deploy__aws_away_for_a_while_in_the_rollback__stack_restored_all_the_same() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL")
    before = make_desired().template
    changed = make_desired(template={"Resources": {"Logs": {"Type": "other"}}})
    throttled = Throttled("Rate exceeded", where="stack", fix="wait")
    aws.stacks.on_apply = [None, throttled, throttled, throttled]

    result = run(aws, make_request(changed))

    assert result.outcome is Outcome.ROLLED_BACK
    assert aws.stacks.applied == [changed.template, before]


def test_deploy__aws_away_for_good_in_the_rollback__state_unknown_and_the_diagnosis_kept() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL")
    aws.ecs.crash(42, times=2)
    changed = make_desired(template={"Resources": {"Logs": {"Type": "other"}}})
    throttled = Throttled("Rate exceeded", where="stack", fix="wait")
    aws.stacks.on_apply = [None, *([throttled] * 99)]

    result = run(aws, make_request(changed))

    assert result.outcome is Outcome.TIMED_OUT
    assert "FSD does not know what is running" in message_text(result.message)
    assert result.diagnosis is not None
    assert result.diagnosis.cause.code == "crashed"


def test_deploy__last_look_is_throttled__looks_again() -> None:
    aws = running()
    aws.ecs.script("SUCCESSFUL")
    throttled = Throttled("Rate exceeded", where="stack", fix="wait")
    aws.stacks.on_find = [None, throttled, throttled]

    result = run(aws)

    assert result.outcome is Outcome.SUCCEEDED
    assert note_texts(result.notes) == ()


def test_deploy__what_runs_cannot_be_described__still_names_the_release_that_it_saw() -> None:
    aws = running()
    aws.ecs.script("SUCCESSFUL")
    aws.ecs.on_update = lambda: aws.ecs.fail("find_task_definition", HICCUP)

    result = run(aws)

    assert result.outcome is Outcome.SUCCEEDED
    assert result.running is not None
    assert result.release is not None
    assert result.running.revision == result.release.revision
    assert result.running_count == 2


def test_deploy__rollback_meets_an_error__exit_7_and_the_diagnosis_kept() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS")
    aws.ecs.crash(42, times=2)
    changed = make_desired(template={"Resources": {"Logs": {"Type": "other"}}})
    aws.stacks.on_apply = [None, CallFailedError("stack is locked", where="stack", fix="wait")]

    result = run(aws, make_request(changed))

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert "stack is locked" in message_text(result.message)
    assert result.diagnosis is not None
    assert result.diagnosis.cause.code == "crashed"


def test_deploy__superseding_a_shift__it_is_taken_back_once_and_awaited() -> None:
    aws = running()
    aws.ecs.take_over(50)
    aws.ecs.deployments[0] = replace(aws.ecs.deployments[0], lifecycle_stage="BAKE_TIME")
    aws.ecs.on_stop("ROLLBACK_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL")

    result = run(aws, make_request(in_flight=InFlight.SUPERSEDE))

    assert result.outcome is Outcome.SUCCEEDED
    asked = [name for name in names(aws) if name in {"stop_service_deployment", "update_service"}]
    assert asked == ["stop_service_deployment", "update_service"]


def test_deploy__superseding_a_shift_that_does_not_end__refused() -> None:
    aws = running()
    aws.ecs.take_over(50)
    aws.ecs.deployments[0] = replace(aws.ecs.deployments[0], lifecycle_stage="CLEAN_UP")

    with pytest.raises(RefusedError) as refused:
        run(aws, make_request(in_flight=InFlight.SUPERSEDE))

    assert refused.value.code == "deployment-in-flight"
    assert names(aws) == ["stop_service_deployment"]


def test_deploy__another_in_flight__refused_and_superseded_only_on_request() -> None:
    aws = running()
    aws.ecs.take_over(50)

    with pytest.raises(RefusedError) as refused:
        run(aws)

    assert refused.value.code == "deployment-in-flight"
    assert aws.ecs.calls == []

    assert run(aws, make_request(in_flight=InFlight.SUPERSEDE)).outcome is Outcome.SUCCEEDED


def test_deploy__wait_for_lock__after_the_other_has_ended() -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.take_over(50)
    clock.at(3, lambda: aws.ecs.end_all("SUCCESSFUL"))

    result = run(aws, make_request(in_flight=InFlight.WAIT), clock)

    assert result.outcome is Outcome.SUCCEEDED
    assert result.previous is not None
    assert result.previous.revision == "web-dev:50"


def test_deploy__wait_for_lock_in_vain__refused() -> None:
    aws = running()
    aws.ecs.take_over(50)

    with pytest.raises(RefusedError):
        run(aws, make_request(in_flight=InFlight.WAIT))

    assert aws.ecs.calls == []


def test_deploy__older_commit__refused_and_nothing_touched() -> None:
    aws = running()
    asked: list[str] = []

    def order(other: ReleaseInfo) -> CommitOrder:
        asked.append(other.commit)
        return CommitOrder.OLDER

    with pytest.raises(RefusedError) as refused:
        run(aws, make_request(order=order))

    assert refused.value.code == "older-commit"
    assert asked == ["41" * 40]
    assert aws.ecs.calls == []


def test_deploy__newer_commit__deployed() -> None:
    result = run(running(), make_request(order=lambda _: CommitOrder.NEWER))

    assert result.outcome is Outcome.SUCCEEDED


def test_deploy__older_commit_that_is_allowed__deployed() -> None:
    request = make_request(order=lambda _: CommitOrder.OLDER, allow_older=True)

    assert run(running(), request).outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize("order", [CommitOrder.NEWER, CommitOrder.SAME])
def test_deploy__left_behind_by_an_ancestor__taken_over_at_once(order: CommitOrder) -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.take_over(50)
    before = clock.now()

    result = run(
        aws,
        make_request(in_flight=InFlight.WAIT, supersede_older=True, order=lambda _: order),
        clock,
    )

    assert result.outcome is Outcome.SUCCEEDED
    assert result.started_at == before


@pytest.mark.parametrize("order", [CommitOrder.OLDER, CommitOrder.DIVERGED, CommitOrder.UNKNOWN])
def test_deploy__in_flight_and_not_an_ancestor__waited_for_in_vain(order: CommitOrder) -> None:
    aws = running()
    aws.ecs.take_over(50)

    with pytest.raises(RefusedError) as refused:
        run(aws, make_request(in_flight=InFlight.WAIT, supersede_older=True, order=lambda _: order))

    assert refused.value.code == "deployment-in-flight"
    assert aws.ecs.calls == []


def test_deploy__our_own_in_flight__attached() -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "SUCCESSFUL")
    clock.at(1, _raise_interrupted)
    first = run(aws, clock=clock)
    aws.ecs.calls.clear()

    second = run(aws)

    assert first.outcome is Outcome.INTERRUPTED
    assert second.outcome is Outcome.SUCCEEDED
    assert aws.ecs.calls == []
    before = [one.previous.revision if one.previous else "" for one in (first, second)]
    assert before == ["web-dev:41", "web-dev:41"]


def test_deploy__interrupted__says_what_goes_on_and_can_roll_back() -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.script("IN_PROGRESS")
    aws.ecs.on_stop("ROLLBACK_IN_PROGRESS")
    clock.at(1, _raise_interrupted)

    result = run(aws, make_request(on_cancel=OnCancel.ROLLBACK), clock)

    assert result.outcome is Outcome.INTERRUPTED
    assert "asked ECS to roll web-dev:42 back" in message_text(result.message)
    assert DeployAgain.ROLLING_BACK in result.next_steps
    assert names(aws) == ["update_service", "stop_service_deployment"]


def test_deploy__interrupted_as_it_succeeds__not_claimed_to_be_rolled_back_or_to_go_on() -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.script("IN_PROGRESS")

    def stop() -> None:
        aws.ecs.end_all("SUCCESSFUL")
        _raise_interrupted()

    clock.at(1, stop)

    result = run(aws, make_request(on_cancel=OnCancel.ROLLBACK), clock)

    assert message_text(result.message) == (
        "stopped by SIGINT; it was too late to roll web-dev:42 back: its deployment had already "
        "ended (SUCCESSFUL)"
    )


def test_deploy__a_step_fails_after_the_stack__stack_restored() -> None:
    aws = running()
    aws.ecs.fail("register", CallFailedError("denied", where="ecs", fix="allow it"))
    changed = make_desired(template={"Resources": {"Logs": {"Type": "other"}}})

    with pytest.raises(CallFailedError):
        run(aws, make_request(changed))

    assert aws.stacks.applied == [changed.template, make_desired().template]
    assert names(aws) == []


CHANGED = make_desired(template={"Resources": {"Logs": {"Type": "other"}}})


def unanswered() -> CallFailedError:
    error = CallFailedError("no answer", where="UpdateService dev/web-dev", fix="run it again")
    error.may_be_done = True
    return error


def test_deploy__answer_lost_but_ecs_rolls_out__followed_to_its_end() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS", "SUCCESSFUL")
    aws.ecs.unanswered = [unanswered()]

    result = run(aws, make_request(CHANGED))

    assert result.outcome is Outcome.SUCCEEDED
    assert names(aws) == ["update_service"]
    assert aws.stacks.applied == [CHANGED.template]


def test_deploy__answer_lost_and_nothing_to_be_seen__state_unknown_and_stack_kept() -> None:
    aws = running()
    aws.ecs.unanswered = [unanswered()]
    denied = CallFailedError("no answer either", where="ecs", fix="again")
    aws.ecs.on_update = lambda: aws.ecs.fail("service_deployment_arns", denied)

    result = run(aws, make_request(CHANGED))

    assert result.outcome is Outcome.TIMED_OUT
    assert "FSD does not know the state of web-dev:42: no answer;" in message_text(result.message)
    assert "run it again" in follow_up_texts(result.next_steps)
    assert aws.stacks.applied == [CHANGED.template]


def test_deploy__answer_lost_and_ecs_does_nothing__error_and_stack_restored() -> None:
    aws = running()
    aws.ecs.lists_late = 1
    aws.ecs.unanswered = [unanswered()]

    with pytest.raises(CallFailedError, match="no answer"):
        run(aws, make_request(CHANGED))

    assert aws.stacks.applied == [CHANGED.template, make_desired().template]


def test_deploy__stack_cannot_be_put_back_either__both_are_said() -> None:
    aws = running()
    aws.ecs.fail("register", CallFailedError("denied", where="RegisterTaskDefinition", fix="allow"))
    aws.stacks.on_apply = [None, CallFailedError("Throttling", where="CreateChangeSet", fix="x")]

    with pytest.raises(CallFailedError) as caught:
        run(aws, make_request(CHANGED))

    assert caught.value.where == "RegisterTaskDefinition"
    assert caught.value.what == (
        f"denied; and the stack {CHANGED.stack_name}, which had changed before, could not be put "
        "back: Throttling (CreateChangeSet)"
    )


def test_deploy__scaling_fails_after_the_rollout__stack_stays_and_says_what_runs() -> None:
    aws = running()
    desired = make_desired(template=CHANGED.template, scaling=SCALING)
    aws.scaling.error = CallFailedError("Throttling", where="PutScalingPolicy", fix="again")

    with pytest.raises(CallFailedError) as caught:
        run(aws, make_request(desired))

    assert caught.value.what == "Throttling; ECS has web-dev:42, and the service scales as before"
    assert aws.stacks.applied == [CHANGED.template]


def test_deploy__throttled_before_its_deployment_is_found__ends_at_the_deadline() -> None:
    aws = running()
    throttled = Throttled("rate exceeded", where="ListServiceDeployments", fix="later")
    aws.ecs.on_update = lambda: aws.ecs.fail("service_deployment_arns", *[throttled] * 9999)

    result = run(aws)

    assert result.outcome is Outcome.TIMED_OUT
    assert "rate exceeded" in message_text(result.message)


def test_deploy__signal_while_the_stack_changes__says_that_cloudformation_goes_on() -> None:
    aws = running()
    stopped = Interrupted("stopped by SIGINT", where="this command", fix="again")
    aws.stacks.on_apply = [stopped]
    changed = make_desired(template={"Resources": {"Logs": {"Type": "other"}}})

    result = run(aws, make_request(changed))

    assert result.outcome is Outcome.INTERRUPTED
    assert message_text(result.message) == (
        f"stopped by SIGINT while CloudFormation was changing {changed.stack_name}: "
        "CloudFormation finishes what it has begun; ECS was not asked to change anything that is "
        "running"
    )
    assert names(aws) == []


def test_deploy__another_began_after_the_look__refused_and_nothing_left_behind() -> None:
    aws = running()
    aws.ecs.on_register = [lambda: aws.ecs.take_over(50)]

    with pytest.raises(RefusedError) as refused:
        run(aws)

    assert refused.value.code == "deployment-in-flight"
    assert names(aws) == ["deregister"]
    assert [d.revision for d in aws.ecs.definitions] == [50, 41]


def test_deploy__another_began_after_the_stack_was_changed__stack_put_back() -> None:
    aws = running()
    changed = make_desired(template={"Resources": {"Logs": {"Type": "other"}}})
    aws.ecs.on_register = [lambda: aws.ecs.take_over(50)]

    with pytest.raises(RefusedError):
        run(aws, make_request(changed))

    assert aws.stacks.applied == [changed.template, make_desired().template]


def test_deploy__another_began_and_changed_the_stack__its_stack_is_left() -> None:
    aws = running()
    changed = make_desired(template={"Resources": {"Logs": {"Type": "other"}}})

    def begin() -> None:
        aws.stacks.apply("fsd-web-dev", template={"Resources": {}}, tags={})
        aws.ecs.take_over(50)

    aws.ecs.on_register = [begin]

    with pytest.raises(RefusedError):
        run(aws, make_request(changed))

    assert aws.stacks.stacks["fsd-web-dev"].template == {"Resources": {}}


def test_deploy__waits_and_another_began_after_the_look__deploys_after_it() -> None:
    aws, clock = running(), FakeClock()
    aws.ecs.on_register = [lambda: aws.ecs.take_over(50)]
    clock.at(2, lambda: aws.ecs.end_all("SUCCESSFUL"))

    result = run(aws, make_request(in_flight=InFlight.WAIT), clock)

    assert result.outcome is Outcome.SUCCEEDED
    assert result.previous is not None
    assert result.previous.revision == "web-dev:50"
    assert names(aws) == ["deregister", "update_service"]


def test_deploy__may_supersede_and_another_began__looks_again_and_takes_over() -> None:
    aws = running()
    aws.ecs.on_register = [lambda: aws.ecs.take_over(50)]

    result = run(aws, make_request(in_flight=InFlight.SUPERSEDE))

    assert result.outcome is Outcome.SUCCEEDED
    assert names(aws) == ["update_service"]
    assert result.release is not None
    assert result.release.revision == "web-dev:42"


def test_deploy__another_began_within_the_call__says_whom_it_took_over_from() -> None:
    aws = running()
    aws.ecs.before_update = [lambda: aws.ecs.take_over(50)]

    result = run(aws)

    assert result.outcome is Outcome.SUCCEEDED
    assert note_texts(result.notes) == (
        (
            "took over from the deployment of web-dev:50, which began at the same moment and was "
            "still in flight"
        ),
    )


def test_deploy__another_run_created_the_service_first__refused() -> None:
    aws = FakeAws()

    def create() -> None:
        aws.ecs.take_over(50)
        error = "InvalidParameterException: Creation of service was not idempotent."
        aws.ecs.fail("create_service", CallFailedError(error, where="ecs", fix="again"))

    aws.ecs.on_register = [create]

    with pytest.raises(RefusedError) as refused:
        run(aws)

    assert refused.value.code == "deployment-in-flight"
    assert names(aws) == ["create_cluster", "deregister"]


def test_deploy__another_run_of_the_same_was_faster__attached_and_one_revision() -> None:
    aws, clock = running(), FakeClock()
    changed = make_desired(template={"Resources": {"Logs": {"Type": "other"}}})

    def begin() -> None:
        twin = aws.ecs.register(changed.task_definition, tags={})
        aws.ecs.begin(twin.revision)
        aws.ecs.serve(twin.arn)

    aws.ecs.on_register = [begin]
    clock.at(2, lambda: aws.ecs.end_all("SUCCESSFUL"))

    result = run(aws, make_request(changed), clock)

    assert result.outcome is Outcome.SUCCEEDED
    assert [d.revision for d in aws.ecs.definitions] == [43, 41]
    assert aws.stacks.applied == [changed.template]


def test_deploy__another_changes_the_stack_meanwhile__not_cleaned_up() -> None:
    aws, clock = running(), FakeClock()
    theirs: Json = {"Resources": {"Theirs": {"Type": "AWS::Logs::LogGroup"}}}
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "SUCCESSFUL")
    clock.at(1, lambda: aws.stacks.apply("fsd-web-dev", template=theirs, tags={}))
    changed = make_desired(template={"Resources": {"New": {"Type": "AWS::Logs::LogGroup"}}})

    result = run(aws, make_request(changed), clock)

    assert result.outcome is Outcome.SUCCEEDED
    resources = aws.stacks.stacks["fsd-web-dev"].template["Resources"]
    assert isinstance(resources, dict)
    assert sorted(resources) == ["New", "Theirs"]
    assert note_texts(result.notes)[-1] == (
        "somebody else has changed fsd-web-dev (+Theirs · -Logs); FSD leaves the stack as it is"
    )


def test_deploy__the_run_that_changes_the_stack_is_known__named() -> None:
    aws, clock = running(), FakeClock()
    theirs: Json = {"Resources": {"Theirs": {"Type": "AWS::Logs::LogGroup"}}}
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS", "SUCCESSFUL")
    clock.at(1, lambda: aws.stacks.apply("fsd-web-dev", template=theirs, tags={}))
    aws.ecs.on_update = lambda: aws.ecs.begin_unseen(41)
    changed = make_desired(template={"Resources": {"New": {"Type": "AWS::Logs::LogGroup"}}})

    result = run(aws, make_request(changed), clock)

    assert note_texts(result.notes)[-1] == (
        "somebody else has changed fsd-web-dev (+Theirs · -Logs); since then, a deployment of "
        "web-dev:41 has begun; FSD leaves the stack as it is"
    )


def test_deploy__only_keys_in_another_order__cleaned_up_without_a_word() -> None:
    """CloudFormation gives rules back with their keys sorted."""
    aws = running()
    aws.stacks.apply("fsd-web-dev", template=clients("10.0.0.0/16"), tags={"fsd:service": "web"})
    changed = make_desired(template=clients("0.0.0.0/0"))

    result = run(aws, make_request(changed))

    assert note_texts(result.notes) == ()
    now = aws.stacks.stacks["fsd-web-dev"].template
    assert is_same_template(now, clients("0.0.0.0/0"))


def clients(cidr: str) -> Json:
    rule: Json = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "CidrIp": cidr}
    group: Json = {"Type": "AWS::EC2::SecurityGroup"}
    return {"Resources": {"Clients": {**group, "Properties": {"SecurityGroupIngress": [rule]}}}}


def test_deploy__fails_with_keys_in_another_order__all_goes_back() -> None:
    aws = running()
    aws.stacks.apply("fsd-web-dev", template=clients("10.0.0.0/16"), tags={"fsd:service": "web"})
    aws.ecs.script("IN_PROGRESS", "ROLLBACK_SUCCESSFUL")
    wider = clients("0.0.0.0/0")
    public: Json = {"PublicLoadBalancer": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer"}}
    resources = {**clients("0.0.0.0/0")["Resources"], **public}  # type: ignore[dict-item] # a dict

    result = run(aws, make_request(make_desired(template={**wider, "Resources": resources})))

    assert message_text(result.message) == "FSD restored the stack; scaling is unchanged"
    assert is_same_template(aws.stacks.stacks["fsd-web-dev"].template, clients("10.0.0.0/16"))


def test_deploy__fails_after_one_whose_stack_went_back__the_stack_is_unchanged() -> None:
    aws = running()
    changed = make_desired(template={"Resources": {"Logs": {"Type": "other"}}})
    aws.ecs.script("IN_PROGRESS", "ROLLBACK_SUCCESSFUL")
    restored = run(aws, make_request(changed))
    aws.ecs.script("IN_PROGRESS", "ROLLBACK_SUCCESSFUL")

    result = run(aws, make_request(make_desired(cpu="1024")))

    assert message_text(restored.message) == "FSD restored the stack; scaling is unchanged"
    assert message_text(result.message) == "the stack and scaling are unchanged"


def test_deploy__cloudformation_could_not_delete__listed_as_left_behind() -> None:
    aws = running()
    aws.stacks.undeleted = ("Logs /ecs/web-dev",)
    changed = make_desired(template={"Resources": {"New": {"Type": "AWS::Logs::LogGroup"}}})

    result = run(aws, make_request(changed))

    assert note_texts(result.notes) == (
        "CloudFormation could not delete Logs /ecs/web-dev, which still exists outside the stack",
    )


def test_deploy__another_takes_from_the_stack_what_ours_needs__put_back() -> None:
    aws, clock = running(), FakeClock()
    theirs: Json = {"Resources": {"Theirs": {"Type": "AWS::Logs::LogGroup"}}}
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "SUCCESSFUL")
    clock.at(1, lambda: aws.stacks.apply("fsd-web-dev", template=theirs, tags={}))

    result = run(aws, clock=clock)

    resources = aws.stacks.stacks["fsd-web-dev"].template["Resources"]
    assert result.outcome is Outcome.SUCCEEDED
    assert isinstance(resources, dict)
    assert sorted(resources) == ["Logs", "Theirs"]
    assert note_texts(result.notes) == (
        "somebody else has changed fsd-web-dev (-Logs); FSD has restored what this release needs",
    )


def test_deploy__another_changes_the_stack_and_ours_fails__theirs_stays() -> None:
    aws, clock = running(), FakeClock()
    theirs: Json = {"Resources": {"Theirs": {"Type": "AWS::Logs::LogGroup"}}}
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "ROLLBACK_SUCCESSFUL")
    clock.at(1, lambda: aws.stacks.apply("fsd-web-dev", template=theirs, tags={}))
    changed = make_desired(template={"Resources": {"New": {"Type": "AWS::Logs::LogGroup"}}})

    result = run(aws, make_request(changed), clock)

    assert result.outcome is Outcome.ROLLED_BACK
    assert aws.stacks.stacks["fsd-web-dev"].template == theirs
    assert message_text(result.message) == (
        "scaling is unchanged; somebody else has changed fsd-web-dev (+Theirs · -Logs · -New), so "
        "FSD leaves the stack as it is"
    )


def test_deploy__another_builds_on_our_stack_and_ours_fails__left_behind_is_listed() -> None:
    aws, clock = running(), FakeClock()
    group: Json = {"Type": "AWS::Logs::LogGroup"}
    theirs: Json = {"Resources": {"Theirs": group, "New": group, "Logs": group}}
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "ROLLBACK_SUCCESSFUL")
    clock.at(1, lambda: aws.stacks.apply("fsd-web-dev", template=theirs, tags={}))
    changed = make_desired(template={"Resources": {"New": group}})

    result = run(aws, make_request(changed), clock)

    assert message_text(result.message).endswith(
        "so FSD leaves the stack as it is; New remains in fsd-web-dev"
    )


def test_deploy__stack_cannot_go_back__left_behind_is_listed() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "ROLLBACK_SUCCESSFUL")
    denied = CallFailedError("AccessDenied: no", where="stack", fix="allow it")
    aws.stacks.on_apply = [None, denied]
    changed = make_desired(template={"Resources": {"New": {"Type": "AWS::Logs::LogGroup"}}})

    result = run(aws, make_request(changed))

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert "AccessDenied: no; left behind in fsd-web-dev: New" in message_text(result.message)


def test_deploy__create_service_fails_for_itself__its_error() -> None:
    aws = FakeAws()
    aws.ecs.fail("create_service", CallFailedError("no such subnet", where="ecs", fix="again"))

    with pytest.raises(CallFailedError, match="no such subnet"):
        run(aws)


def test_deploy__its_revision_was_taken_for_an_orphan__registered_again() -> None:
    aws = running()
    gone = RevisionInactive("ClientException: TaskDefinition is inactive", where="ecs", fix="again")
    aws.ecs.fail("update_service", gone)
    aws.ecs.on_register = [lambda: aws.ecs.definitions.pop(0)]

    result = run(aws)

    assert result.outcome is Outcome.SUCCEEDED
    assert len(aws.ecs.definitions) == 2


def test_deploy__revision_of_a_run_that_died__no_longer_active_afterwards() -> None:
    aws = running()
    aws.ecs.declare_release(42, version="died")

    result = run(aws, make_request(make_desired(cpu="256")))

    assert result.outcome is Outcome.SUCCEEDED
    assert [d.revision for d in aws.ecs.definitions] == [43, 41]


@pytest.mark.parametrize("age", [timedelta(hours=-3), timedelta(seconds=2)])
def test_deploy__revision_older_than_the_history_or_just_made__left_alone(age: timedelta) -> None:
    aws = running()
    arn = aws.ecs.declare_release(42)
    aws.ecs.registered_at[arn] = START + age

    run(aws, make_request(make_desired(cpu="256")))

    assert [d.revision for d in aws.ecs.definitions] == [43, 42, 41]


def test_deploy__ecs_goes_back_to_what_is_asked_for__not_taken_for_ours() -> None:
    """The failing deployment of another revision is in flight; its end is not ours to report."""
    aws, clock = running(), FakeClock()
    good = run(aws).release
    aws.ecs.take_over(50)
    assert good is not None
    aws.ecs.serve(good.task_definition_arn)
    clock.at(2, lambda: aws.ecs.end_all("ROLLBACK_SUCCESSFUL"))

    with pytest.raises(RefusedError):
        run(aws)
    result = run(aws, make_request(in_flight=InFlight.WAIT), clock)

    assert result.outcome is Outcome.UNCHANGED


def test_deploy__first_one_fails_and_another_takes_over__its_tasks_stay() -> None:
    aws = FakeAws()
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS")
    aws.ecs.on_stop("STOPPED")
    aws.ecs.crash(1, times=2)
    aws.ecs.before_update = [lambda: aws.ecs.take_over(50)]

    result = run(aws)

    assert result.outcome is Outcome.SUPERSEDED
    assert "web-dev:50" in message_text(result.message)
    assert aws.ecs.services["web-dev"].desired == 2


@pytest.mark.parametrize(
    ("is_taken", "said"),
    [
        (True, "ECS keeps rolling out web-dev:42"),
        (False, "ECS does not list a deployment of web-dev:42 yet"),
    ],
)
def test_deploy__signal_while_ecs_is_asked__says_what_ecs_lists(is_taken: bool, said: str) -> None:
    aws = running()

    def stop() -> None:
        if is_taken:
            aws.ecs.begin(42)
        _raise_interrupted()

    aws.ecs.before_update = [stop]

    result = run(aws)

    assert result.outcome is Outcome.INTERRUPTED
    assert said in message_text(result.message)


def _raise_interrupted() -> None:
    raise Interrupted("stopped by SIGINT", where="this command", fix="again")


# --- what old and new tasks need of the stack ----------------------------------------------------

LOGS: Json = {"Type": "AWS::Logs::LogGroup"}
OLD: Json = {"Resources": {"Logs": LOGS}}
BOTH: Json = {"Resources": {"Logs": LOGS, "Other": LOGS}}
NEW: Json = {"Resources": {"Other": LOGS}}


def test_deploy__something_leaves_the_stack__stays_until_the_rollout_succeeded() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")

    result = run(aws, make_request(make_desired(template=NEW)))

    assert result.outcome is Outcome.SUCCEEDED
    assert aws.stacks.applied == [BOTH, NEW]
    assert result.phases[-1].name is PhaseName.STACK


def test_deploy__fails_when_something_left_the_stack__back_to_what_was() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL")

    result = run(aws, make_request(make_desired(template=NEW)))

    assert result.outcome is Outcome.ROLLED_BACK
    assert aws.stacks.applied == [BOTH, OLD]


def test_deploy__not_waited_for__what_old_tasks_need_stays() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS")

    result = run(aws, make_request(make_desired(template=NEW), wait=False))

    assert aws.stacks.applied == [BOTH]
    assert "the next deployment removes it" in note_texts(result.notes)[-1]


def test_deploy__attaches_to_ours__what_old_tasks_need_stays_until_then() -> None:
    aws, clock, request = running(), FakeClock(), make_request(make_desired(template=NEW))
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "IN_PROGRESS", "SUCCESSFUL")
    clock.at(1, _raise_interrupted)
    run(aws, request, clock)

    result = run(aws, request)

    assert result.outcome is Outcome.SUCCEEDED
    assert aws.stacks.applied == [BOTH, NEW]


def test_deploy__clean_up_refused__succeeded_with_a_note() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")
    aws.stacks.on_apply = [None, HICCUP]

    result = run(aws, make_request(make_desired(template=NEW)))

    assert result.outcome is Outcome.SUCCEEDED
    assert "tasks needed: connection reset" in note_texts(result.notes)[-1]
    again = run(aws, make_request(make_desired(template=NEW)))
    assert again.outcome is Outcome.SUCCEEDED
    assert aws.stacks.applied == [BOTH, NEW]


def test_deploy__signal_in_the_clean_up__says_that_it_had_succeeded() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")
    aws.stacks.on_apply = [None, Interrupted("SIGINT", where="this command", fix="again")]

    result = run(aws, make_request(make_desired(template=NEW)))

    assert result.outcome is Outcome.INTERRUPTED
    assert "SIGINT after web-dev:42 had succeeded" in message_text(result.message)


def test_deploy__scaling_refused_after_success__the_stack_stays_with_the_release() -> None:
    aws = running()
    aws.ecs.script("IN_PROGRESS", "SUCCESSFUL")
    aws.scaling.error = HICCUP

    with pytest.raises(CallFailedError):
        run(aws, make_request(make_desired(template=BOTH, scaling=SCALING)))

    assert aws.stacks.applied == [BOTH]
