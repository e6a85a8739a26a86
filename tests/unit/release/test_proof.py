"""What nothing proved is no success: releases at count 0, and first deployments that failed."""

from __future__ import annotations

import pytest

from fsd.compile.desired import Json, Scaling
from fsd.errors import CallFailedError, RefusedError, UsageError
from fsd.plan.verdict import VERDICT
from fsd.release.deploy import deploy
from fsd.release.deploy_request import DeployRequest
from fsd.release.ledger import read_history
from fsd.release.operation import Operation, ServiceRef
from fsd.release.ports import PermissionDenied
from fsd.release.promotion import require_promotion
from fsd.release.redeploy import restart
from fsd.release.reporter import Silent
from fsd.release.result import Outcome, ReleaseInfo, Result
from fsd.release.rollback_to_version import roll_back
from fsd.release.scale import scale
from fsd.report.messages import message_text
from tests.fakes.aws import FakeAws, FakeClock
from tests.unit.release.desired import IMAGE, make_desired, make_request

REF = ServiceRef(
    service="web", environment="dev", cluster="dev", name="web-dev", stack_name="fsd-web-dev",
)  # fmt: skip
SCALING = Scaling(
    minimum=2, maximum=5, cpu=70, memory=None, scale_in_cooldown=300, scale_out_cooldown=300
)


def run(aws: FakeAws, request: DeployRequest) -> Result:
    return deploy(request, aws.aws(), clock=FakeClock(), reporter=Silent())


def operation(aws: FakeAws) -> Operation:
    return Operation(aws=aws.aws(), ref=REF, clock=FakeClock(), reporter=Silent())


def release(count: int, *, cpu: str = "512", scaling: Scaling | None = None) -> DeployRequest:
    return make_request(make_desired(count=count, cpu=cpu, scaling=scaling))


def history(aws: FakeAws) -> list[tuple[str, str]]:
    releases = read_history(aws.ecs, cluster="dev", service="web-dev")
    return [(one.revision, one.outcome) for one in releases]


def not_started() -> FakeAws:
    """web-dev:1 was rolled out at count 0, and that is all there is."""
    aws = FakeAws()
    assert run(aws, release(0)).outcome is Outcome.NOT_STARTED
    aws.ecs.calls.clear()
    return aws


def names(aws: FakeAws) -> list[str]:
    return [name for name, _ in aws.ecs.calls]


def test_deploy__count_0__its_own_outcome_and_what_will_judge_it() -> None:
    aws = FakeAws()

    result = run(aws, release(0))

    assert (result.outcome, result.outcome.exit_code) == (Outcome.NOT_STARTED, 0)
    assert message_text(result.message) == (
        "the desired count is 0: no task ran, so nothing shows that web-dev:1 can start; it is "
        "not tested until you scale up with `fsd scale` or deploy with a count above 0"
    )
    # Before ECS is asked: a run that is killed in between must not leave a success.
    assert names(aws) == ["create_cluster", "tag_task_definition", "create_service"]
    assert history(aws) == [("web-dev:1", "not started")]


def test_deploy__count_0_and_the_ledger_may_not_be_marked__ecs_is_not_asked() -> None:
    aws = FakeAws()
    aws.ecs.fail("tag_task_definition", PermissionDenied("no", where="x", fix="y"))

    with pytest.raises(CallFailedError):
        run(aws, release(0))

    assert "create_service" not in names(aws)


def test_deploy__count_0_after_a_release_that_ran__that_one_stays_what_to_go_back_to() -> None:
    aws = FakeAws()
    run(aws, release(2))
    assert run(aws, release(0, cpu="1024")).outcome is Outcome.NOT_STARTED
    assert history(aws) == [("web-dev:2", "not started"), ("web-dev:1", "succeeded")]

    aws.ecs.script("IN_PROGRESS")
    aws.ecs.on_stop("STOPPED")
    aws.ecs.crash(3, times=2)
    result = run(aws, release(2, cpu="2048"))

    assert result.outcome is Outcome.ROLLED_BACK
    assert result.running is not None
    assert result.running.revision == "web-dev:1"


def test_roll_back__to_what_never_ran__refused() -> None:
    aws = FakeAws()
    run(aws, release(2))
    run(aws, release(0, cpu="1024"))
    run(aws, release(2, cpu="2048"))

    with pytest.raises(UsageError) as refused:
        roll_back(operation(aws), "web-dev:2")

    assert refused.value.code == "nothing-to-roll-back-to"
    assert "deployed at count 0 and never ran" in refused.value.what


def test_promotion__what_never_ran__no_proof() -> None:
    aws = not_started()
    releases: list[ReleaseInfo] = list(read_history(aws.ecs, cluster="dev", service="web-dev"))

    assert [one.digest for one in releases] == [IMAGE.digest]
    with pytest.raises(RefusedError):
        require_promotion(IMAGE, releases, service="web", environment="prod", source="dev")


def test_deploy__same_again_at_count_0__unchanged() -> None:
    aws = not_started()

    assert run(aws, release(0)).outcome is Outcome.UNCHANGED
    assert names(aws) == []


@pytest.mark.parametrize("scaling", [None, SCALING], ids=["fixed", "scaled"])
def test_deploy__the_same_with_tasks__a_deployment_that_judges_it(scaling: Scaling | None) -> None:
    aws = not_started()

    result = run(aws, release(2, scaling=scaling))

    assert result.outcome is Outcome.SUCCEEDED
    name, parameters = aws.ecs.calls[0]
    assert name == "update_service"
    assert parameters["forceNewDeployment"] is True
    assert parameters["desiredCount"] == 2
    assert history(aws) == [("web-dev:1", "succeeded")]


def test_deploy__after_what_never_ran_and_fails__does_not_start_that() -> None:
    """ECS's own rollback would: to it a deployment of no tasks is a success."""
    aws = not_started()
    aws.ecs.script("IN_PROGRESS")
    aws.ecs.crash(2, times=2)

    result = run(aws, release(2, cpu="1024"))

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert "stop_service_deployment" not in names(aws)
    assert aws.ecs.services["web-dev"].desired == 0
    assert message_text(result.message) == (
        "there was nothing to roll back to (web-dev:1 never completed a rollout), so FSD scaled "
        "the service to 0 and kept the stack and the logs"
    )


def test_deploy__after_what_never_ran_and_ecs_went_back_to_it__no_task_of_it_left() -> None:
    aws = not_started()
    aws.ecs.script("ROLLBACK_SUCCESSFUL")

    result = run(aws, release(2, cpu="1024"))

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert aws.ecs.services["web-dev"].desired == 0


def failed_first(*, called: str) -> FakeAws:
    """A first deployment that failed; `called` is what ECS makes of it once no task is left."""
    aws = FakeAws()
    aws.ecs.script("IN_PROGRESS", "IN_PROGRESS")
    aws.ecs.on_stop("STOPPED")
    aws.ecs.crash(1, times=2)
    aws.ecs.on_update = lambda: aws.ecs.end(called)
    assert run(aws, release(2, scaling=SCALING)).outcome is Outcome.ROLLBACK_FAILED
    aws.ecs.on_update = lambda: None
    aws.ecs.stopped.clear()
    aws.ecs.calls.clear()
    return aws


def test_deploy__first_one_failed_and_ecs_calls_it_a_success__not_in_the_ledger() -> None:
    aws = failed_first(called="SUCCESSFUL")

    assert history(aws) == [("web-dev:1", "failed")]


def test_deploy__after_a_first_one_that_failed__starts_with_the_manifests_count() -> None:
    """Also where auto scaling owns the count: 0 is what FSD left behind, not a wish."""
    aws = failed_first(called="SUCCESSFUL")

    result = run(aws, release(2, scaling=SCALING))

    assert result.outcome is Outcome.SUCCEEDED
    assert aws.ecs.services["web-dev"].desired == 2
    assert history(aws) == [("web-dev:1", "succeeded")]


def test_deploy__scaled_to_0_by_wish_and_auto_scaling_owns_it__stays() -> None:
    aws = FakeAws()
    run(aws, release(2, scaling=SCALING))
    by_hand: Json = {"cluster": "dev", "service": "web-dev", "desiredCount": 0}
    aws.ecs.update_service(by_hand)

    assert run(aws, release(2, cpu="1024", scaling=SCALING)).outcome is Outcome.NOT_STARTED
    assert aws.ecs.services["web-dev"].desired == 0


def test_restart__at_count_0__proves_nothing() -> None:
    result = restart(operation(not_started()))

    assert result.outcome is Outcome.NOT_STARTED


def test_scale__what_never_ran__judged_as_a_deployment() -> None:
    aws = not_started()

    result = scale(operation(aws), 3)

    assert (result.outcome, message_text(result.message)) == (Outcome.SUCCEEDED, "0 → 3 tasks")
    assert aws.ecs.calls[0][1]["forceNewDeployment"] is True
    assert history(aws) == [("web-dev:1", "succeeded")]


def test_scale__what_never_ran_and_crashes__fails_and_no_task_is_left() -> None:
    aws = not_started()
    aws.ecs.script("IN_PROGRESS")
    aws.ecs.on_stop("STOPPED")
    aws.ecs.crash(1, times=2)

    result = scale(operation(aws), 3)

    assert result.outcome is Outcome.ROLLBACK_FAILED
    assert result.diagnosis is not None
    assert result.diagnosis.cause.code == "crashed"
    assert aws.ecs.services["web-dev"].desired == 0


def test_history__started_by_somebody_else__not_judged() -> None:
    """Auto scaling may start what was deployed at count 0; it runs, and no rollout judged it."""
    aws = not_started()
    aws.ecs.serve(aws.ecs.definitions[0].arn)

    assert history(aws) == [("web-dev:1", "not judged")]


def test_verdict__tag_of_a_later_version__judged_by_its_deployments() -> None:
    aws = FakeAws()
    run(aws, release(2))
    aws.ecs.tag_task_definition(aws.ecs.definitions[0].arn, tags={VERDICT: "odd"})

    assert history(aws) == [("web-dev:1", "succeeded")]
