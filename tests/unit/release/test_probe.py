from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from fsd.compile.desired import Desired, Json, JsonValue
from fsd.errors import CallFailedError, FsdError, Interrupted, RefusedError
from fsd.plan.moved_check import TargetCheck
from fsd.plan.previous_stack import split_previous
from fsd.release.deploy import deploy
from fsd.release.deploy_request import DeployRequest
from fsd.release.notes import Note
from fsd.release.ports import PermissionDenied, TargetGroupGone
from fsd.release.probe import check_interval, is_left_over, probe_name, probe_prefix
from fsd.release.result import Outcome, Phase, Progress
from fsd.report.notes import note_text
from fsd.snapshot import TargetHealth
from tests.fakes.aws import FakeAws, FakeClock
from tests.unit.release.desired import make_desired, make_request

GROUP = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/fsd-w-abc/1"
NOW = FakeClock().now()
LEFT_OVER = probe_name("fsd-web-dev", until=NOW - timedelta(seconds=1))
IN_USE = probe_name("fsd-web-dev", until=NOW + timedelta(seconds=200))
ONE = TargetHealth(address="10.0.0.1", port=8000, state="healthy")
TWO = TargetHealth(address="10.0.0.2", port=8000, state="healthy")
DENIED = PermissionDenied(
    "AccessDenied: no elasticloadbalancing:CreateTargetGroup",
    where="CreateTargetGroup",
    fix="allow",
)
SIGNAL = Interrupted("stopped by SIGINT", where="this command", fix="again")


def template(path: str) -> Json:
    check: Json = {"HealthCheckPath": path, "Matcher": {"HttpCode": "200-299"}}
    return {
        "Resources": {
            "TargetGroup": {"Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": check}
        },
        "Outputs": {"TargetGroupArn": {"Value": {"Ref": "TargetGroup"}}},
    }


def checked_at(path: str) -> Desired:
    desired = make_desired(template=template(path))
    service = replace(desired.service, has_load_balancer=True, port=8000)
    return replace(desired, service=service)


class Lines:
    """A reporter that keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def begin(self, headline: str) -> None: ...
    def phase(self, phase: Phase) -> None: ...
    def progress(self, progress: Progress) -> None: ...
    def note(self, note: Note) -> None:
        self.notes.append(note_text(note))


def serving(*targets: TargetHealth) -> FakeAws:
    """web-dev:41 runs behind a load balancer that asks for /health."""
    aws = FakeAws()
    aws.ecs.declare_running(41)
    service = aws.ecs.services["web-dev"]
    aws.ecs.services["web-dev"] = replace(service, target_group_arns=(GROUP,))
    aws.stacks.outputs["TargetGroupArn"] = GROUP
    aws.stacks.apply("fsd-web-dev", template=template("/health"), tags={"fsd:service": "web"})
    aws.stacks.applied.clear()
    aws.targets.declare(GROUP, *(targets or (ONE, TWO)))
    return aws


def failing(code: int, *only: TargetHealth) -> Callable[[TargetCheck, TargetHealth], TargetHealth]:
    def answer(_: TargetCheck, target: TargetHealth) -> TargetHealth:
        if only and target not in only:
            return target
        why = f"Health checks failed with these codes: [{code}]"
        reason = "Target.ResponseCodeMismatch"
        return replace(target, state="unhealthy", reason=reason, description=why)

    return answer


def run(aws: FakeAws, **changes: object) -> Lines:
    lines = Lines()
    request = make_request(checked_at("/ready"), **changes)
    deploy(request, aws.aws(), clock=FakeClock(), reporter=lines)
    return lines


def refused(aws: FakeAws, error: type[FsdError] = RefusedError) -> FsdError:
    with pytest.raises(error) as caught:
        deploy(make_request(checked_at("/ready")), aws.aws(), clock=FakeClock(), reporter=Lines())
    return caught.value


def assert_untouched(aws: FakeAws) -> None:
    assert aws.ecs.calls == []
    assert aws.stacks.applied == []
    assert aws.probes.left == {}


def test_deploy__running_tasks_fail_the_new_check__refused_and_nothing_changed() -> None:
    aws = serving()
    aws.probes.answer = failing(404)

    error = refused(aws)

    assert (error.code, error.exit_code) == ("health-check-would-end-old-tasks", 4)
    assert error.what == (
        "2 of 2 running tasks fail the new health check GET /ready (currently GET /health): Health "
        "checks failed with these codes: [404]. ECS would stop the running tasks, so FSD changed "
        "nothing"
    )
    assert error.where == "10.0.0.1:8000, 10.0.0.2:8000 · target group fsd-w-abc"
    assert "--allow-interruption" in error.fix
    assert_untouched(aws)
    ((check, targets),) = aws.probes.asked
    assert check == TargetCheck(path="/ready", matcher="200-299")
    assert targets == (ONE, TWO)


def test_deploy__one_of_two_fails__refused() -> None:
    aws = serving()
    aws.probes.answer = failing(500, TWO)

    assert refused(aws).what.startswith(
        "1 of 2 running tasks fails the new health check GET /ready"
    )
    assert_untouched(aws)


def test_deploy__running_tasks_pass__goes_on() -> None:
    aws = serving()

    lines = run(aws)

    assert [name for name, _ in aws.ecs.calls] == ["update_service"]
    assert aws.stacks.applied[0] == template("/ready")
    assert aws.probes.left == {}
    assert (
        "the health check changes to GET /ready (currently GET /health): trying it on 2 "
        "running tasks first" in lines.notes
    )
    assert "2 running tasks answer GET /ready" in lines.notes


def test_deploy__allow_interruption__not_asked() -> None:
    aws = serving()
    aws.probes.answer = failing(404)

    run(aws, allow_interruption=True)

    assert aws.probes.asked == []
    assert aws.stacks.applied[0] == template("/ready")


def test_deploy__check_stays__not_asked() -> None:
    aws = serving()

    deploy(make_request(checked_at("/health")), aws.aws(), clock=FakeClock(), reporter=Lines())

    assert aws.probes.asked == []


def test_deploy__no_task_is_healthy__not_asked_because_nothing_is_lost() -> None:
    down = replace(ONE, state="unhealthy", reason="Target.Timeout")
    aws = serving(down)
    aws.probes.answer = failing(404)

    run(aws)

    assert aws.probes.asked == []
    assert aws.stacks.applied[0] == template("/ready")


def test_deploy__unhealthy_task_beside_healthy_ones__only_those_are_asked() -> None:
    aws = serving(ONE, replace(TWO, state="unhealthy", reason="Target.Timeout"))

    run(aws)

    ((_, targets),) = aws.probes.asked
    assert targets == (ONE,)


def test_deploy__failing_task_was_scaled_in_meanwhile__goes_on() -> None:
    aws = serving()
    aws.probes.answer = failing(404, TWO)
    aws.probes.on_start.append(lambda: aws.targets.declare(GROUP, ONE))

    run(aws)

    assert [name for name, _ in aws.ecs.calls] == ["update_service"]


def test_deploy__load_balancer_does_not_say__nothing_changed() -> None:
    aws = serving()
    waits = replace(ONE, state="initial", description="Initial health checks in progress")
    aws.probes.answer = lambda _, target: replace(waits, address=target.address)

    error = refused(aws, CallFailedError)

    assert error.code == "health-check-not-tried"
    assert error.what == (
        "the load balancer did not say within 78 s whether the running tasks pass GET /ready: "
        "initial Initial health checks in progress; nothing was changed"
    )
    assert_untouched(aws)


def test_deploy__role_may_not_probe__says_which_permission_and_how_to_insist() -> None:
    aws = serving()
    aws.probes.fails["start"] = [DENIED]

    error = refused(aws, PermissionDenied)

    assert error.what.endswith(DENIED.what)
    assert error.fix == "allow; or take the risk with --allow-interruption"
    assert_untouched(aws)


def test_deploy__signal_while_asking__probe_removed() -> None:
    aws, clock = serving(), FakeClock()
    aws.probes.answer = lambda _, target: replace(target, state="initial")

    def stop() -> None:
        raise SIGNAL

    clock.at(1, stop)
    result = deploy(make_request(checked_at("/ready")), aws.aws(), clock=clock, reporter=Lines())

    assert result.outcome is Outcome.INTERRUPTED
    assert_untouched(aws)


def test_deploy__signal_while_removing__removed_all_the_same() -> None:
    aws = serving()
    aws.probes.on_start.append(lambda: aws.probes.fails.update(remove=[SIGNAL]))

    result = deploy(
        make_request(checked_at("/ready")), aws.aws(), clock=FakeClock(), reporter=Lines()
    )

    assert result.outcome is Outcome.INTERRUPTED
    assert_untouched(aws)


def test_deploy__probe_cannot_be_removed__told_and_the_verdict_stays() -> None:
    aws = serving()
    aws.probes.answer = failing(404)
    stuck = CallFailedError("ResourceInUse: in use", where="DeleteTargetGroup", fix="again")
    aws.probes.on_start.append(lambda: aws.probes.fails.update(remove=[stuck]))
    lines = Lines()

    with pytest.raises(RefusedError):
        deploy(make_request(checked_at("/ready")), aws.aws(), clock=FakeClock(), reporter=lines)

    assert lines.notes[-1] == (
        "FSD could not remove the health check's probe: ResourceInUse: in use "
        "(DeleteTargetGroup); a later run removes it"
    )


def test_deploy__another_run_takes_the_probe_away__asked_again() -> None:
    aws = serving()
    aws.probes.on_start.append(lambda: aws.probes.remove(aws.probes.started[-1]))

    run(aws)

    assert len(aws.probes.asked) == 2
    first, second = aws.probes.started
    assert first != second
    assert [name for name, _ in aws.ecs.calls] == ["update_service"]


def test_deploy__probe_taken_away_each_time__nothing_changed() -> None:
    aws = serving()
    aws.probes.on_start.extend([lambda: aws.probes.remove(aws.probes.started[-1])] * 3)

    error = refused(aws, CallFailedError)

    assert error.code == "health-check-not-tried"
    assert_untouched(aws)


def test_deploy__probe_is_removed_before_its_targets_are_registered__asked_again() -> None:
    aws = serving()
    gone = TargetGroupGone("TargetGroupNotFound: gone", where="RegisterTargets", fix="again")
    aws.probes.fails["start"] = [gone]

    run(aws)

    assert len(aws.probes.asked) == 1
    assert [name for name, _ in aws.ecs.calls] == ["update_service"]


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_deploy__probe_that_another_run_uses__left_alone(path: str) -> None:
    aws = serving()
    aws.probes.left[IN_USE] = {}
    other = probe_name("fsd-api-dev", until=NOW - timedelta(days=1))
    aws.probes.left[other] = {}

    deploy(make_request(checked_at(path)), aws.aws(), clock=FakeClock(), reporter=Lines())

    assert sorted(aws.probes.left) == sorted([IN_USE, other])


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_deploy__probe_of_a_killed_run__swept(path: str) -> None:
    aws = serving()
    aws.probes.left[LEFT_OVER] = {}
    lines = Lines()

    request = make_request(checked_at(path))
    deploy(request, aws.aws(), clock=FakeClock(), reporter=lines)

    assert aws.probes.left == {}
    assert "removed the health check's probe that a stopped run had left behind" in lines.notes


def test_deploy__unchanged__what_a_killed_run_left_goes_with_the_next_change() -> None:
    aws = serving()
    request = make_request(checked_at("/health"))
    deploy(request, aws.aws(), clock=FakeClock(), reporter=Lines())
    service = aws.ecs.services["web-dev"]
    aws.ecs.services["web-dev"] = replace(service, target_group_arns=(GROUP,))
    aws.probes.left[LEFT_OVER] = {}

    unchanged = deploy(request, aws.aws(), clock=FakeClock(), reporter=Lines())
    left = dict(aws.probes.left)
    run(aws)

    assert unchanged.outcome is Outcome.UNCHANGED
    assert [*left] == [LEFT_OVER]
    assert aws.probes.left == {}


def test_deploy__role_may_not_look_for_probes__deploys() -> None:
    aws = serving()
    aws.probes.fails["names"] = [DENIED]
    request = make_request(checked_at("/health"))

    result = deploy(request, aws.aws(), clock=FakeClock(), reporter=Lines())

    assert result.outcome is Outcome.SUCCEEDED


@pytest.mark.parametrize(("timeout", "interval"), [(2, 5), (5, 6), (120, 121)])
def test_check_interval__longer_than_a_check_and_within_elbs_limits(
    timeout: int, interval: int
) -> None:
    assert check_interval(timeout) == interval


def test_probe_name__longest_stack_name__elb_takes_it() -> None:
    assert len(probe_name("fsd-" + "x" * 200, until=NOW)) <= 32


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (IN_USE, False),
        (LEFT_OVER, True),
        (probe_name("fsd-web-dev", until=NOW), False),
        ("fsd-probe-10a97883391c5eae87b4", True),
    ],
    ids=["in use", "left over", "just now", "no time in it"],  # the names are of this process only
)
def test_is_left_over__by_the_time_in_its_name(name: str, expected: bool) -> None:
    assert is_left_over(name, now=NOW) is expected


def test_probe_name__two_tries_at_once__differ() -> None:
    assert len({probe_name("fsd-web-dev", until=NOW) for _ in range(20)}) > 1
    assert IN_USE.startswith(probe_prefix("fsd-web-dev"))


def behind_groups(port: str, *ports: int) -> Json:
    """The check on a port of its own, and security groups that let the load balancer there."""
    wanted = template("/health")
    group = wanted["Resources"]["TargetGroup"]["Properties"]  # type: ignore[index,call-overload] # plain values
    group["HealthCheckPort"] = port  # type: ignore[index,call-overload] # plain values
    rules: list[JsonValue] = [{"FromPort": port, "ToPort": port} for port in ports]
    wanted["Resources"]["Tasks"] = {  # type: ignore[index,call-overload] # plain values
        "Type": "AWS::EC2::SecurityGroup",
        "Properties": {"SecurityGroupIngress": rules},
    }
    return wanted


BEFORE, AFTER = behind_groups("traffic-port", 8000), behind_groups("8081", 8000, 8081)
OPENED = behind_groups("traffic-port", 8000, 8081)


def behind_port() -> tuple[FakeAws, DeployRequest]:
    aws = serving()
    aws.stacks.apply("fsd-web-dev", template=BEFORE, tags={"fsd:service": "web"})
    aws.stacks.applied.clear()
    return aws, make_request(replace(checked_at("/health"), template=AFTER))


def test_deploy__check_moves_to_another_port__asked_through_opened_groups() -> None:
    aws, request = behind_port()
    lines = Lines()

    deploy(request, aws.aws(), clock=FakeClock(), reporter=lines)

    assert aws.stacks.applied == [OPENED, AFTER]
    assert "letting the load balancer reach port 8081 during the test" in lines.notes


def test_deploy__nothing_answers_on_the_other_port__refused_and_closed_again() -> None:
    aws, request = behind_port()
    aws.probes.answer = failing(404)

    with pytest.raises(RefusedError):
        deploy(request, aws.aws(), clock=FakeClock(), reporter=Lines())

    assert aws.stacks.applied == [OPENED, BEFORE]
    assert aws.probes.left == {}


def test_deploy__other_port_cannot_be_asked__closed_again() -> None:
    aws, request = behind_port()
    aws.probes.fails["start"] = [DENIED]

    with pytest.raises(PermissionDenied):
        deploy(request, aws.aws(), clock=FakeClock(), reporter=Lines())

    assert aws.stacks.applied == [OPENED, BEFORE]


def test_deploy__killed_while_a_port_is_open__next_run_closes_it() -> None:
    aws, request = behind_port()
    aws.probes.fails["start"] = [SIGNAL]
    deploy(request, aws.aws(), clock=FakeClock(), reporter=Lines())
    assert aws.stacks.applied == [OPENED]

    before = replace(request, desired=replace(request.desired, template=BEFORE))
    deploy(before, aws.aws(), clock=FakeClock(), reporter=Lines())

    assert split_previous(aws.stacks.stacks["fsd-web-dev"].template)[0] == BEFORE
